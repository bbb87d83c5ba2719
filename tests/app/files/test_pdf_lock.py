"""PDFs that a password locks, and those that say they are encrypted and open all the same."""

from __future__ import annotations

import base64
import io
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import InvalidFile
from app.files.fetch import Fetcher, FetchPolicy
from app.files.pdf_lock import needs_password
from app.files.pdf_object import parse_object
from tests.app.files.sample import packed

# Written by qpdf (revisions 2, 3, 4, 6) and pypdf (5); the locked ones with the user's password "secret".
PLACE = Path(__file__).parents[2] / "fixtures" / "pdf"
LOCKED = sorted(PLACE.glob("locked-*.pdf"))
OPEN = sorted(PLACE.glob("open-*.pdf"))
MEBIBYTE = 1024 * 1024


def look(data: bytes) -> bool:
    return needs_password(io.BytesIO(data), len(data), give_way=lambda: None)


def attach(data: bytes, name: str) -> str:
    url = f"data:;base64,{base64.b64encode(data).decode()}"
    file = Fetcher(FetchPolicy(100_000_000, 5.0, frozenset())).fetch(url, name=name)
    file.close()
    return file.media_type


def test_there_is_a_file_of_each_revision() -> None:
    assert len(LOCKED) == len(OPEN) == 9


@pytest.mark.parametrize("path", LOCKED, ids=lambda path: path.stem)
def test_a_locked_one_is_refused_saying_so(path: Path) -> None:
    with pytest.raises(InvalidFile, match="locked by a password"):
        attach(path.read_bytes(), "report.pdf")


@pytest.mark.parametrize("path", OPEN, ids=lambda path: path.stem)
def test_one_that_opens_without_a_password_is_not_locked(path: Path) -> None:
    assert attach(path.read_bytes(), "report.pdf") == "application/pdf"


@pytest.mark.parametrize("path", LOCKED, ids=lambda path: path.stem)
def test_it_is_found_wherever_it_lies(path: Path) -> None:
    data = path.read_bytes()
    body, end = data[: data.rindex(b"startxref")], data[data.rindex(b"startxref") :]
    begins_late = data[:20] + b"\n" + b"% filling\n" * 300_000 + data[20:]
    assert look(begins_late)
    assert look(body + b"\n% filling" * 10_000 + b"\n" + end)  # found by its address, far from the end


def test_the_last_of_the_objects_counts() -> None:
    """An update that was appended: the old handler is in the file still."""
    (locked,) = [path for path in LOCKED if path.stem == "locked-r4"]
    (opens,) = [path for path in OPEN if path.stem == "open-r4"]
    handler = locked.read_bytes()
    handler = handler[handler.index(b"5 0 obj") : handler.index(b"xref\n")]
    data = opens.read_bytes()
    file_id = locked.read_bytes().split(b"/ID [<")[1][:32]
    assert look(data) is False
    changed = data.replace(b"xref\n", handler + b"xref\n", 1)
    own_id = data.split(b"/ID [<")[1][:32]
    assert look(changed.replace(own_id, file_id)) is True


def test_a_text_about_encryption_is_not_locked() -> None:
    assert (
        look(b"%PDF-1.7\n1 0 obj\n(the entry /Encrypt 5 0 R says so)\nendobj\ntrailer << /Root 1 0 R >>")
        is False
    )
    assert look(b"%PDF-1.7\ntrailer << /Encrypt << /Filter /Adobe.PubSec /R 4 >> >>") is False


@given(st.sampled_from(LOCKED + OPEN), st.integers(0, 2000), st.binary(max_size=40))
def test_no_damage_confuses_it(path: Path, place: int, noise: bytes) -> None:
    data = path.read_bytes()
    look(data[:place] + noise + data[place + len(noise) :])
    look(data[:place])


@pytest.mark.parametrize(
    "body",
    [
        b"5 0 obj " * 2_000_000,
        b"5 0 obj <<" + b"/A " * 5_000_000,
        b"5 0 obj" + b"<<" * 5_000_000,
        b"5 0 obj (" + b"(" * 5_000_000,
        b"5 0 obj <<" + b" % " * 5_000_000,
    ],
)
def test_no_file_makes_it_slow(body: bytes) -> None:
    data = b"%PDF-1.7\n" + body + b"\ntrailer << /Encrypt 5 0 R /ID [" + b"<" * 50_000
    turns = []
    begun_at = time.thread_time()
    needs_password(io.BytesIO(data), len(data), give_way=lambda: turns.append(1))
    assert time.thread_time() - begun_at < 2
    assert len(turns) >= len(data) // MEBIBYTE


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"<< /A 1 /B (x) >> more", {"A": 1, "B": b"x"}),
        (b"<</A<</B[1 2 0 R]>>/C/D>>", {"A": {"B": [1, None]}, "C": "D"}),
        (rb"(a\(b\)(c)\n\101\0\\)", b"a(b)(c)\nA\0\\"),
        (b"(a\\\nb\\\r\nc)", b"abc"),
        (b"<48 656C6c 6F7>", b"Hellop"),
        (b"% says\n /Name", "Name"),
        (b"-1028", -1028),
        (b"true", True),
        (b"null", None),
        (b"(never closed", None),
        (b"<< /A", None),
        (b">>", None),
        (b"", None),
        (b"[" * 5000, None),
    ],
)
def test_objects(data: bytes, value: object) -> None:
    assert parse_object(data) == value


@pytest.mark.parametrize("place", ["first", "listed"])
@pytest.mark.parametrize("names", [("a.txt",), ("[Content_Types].xml", "word/document.xml")])
def test_a_locked_archive_is_refused_saying_so(names: tuple[str, ...], place: str) -> None:
    data = bytearray(packed(*names))
    flag = 6 if place == "first" else data.rindex(b"PK\x01\x02") + 8
    data[flag] |= 1
    for name in ("a.zip", "a.docx", "a"):
        with pytest.raises(InvalidFile, match="locked by a password"):
            attach(bytes(data), name)
