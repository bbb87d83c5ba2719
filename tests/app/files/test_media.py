"""What a file is, by its bytes; its name; and files that are not what they are said to be."""

from __future__ import annotations

import random

import pytest

from app.core.errors import InvalidFile
from app.files.attachment import Claim, judge
from app.files.media import DOCX, HEAD_BYTES, PPTX, TAIL_BYTES, XLSX, recognise
from tests.app.files import sample

# bytes, name -> media type, name to go by
GOOD: list[tuple[bytes, str, str, str]] = [
    (sample.png(), "cat.png", "image/png", "cat.png"),
    (sample.png(), "cat.JPG", "image/png", "cat.png"),
    (sample.png(), "", "image/png", "image.png"),
    (sample.png(), "download.php", "image/png", "download.png"),
    (sample.jpeg(), "cat.JPEG", "image/jpeg", "cat.JPEG"),
    (sample.gif(), "x", "image/gif", "x.gif"),
    (sample.bmp(), "x.bmp", "image/bmp", "x.bmp"),
    (sample.webp(), "x.webp", "image/webp", "x.webp"),
    (sample.PDF, "a.pdf", "application/pdf", "a.pdf"),
    (b"junk before\n" + sample.PDF, "a.pdf", "application/pdf", "a.pdf"),
    (sample.USUAL_PDF, "a.pdf", "application/pdf", "a.pdf"),
    (sample.USUAL_PDF, "", "application/pdf", "file.pdf"),
    (b"junk before\n" + sample.USUAL_PDF, "a", "application/pdf", "a.pdf"),
    (sample.PDF, "报告", "application/pdf", "报告.pdf"),
    (sample.PDF, "v1.2 final", "application/pdf", "v1.2 final.pdf"),
    (sample.DOCX, "a.docx", DOCX.type, "a.docx"),
    (sample.DOCX, "a.zip", DOCX.type, "a.docx"),
    (sample.packed(*"abcdefgh", "xl/workbook.xml"), "", XLSX.type, "file.xlsx"),
    (sample.packed("ppt/slide.xml"), "s.pptx", PPTX.type, "s.pptx"),
    (sample.OLD_OFFICE, "a.xls", "application/vnd.ms-excel", "a.xls"),
    (sample.OLD_OFFICE, "a", "application/msword", "a.doc"),
    (b"{\\rtf1 x}", "a.rtf", "application/rtf", "a.rtf"),
    ("你好，世界".encode(), "a.txt", "text/plain", "a.txt"),
    ("你好，世界".encode("gb18030"), "a.txt", "text/plain", "a.txt"),
    ("\ufeff你好".encode("utf-16-le"), "a.txt", "text/plain", "a.txt"),
    (b"# title", "README.md", "text/markdown", "README.md"),
    (b"a,b\n1,2", "a.csv", "text/csv", "a.csv"),
    (b'{"a": 1}', "a.json", "application/json", "a.json"),
    (b"<?xml version='1.0'?><feed/>", "a.xml", "application/xml", "a.xml"),
    (b"all: build", "Makefile", "text/plain", "Makefile.txt"),
    (b"x", "a.weird", "text/plain", "a.txt"),
    (sample.HTML, "page.html", "text/html", "page.html"),
]  # fmt: skip
# bytes, name, media type that somebody said, words of the refusal
BAD: list[tuple[bytes, str, str, str]] = [
    (b"", "a.pdf", "", "empty"),
    (sample.PDF, "cat.png", "", "said to be a picture, but it is a PDF document"),
    (sample.PDF, "", "image/png", "said to be a picture, but it is a PDF document"),
    (b"not found", "cat.png", "", "said to be a picture, but it is a text file"),
    (sample.png(), "a.pdf", "", "said to be a document, but it is a PNG picture"),
    (sample.HTML, "cat.png", "image/png", "web page"),
    (sample.HTML, "report", "", "web page"),
    (sample.HTML, "a.pdf", "", "web page"),
    (sample.SVG, "a.svg", "", "SVG"),
    (b"<svg width='1'/>", "a.png", "", "SVG"),
    (sample.SVG, "a.xml", "", "SVG"),
    (b"PK\x03\x04" + b"\0" * 99, "a.docx", "", "compressed archive"),
    (b"\0\x01\x02\x03" * 99, "a.txt", "", "no picture and no document"),
    (b"\x00\x00\x00\x18ftypmp42", "a.mp4", "", "video"),
    (b"\x00\x00\x00\x18ftypheic", "a.jpg", "", "HEIC"),
    (b"II*\x00" + b"\0" * 50, "a.tif", "", "TIFF"),
    (b"RIFF\0\0\0\0WAVEfmt ", "a.webp", "", "video or sound"),
    (b"MZ\x90\x00", "setup.exe", "", "program"),
    (b"\x1f\x8b\x08", "a.pdf", "", "compressed archive"),
]  # fmt: skip


def look(data: bytes) -> tuple[bytes, bytes]:
    return data[:HEAD_BYTES], data[-TAIL_BYTES:]


@pytest.mark.parametrize(("data", "name", "media_type", "goes_by"), GOOD)
def test_the_bytes_say_what_it_is(data: bytes, name: str, media_type: str, goes_by: str) -> None:
    found_name, media = judge(Claim(name), *look(data))
    assert (media.type, found_name) == (media_type, goes_by)
    assert media.is_picture is media_type.startswith("image/")


@pytest.mark.parametrize(("data", "name", "media_type", "words"), BAD)
def test_what_is_refused_and_in_which_words(data: bytes, name: str, media_type: str, words: str) -> None:
    with pytest.raises(InvalidFile, match=words) as raised:
        judge(Claim(name, media_type), *look(data))
    assert raised.value.code == "invalid_file"


def test_a_promise_is_held_to_and_a_servers_guess_is_not() -> None:
    head_and_tail = look(sample.png())
    assert judge(Claim("", "application/pdf"), *head_and_tail)[0] == "image.png"
    with pytest.raises(InvalidFile):
        judge(Claim("", "application/pdf", is_promised=True), *head_and_tail)


def test_a_media_type_names_what_has_no_name() -> None:
    assert judge(Claim("", "text/markdown"), b"# x", b"")[0] == "file.md"
    assert judge(Claim("", "text/html"), *look(sample.HTML))[0] == "file.html"


def test_no_bytes_confuse_it() -> None:
    rng = random.Random(6)
    for _ in range(2000):
        data = rng.choice(
            [b"", b"<", b"PK\x03\x04", b"BM", b"RIFF", b"\xff\xd8\xff", b"<?xml "]
        ) + rng.randbytes(40)
        recognise(data, data, rng.choice(["", "png", "txt", "docx"]))
