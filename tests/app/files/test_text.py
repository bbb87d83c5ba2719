"""What people attach as text goes up byte for byte under its own name; what only says so is refused."""

from __future__ import annotations

import base64
import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import InvalidFile
from app.files.attachment import Claim, clean_name, judge
from app.files.fetch import Fetcher, FetchPolicy
from app.files.media import _TEXT_TYPES
from tests.app.files.sample import HTML, PDF, SVG, gif, packed, png

NAMES = [f"notes.{extension}" for extension in (*_TEXT_TYPES, "html", "htm")]
BEGINNINGS = [
    *["", "MZ", "ID3", "RIFF", "Rar!", "GIF89a", "OggS", "BM", "8BPS", "xxxxftyp", "PK", "{\\rtf is "],
    *["%PDF-1.7 ", "<svg ", "<!doctype html>", "<?xml version='1.0'?><svg/>", "data:image/png;base64,"],
]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030", "shift-jis", "cp1252"]
LETTERS = st.sampled_from("abc XYZ 0123,.;:\n\t-_<>{}第一章姓名部门年报，。")
KINDS = {
    "program": b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0"
    + bytes(48)
    + b"This program cannot be run in DOS mode" * 9,
    "sound": b"ID3\x03\0\0\0\0\x1fvTIT2\0\0\0\x0c\0\0" + b"a song of many words " * 100,
    "wave": b"RIFF" + struct.pack("<I", 70_000_000) + b"WAVEfmt \x10\0\0\0\x01\0\x02\0" + b"ab" * 900,
    "rar": b"Rar!\x1a\x07\x01\0" + random.Random(1).randbytes(4000),
    "gif": gif() + b"x" * 3000,
    "ogg": b"OggS\0\x02" + bytes(20) + b"vorbis" * 300,
    "zip": packed("a.txt"),
    "noise": random.Random(2).randbytes(4096),
}


def attach(data: bytes, name: str, media_type: str = "") -> tuple[str, str, bytes]:
    """As a data: URL in a message: the name and the type that it goes by, and what goes up."""
    url = f"data:{media_type};base64,{base64.b64encode(data).decode()}"
    file = Fetcher(FetchPolicy(10_000_000, 5.0, frozenset())).fetch(url, name=name)
    try:
        return file.name, file.media_type, file.open().read()
    finally:
        file.close()


@given(
    name=st.sampled_from(NAMES),
    begin=st.sampled_from(BEGINNINGS),
    encoding=st.sampled_from(ENCODINGS),
    text=st.text(LETTERS, min_size=1, max_size=9000),
    media_type=st.sampled_from(["", "text/plain", "application/octet-stream"]),
)
def test_text_of_any_sort_goes_up_as_it_is(
    name: str, begin: str, encoding: str, text: str, media_type: str
) -> None:
    data = (begin + text).encode(encoding, "ignore") or b"x"
    goes_by, _, sent = attach(data, name, media_type)
    assert (goes_by, sent) == (name, data)


SCRIPTS = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn", "Co"]) | st.sampled_from(
    "\t\n\r"
)
STEMS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "So", "Zs"]), min_size=1, max_size=60)


@given(
    stem=STEMS.filter(lambda stem: clean_name(f"{stem}.txt") == f"{stem}.txt"),
    extension=st.sampled_from([*_TEXT_TYPES, "html", "htm"]),
    is_loud=st.booleans(),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    text=st.text(SCRIPTS, min_size=1, max_size=3000),
)
def test_every_script_goes_up_under_every_name(
    stem: str, extension: str, is_loud: bool, encoding: str, text: str
) -> None:
    name = f"{stem}.{extension.upper() if is_loud else extension}"
    data = text.encode(encoding)
    goes_by, media_type, sent = attach(data, name)
    assert (goes_by, sent) == (name, data)
    assert media_type.startswith(("text/", "application/"))
    assert media_type != "application/octet-stream"


@given(
    at=st.sets(st.integers(40, 3000), min_size=1, max_size=20), control=st.sampled_from("\0\b\x7f\x01\x1b")
)
def test_control_characters_make_no_log_a_program(at: set[int], control: str) -> None:
    letters = list("MZ 2026-11-27 12:00 worker 1 started 正常 \x1b[32mok\x1b[0m\n" * 80)
    for place in at:
        letters[place] = control
    for encoding in ("utf-8", "gb18030"):
        data = "".join(letters).encode(encoding)
        assert attach(data, "app.log")[::2] == ("app.log", data)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.log"])
def test_what_is_no_text_is_refused_under_any_name(kind: str, name: str) -> None:
    if kind == "gif":
        assert attach(KINDS[kind], name)[:2] == ("a.gif", "image/gif")
        return
    with pytest.raises(InvalidFile):
        attach(KINDS[kind], name)


def test_documents_and_pictures_under_a_texts_name_are_what_they_are() -> None:
    assert attach(PDF, "a.txt")[0] == "a.pdf"
    assert attach(png(), "a.md")[0] == "a.png"
    assert attach(b"{\\rtf1\\ansi words}", "a.txt")[0] == "a.rtf"


def test_a_page_that_a_server_sends_for_a_text_is_refused() -> None:
    for data in (HTML, SVG):
        with pytest.raises(InvalidFile):
            judge(Claim("report.txt", "text/plain"), data, data)


@pytest.mark.parametrize("name", ["table.xls", "letter.doc"])
def test_a_page_under_a_documents_name_is_a_document_where_a_person_sends_it(name: str) -> None:
    page = b"<html><table><tr><td>1</td></tr></table></html>"
    assert attach(page, name)[:2] == (f"{name.partition('.')[0]}.html", "text/html")
    with pytest.raises(InvalidFile):
        judge(Claim(name), page, page)
