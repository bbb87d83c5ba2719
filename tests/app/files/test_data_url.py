"""data: URLs as clients write them, good and bad, cut at any place; and what decoding them holds."""

from __future__ import annotations

import base64
import time
import tracemalloc
from urllib.parse import quote, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import InvalidFile, InvalidFileUrl
from app.files import data_url
from app.files.data_url import find_data, parse_data_url, unquote_percent
from tests.app.files import sample

DATA = bytes(range(256)) * 7
CODED = base64.b64encode(DATA).decode()
MEBIBYTE = 1024 * 1024


@pytest.fixture
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_url, "_SLICE_CHARS", 5)


def decode(url: str) -> bytes:
    return b"".join(parse_data_url(url).decode())


GOOD = [
    (f"data:image/png;base64,{CODED}", "image/png", DATA),
    (f"DATA:Image/PNG;BASE64,{CODED}", "image/png", DATA),
    (f"data:image/png;charset=utf-8;name=x.png;base64,{CODED}", "image/png", DATA),
    (f"data:;base64,{CODED}", "", DATA),
    (f"data:image/png;base64,{CODED.rstrip('=')}", "image/png", DATA),
    (f"data:image/png;base64,{CODED[:100]}\r\n {CODED[100:]}\n", "image/png", DATA),
    (f"data:image/png;base64,{CODED.replace('+', '%2B').replace('=', '%3D')}", "image/png", DATA),
    (f"data:image/png;base64,{CODED.replace('+', '-').replace('/', '_')}", "image/png", DATA),
    (f"data:image/png;base64,{''.join(f'%{ord(c):02x}' for c in CODED)}", "image/png", DATA),
    ("data:;base64,QQ=%3D\r\n", "", b"A"),
    ("data:;base64,Q%51\n=\n=", "", b"A"),
    ("data:,hello%20you", "", b"hello you"),
    ("data:,100%,%4,%zz,%%41,=,=3D,%", "", b"100%,%4,%zz,%A,=,=3D,%"),
    ("data:text/plain;charset=utf-8,%E4%BD%A0,好", "text/plain", "你,好".encode()),
    ("data:image/png;base64,", "image/png", b""),
    ("data:,", "", b""),
    # A media type that says nothing, and other slips.
    ("data:not a type,x", "", b"x"),
    (f"data:image/*;base64,{CODED}", "", DATA),
    (f"data:image;base64,{CODED}", "", DATA),
    (f"data:base64,{CODED}", "", DATA),
    (f"data:image/png;base64;charset=utf-8,{CODED}", "image/png", DATA),
    (f"  data:image/png;base64,{CODED}", "image/png", DATA),
    (f'"data:image/png;base64,{CODED}', "image/png", DATA),
    (f"data:image/png; base64 ,{CODED}", "image/png", DATA),
    (f"data:application/pdf;name=a, b.pdf;base64,{CODED}", "application/pdf", DATA),
    (f"data:image/png;base64,data:image/png;base64,{CODED}", "image/png", DATA),
    (f"data:;base64,data:image/jpeg;base64,{CODED}", "image/jpeg", DATA),
]


@pytest.mark.parametrize(("url", "media_type", "data"), GOOD)
def test_a_data_url(url: str, media_type: str, data: bytes) -> None:
    assert (parse_data_url(url).media_type, decode(url)) == (media_type, data)


@pytest.mark.usefixtures("small_slices")
@pytest.mark.parametrize(("url", "media_type", "data"), GOOD)
def test_in_slices_it_is_the_same(url: str, media_type: str, data: bytes) -> None:
    assert decode(url) == data


@pytest.mark.parametrize("url", ["data:image/png;base64", "data:", "data:" + "x" * 999 + ","])
def test_what_is_no_data_url(url: str) -> None:
    with pytest.raises(InvalidFileUrl):
        parse_data_url(url)


GARBAGE = ["!!!!", "AAAA=AAA", "A", "AA=A", "你好", "====", "=", "AAA==", "AA=", "QQ==QQ==", "QQ==\nQQ",
           "%", "%%%%", "AAAA%", "AA%4", CODED[:64] + "*" + CODED]  # fmt: skip


