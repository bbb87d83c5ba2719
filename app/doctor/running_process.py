"""The environment of a gateway that runs on this machine, compared by name with the doctor's own.

Only Linux shows it, and only to the gateway's user; elsewhere nothing is known.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from app.config import list_names
from app.doctor import messages
from app.doctor.finding import Finding, note

_PROC = Path("/proc")
_LISTENS = "0A"
_LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})


def compare_settings(url: str, environ: Mapping[str, str]) -> Iterator[Finding]:
    """A note where the gateway at `url` was started with other settings than stand in `environ`.

    Names alone are told: values may be secrets.
    """
    theirs = _find_environment(url)
    if theirs is None:
        return
    names = [name for name in list_names() if environ.get(name, "").strip() != theirs.get(name, "").strip()]
    if names:
        yield note(messages.GATEWAY, messages.GATEWAY_DIFFERS, names=", ".join(sorted(names)))


def _find_environment(url: str) -> dict[str, str] | None:
    """That of the process which listens at `url`, None where it is not to be seen."""
    parts = urlsplit(url)
    if parts.hostname not in _LOCAL:
        return None
    sockets = {f"socket:[{inode}]" for inode in _list_listeners(parts.port or 80)}
    with suppress(OSError):
        for process in _PROC.glob("[0-9]*"):
            if process.name != str(os.getpid()) and sockets & set(_list_files(process)):
                return _read_environment(process)
    return None


def _list_listeners(port: int) -> Iterator[str]:
    """The inodes of the sockets that listen on this port (proc_net(5))."""
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in (_PROC / "net" / table).read_text("ascii").splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTENS and int(fields[1].rpartition(":")[2], 16) == port:
                    yield fields[9]


def _list_files(process: Path) -> Iterator[str]:
    with suppress(OSError):  # it belongs to somebody else, or has ended
        for file in (process / "fd").iterdir():
            with suppress(OSError):
                yield str(file.readlink())


def _read_environment(process: Path) -> dict[str, str]:
    pairs = (process / "environ").read_bytes().split(b"\0")
    return dict(os.fsdecode(pair).split("=", 1) for pair in pairs if b"=" in pair)
