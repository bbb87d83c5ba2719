"""Files that accounts have uploaded, and what a message that refers to them shows (protocol notes 6)."""

from __future__ import annotations

import struct
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from upstream_emulator.form import FormFile

_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"BM")


@dataclass(frozen=True, slots=True)
class StoredFile:
    """`account` owns it; for everybody else it does not exist."""

    account: str
    id: str
    name: str
    type: str
    size: int
    sha256: str
    width: int = 0
    height: int = 0
    is_picture: bool = False

    @property
    def url(self) -> str:
        return f"https://sfile.chatglm.cn/{self.id}"

    @property
    def label(self) -> str:
        """As the friendly answer names it."""
        kind = "图片" if self.is_picture else "文件"
        return f"{kind} {self.name}（{self.size} 字节，sha256 {self.sha256[:12]}）"


class FileBook:
    """All uploads since the last reset."""

    def __init__(self) -> None:
        self._files: dict[str, StoredFile] = {}

    def __iter__(self) -> Iterator[StoredFile]:
        return iter(self._files.values())

    def add(self, account: str, file: FormFile) -> StoredFile:
        is_picture = file.head.startswith(_PICTURES)
        extension = file.name.rpartition(".")[2] or "bin"
        width, height = _measure(file.head) if is_picture else (0, 0)
        stored = StoredFile(
            account=account,
            id=f"chatglm4/{uuid.uuid4()}.{extension}",
            name=file.name,
            type=file.content_type,
            size=file.size,
            sha256=file.sha256,
            width=width,
            height=height,
            is_picture=is_picture,
        )
        self._files[stored.id] = stored
        return stored

    def find_picture(self, account: str, file_id: object, url: object) -> StoredFile | None:
        """The account's own picture with this id, where its address is said to be this one."""
        file = self._files.get(file_id) if isinstance(file_id, str) else None
        is_own = file is not None and file.account == account and file.is_picture
        return file if is_own and file is not None and file.url == url else None

    def look_at(self, account: str, parts: list[dict[str, Any]]) -> list[str]:
        """What the account sees of the parts that are no text, in order: a label each, or that it cannot."""
        seen: list[str] = []
        for part in parts:
            if part["type"] != "text":
                items = part.get(part["type"])
                entries = items if isinstance(items, list) and items else [None]
                seen += [self._look_at(account, part["type"], entry) for entry in entries]
        return seen

    def _look_at(self, account: str, kind: str, entry: Any) -> str:
        """Only the shapes of protocol notes 6.3 are looked at; whatever else is ignored without a word."""
        file = self._find(account, entry) if isinstance(entry, dict) else None
        if kind == "image" and file is not None and file.is_picture and entry.get("image_url") == file.url:
            return file.label
        if kind == "file" and file is not None and entry.get("file_url", file.url) == file.url:
            return file.label
        return "看不到的图片" if kind.startswith("image") else "看不到的文件"

    def _find(self, account: str, entry: dict[str, Any]) -> StoredFile | None:
        """The account's own file that both names agree on; `source_id` is the younger name of `file_id`."""
        names = {entry[key] for key in ("file_id", "source_id") if isinstance(entry.get(key), str)}
        file = self._files.get(names.pop()) if len(names) == 1 else None
        return file if file is not None and file.account == account else None


def _measure(head: bytes) -> tuple[int, int]:
    """A PNG's own size; a captured one for every other picture."""
    if head.startswith(_PICTURES[0]) and len(head) >= 24:
        width, height = struct.unpack_from(">II", head, 16)
        return width, height
    return 1024, 1024
