"""Files as people really attach them, on a real socket, streamed and whole: judged by their bytes."""

from __future__ import annotations

import base64
import hashlib
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openai import APIStatusError, OpenAI

from tests.app.files import sample
from tests.app.files.test_compound import compound
from tests.app.files.test_text import KINDS
from tests.live.asking import ask_messages
from tests.live_files.attaching import TEXT, as_url, image, inline, messages
from upstream_emulator.emulator import UpstreamEmulator

BOTH = pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
PDFS = Path(__file__).parents[1] / "fixtures" / "pdf"
LARGE_PNG = sample.png() + random.Random(3).randbytes(200_000)
JPEG = sample.jpeg() + random.Random(4).randbytes(3000)


def bare(data: bytes) -> str:
    return base64.b64encode(data).decode()


def the_upload(upstream: UpstreamEmulator) -> dict[str, Any]:
    (upload,) = upstream.state()["uploads"]
    return dict(upload)


def check_upload(upstream: UpstreamEmulator, name: str, data: bytes, media_type: str = "") -> None:
    """What went up is `data`, byte for byte, under its name."""
    upload = the_upload(upstream)
    digest = hashlib.sha256(data).hexdigest()
    assert (upload["name"], upload["sha256"]) == (name, digest)
    assert media_type in ("", upload["type"])


SPELLINGS: dict[str, tuple[Callable[[bytes], str], bytes, str]] = {
    "bare": (bare, sample.png(), "image.png"),
    "bare-large": (bare, LARGE_PNG, "image.png"),
    "bare-jpeg": (bare, JPEG, "image.jpg"),
    "usual": (lambda data: as_url(data, "image/png"), sample.png(), "image.png"),
    "any-type": (lambda data: as_url(data, "image/*"), sample.png(), "image.png"),
    "twice": (lambda data: f"data:image/png;base64,{as_url(data, 'image/png')}", sample.png(), "image.png"),
    "loud": (lambda data: as_url(data, "image/png").replace("data:", "DATA:", 1), sample.png(), "image.png"),
    "charset": (lambda data: f"data:image/png;charset=utf-8;base64,{bare(data)}", sample.png(), "image.png"),
    "line": (lambda data: f"data:image/png;base64,\n{bare(data)}", sample.png(), "image.png"),
}


@BOTH
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_picture_spelled(
    client: OpenAI, upstream: UpstreamEmulator, spelling: str, *, stream: bool
) -> None:
    write, data, name = SPELLINGS[spelling]
    ask_messages(client, messages(image(write(data)), TEXT), stream=stream)
    check_upload(upstream, name, data)


@BOTH
@pytest.mark.parametrize("url", ["example.org/cat.png", "cat", "aGVsbG8gd29ybGQ=", "////"])
def test_what_is_no_address_and_no_picture(
    client: OpenAI, upstream: UpstreamEmulator, url: str, *, stream: bool
) -> None:
    with pytest.raises(APIStatusError) as raised:
        ask_messages(client, messages(image(url), TEXT), stream=stream)
    assert (raised.value.status_code, raised.value.code) == (400, "invalid_file_url")
    assert upstream.state()["uploads"] == []


TEXTS = {
    "report.txt": "MZ世代报告\n第一章 概述\n",
    "staff.csv": "ID3,姓名,部门\n1,张伟,研发\n",
    "riff.md": "RIFF is a container format, and WAVE one of its kinds.\n",
    "rar.txt": "Rar! they cried, and ran.\n",
    "gif.md": "GIF89a is a format of 1989.\n",
    "ogg.log": "OggS page 1\nOggS page 2\n",
    "pdf.md": "%PDF-1.7 is how a PDF begins; /Encrypt 5 0 R says that it is locked.\n",
    "rtf.txt": "{\\rtf is how RTF begins.\n",
    "colours.log": "\x1b[31merror\x1b[0m 12\b3 ok\n" * 20,
    "nulls.log": "worker 1 started\n" * 50 + "\0\0\n",
    "page.html": "<!doctype html><title>报告</title><p>一</p>",
    "drawing.xml": "<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>",
}


@BOTH
@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "gb18030"])
def test_a_text(
    client: OpenAI, upstream: UpstreamEmulator, name: str, encoding: str, *, stream: bool
) -> None:
    data = TEXTS[name].encode(encoding)
    heard = ask_messages(client, messages(inline(data, name, "text/plain"), TEXT), stream=stream)
    assert heard.finish == "stop"
    check_upload(upstream, name, data)


@BOTH
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "gif"])
def test_what_is_no_text_stays_refused_under_a_texts_name(
    client: OpenAI, upstream: UpstreamEmulator, kind: str, *, stream: bool
) -> None:
    with pytest.raises(APIStatusError) as raised:
        ask_messages(client, messages(inline(KINDS[kind], "a.txt", "text/plain"), TEXT), stream=stream)
    assert (raised.value.status_code, raised.value.code) == (400, "invalid_file")
    assert upstream.state()["uploads"] == []


def lock_zip(data: bytes) -> bytes:
    locked = bytearray(data)
    locked[6] |= 1
    return bytes(locked)


LOCKED = {
    "new.docx": compound("EncryptedPackage", "EncryptionInfo"),
    "new.xlsx": compound("EncryptedPackage"),
    "old.ppt": compound("EncryptedSummary"),
    "packed.docx": lock_zip(sample.DOCX),
    "archive.zip": lock_zip(sample.packed("a.txt")),
    **{f"{path.stem}.pdf": path.read_bytes() for path in sorted(PDFS.glob("locked-*"))},
}


@BOTH
@pytest.mark.parametrize("name", LOCKED)
def test_what_a_password_locks(
    client: OpenAI, upstream: UpstreamEmulator, name: str, *, stream: bool
) -> None:
    with pytest.raises(APIStatusError) as raised:
        ask_messages(client, messages(inline(LOCKED[name], name, ""), TEXT), stream=stream)
    assert (raised.value.status_code, raised.value.code) == (400, "invalid_file")
    assert "password" in raised.value.message
    assert upstream.state()["uploads"] == []


WEB_EXPORT = b"<html><body><table><tr><td>1</td></tr></table></body></html>"
DOCUMENTS = {
    "budget.et": (compound("Workbook"), "budget.xls", "application/vnd.ms-excel"),
    "export.xls": (WEB_EXPORT, "export.html", "text/html"),
    "report.pdf": (sample.USUAL_PDF, "report.pdf", "application/pdf"),
    **{
        f"{path.stem}.pdf": (path.read_bytes(), f"{path.stem}.pdf", "application/pdf")
        for path in sorted(PDFS.glob("open-*"))
    },
}


@BOTH
@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document(client: OpenAI, upstream: UpstreamEmulator, name: str, *, stream: bool) -> None:
    data, goes_by, media_type = DOCUMENTS[name]
    ask_messages(client, messages(inline(data, name, ""), TEXT), stream=stream)
    check_upload(upstream, goes_by, data, media_type)