@pytest.mark.parametrize("payload", GARBAGE)
def test_garbage_is_no_base64(payload: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for size in (65536, 5, 3):
        monkeypatch.setattr(data_url, "_SLICE_CHARS", size)
        with pytest.raises(InvalidFile, match="base64"):
            decode(f"data:image/png;base64,{payload}")


spellings = st.text(alphabet="%=410AFafgz-_+/ \r\n\t.é好", max_size=40)


@given(spellings)
def test_percent_is_undone_as_the_standard_library_does(text: str) -> None:
    assert unquote_percent(text.encode()) == unquote_to_bytes(text)


@given(spellings, st.integers(3, 8))
def test_no_cut_changes_what_is_read(text: str, size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data_url, "_SLICE_CHARS", size)
        assert decode(f"data:,{text}") == unquote_to_bytes(text)


@given(st.binary(max_size=60), st.integers(3, 8), st.data())
def test_base64_in_any_mixture_of_spellings(data: bytes, size: int, choice: st.DataObject) -> None:
    coded = base64.b64encode(data).decode()
    mixed = "".join(
        choice.draw(st.sampled_from([c, quote(c, safe=""), f"%{ord(c):02X}", f"{c}\n"])) for c in coded
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data_url, "_SLICE_CHARS", size)
        assert decode(f"data:;base64,{mixed}") == data


HOSTILE = {
    "percent": ",%41",
    "percent in base64": ";base64,%51%55%46%42",
    "stray percent signs": ",%",
    "equals signs beside one percent": ",%41" + "=" * 999,
    "plain": ",QUFB",
    "base64": ";base64,QUFB",
    "blanks in base64": ";base64,\n",
    "one percent sign at the end of clean base64": ";base64," + "QUFB" * 1000 + "%51%55%46%42",
    "short lines": ";base64,QU\r\nFB\r\n",
}


@pytest.mark.parametrize("spelling", HOSTILE.values(), ids=HOSTILE)
def test_what_is_held_does_not_grow_with_the_url(spelling: str) -> None:
    """A few slices; the worst spelling holds 3.1 MB."""
    mark, unit = spelling.split(",", 1)
    url = f"data:{mark},{unit * (12 * MEBIBYTE // len(unit))}"
    tracemalloc.start()
    try:
        pieces = parse_data_url(url).decode()
        before = tracemalloc.get_traced_memory()[0]
        for _ in pieces:
            pass
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert peak < 5 * MEBIBYTE


@pytest.mark.parametrize("spelling", HOSTILE.values(), ids=HOSTILE)
def test_there_is_a_turn_for_others_after_little_work(spelling: str) -> None:
    mark, unit = spelling.split(",", 1)
    url = f"data:{mark},{unit * (12 * MEBIBYTE // len(unit))}"
    holds, begun = [], time.thread_time()
    for _ in parse_data_url(url).decode():
        holds.append(time.thread_time() - begun)
        begun = time.thread_time()
    assert len(holds) >= len(url) // data_url._SLICE_CHARS
    assert max(holds) < 0.1
    assert sum(holds) < 4


@pytest.mark.parametrize("size", [0, 200, 200_000])
@pytest.mark.parametrize(
    "begin", [sample.png(), sample.jpeg() + b"JFIF" * 9, sample.gif(), sample.DOCX, sample.PDF]
)
def test_bare_base64_is_known_by_what_it_decodes_to(begin: bytes, size: int) -> None:
    data = begin + bytes(size)
    for text in (base64.b64encode(data).decode(), base64.encodebytes(data).decode()):
        found = find_data(text)
        assert found is not None
        assert b"".join(found.decode()) == data


@pytest.mark.parametrize(
    "url",
    [
        *[
            "example.org/cat.png",
            "example/cat",
            "cat",
            "",
            "/v1/files/abcdefghijklmnopqrstuvwxyz",
            "A" * 9000,
        ],
        *["https://a.example/iVBORw0KGgo", "iVBORw0KGgo", base64.b64encode(b"plain words " * 9).decode()],
        "iVBORw0KGgo!" + "A" * 99,
    ],
)
def test_other_words_are_no_base64(url: str) -> None:
    assert find_data(url) is None
