"""Citation marks, however they are cut, and pages, wherever they are listed."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.event import CitedText
from app.upstream.citation import SANDBOX_NOTE, CitingText, Said
from app.upstream.held_bytes import HeldBytes
from app.upstream.source import Sources, make_safe

PAGES = [
    {"title": "One", "url": "https://one.example/", "match_key": "turn0search0"},
    {"title": "Two", "url": "https://two.example/", "match_key": "turn0search1"},
]
ONE, TWO = "[1](https://one.example/)", "[2](https://two.example/)"
MAX_HELD = 2100


def find(*pages: Mapping[str, object]) -> Sources:
    sources = Sources(HeldBytes())
    if pages:
        sources.add("part", json.dumps({"search_results": pages}).encode())
    return sources


def say(pieces: list[str], sources: Sources) -> list[Said]:
    citing = CitingText(sources)
    said: list[Said] = []
    for piece in filter(None, pieces):
        said.extend([piece] if citing.passes(piece) else citing.feed(piece))
    return said + citing.finish("") + citing.finish("")


def join(said: list[Said]) -> str:
    return "".join(piece.text if isinstance(piece, CitedText) else piece for piece in said)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a【1†source】b", f"a{ONE}b"),
        ("a【2†来源】【1†源】", f"a{TWO}{ONE}"),
        ("【1:0†source】【2†L3-L9】", f"{ONE}{TWO}"),
        ("【3†source】", ""),
        ("【turn0search1】", TWO),
        ("【turn0search1,turn0search0】", f"{TWO}{ONE}"),
        ("【turn0search1 turn9news2】", TWO),
        ("【turn5view5】", ""),
        ("see turn0search0.", f"see {ONE}."),
        ("turn0search0", ONE),
        ("turn0search0turn0search1", "turn0search0turn0search1"),
        ("return0search0 turn0search01 turn0search0_", "return0search0  turn0search0_"),
        ("【turn0search0", ONE),
        ("turn0search1】", TWO),
        ("【】【1】【source】【公告】[1†source]", "【】【1】【source】【公告】[1†source]"),
        ("【1†so\nurce】", "【1†so\nurce】"),
        ("【【1†source】】", f"【{ONE}】"),
        ("[a.csv](sandbox:/mnt/data/a.csv)!", f"[a.csv]{SANDBOX_NOTE}!"),
        ("![p](sandbox:/mnt/data/p.png)", f"![p]{SANDBOX_NOTE}"),
        ("[a](sandbox:/mnt data)", "[a](sandbox:/mnt data)"),
        ("x[1] [a](b) ](", "x[1] [a](b) ]("),
        ("turn the page at", "turn the page at"),
        # protocol notes 0.2 row 15
        ("【1†source,L3-L9】【2,L3-L9†source】【2,L3†来源】", f"{ONE}{TWO}{TWO}"),
        ("【turn0search0,L1-L20】【turn0search1,L2-4, turn0search0】", f"{ONE}{TWO}{ONE}"),
        ("晴[turn0search0]，[turn0search1,L3-L9] [turn0search0, turn0search1]", f"晴{ONE}，{TWO} {ONE}{TWO}"),
        ("[turn5fetch0][turn5click1][turn5find2]", ""),
        ("[x] [turn] [turn0search0 y] [", f"[x] [turn] [{ONE} y] ["),
        ("a[turn0search0", f"a[{ONE}"),
    ],
)
def test_marks(text: str, expected: str) -> None:
    assert join(say([text], find(*PAGES))) == expected
    assert join(say(list(text), find(*PAGES))) == expected
    for cut in range(len(text)):
        assert join(say([text[:cut], text[cut:]], find(*PAGES))) == expected


def test_keys_without_brackets_are_text_where_no_search_gave_keys() -> None:
    text = "go turn1left2, then turn0search0"
    assert join(say([text], find())) == text
    assert join(say([text], find({"url": "https://one.example/"}))) == text


def test_a_link_knows_what_it_leads_to() -> None:
    assert say(["【turn0search1】"], find(*PAGES)) == [CitedText(TWO, "https://two.example/", "Two")]


fragments = st.sampled_from(
    [
        "【",
        "】",
        "1",
        "2†",
        "†source",
        "turn0search0",
        "turn0",
        "search1",
        "t",
        " ",
        "](",
        "sandbox:",
        "/x)",
        "好",
    ]
)
texts = st.lists(fragments | st.text(max_size=3), max_size=12).map("".join)


@given(texts, st.data())
def test_cutting_changes_nothing(text: str, data: st.DataObject) -> None:
    places = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    pieces = [text[a:b] for a, b in zip([0, *places], [*places, len(text)], strict=True)]
    for sources in (find(), find(*PAGES)):
        assert join(say(pieces, sources)) == join(say([text], sources))


@given(st.text(max_size=60))
def test_other_text_stays(text: str) -> None:
    if not any(sign in text for sign in ("†", "turn", "sandbox")):
        assert join(say([text], find(*PAGES))) == text


@pytest.mark.parametrize("begun", ["【1†", "【turn0", "](sandbox:", "turn0"])
@pytest.mark.parametrize("more", ["x", "1", "a1"])
def test_what_waits_is_bounded(begun: str, more: str) -> None:
    citing = CitingText(find(*PAGES))
    citing.feed(begun)
    said = join([piece for _ in range(MAX_HELD) for piece in citing.feed(more)])
    assert said.startswith(begun)


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://a.example/路?q=1&b=*_*#x", "https://a.example/路?q=1&b=*_*#x"),
        (" http://a.example ", "http://a.example"),
        ("https://a.example/(a)<b>[c] d", "https://a.example/%28a%29%3Cb%3E%5Bc%5D%20d"),
        ("https://a.example/\u202e\n`\\|\"'", "https://a.example/%E2%80%AE%0A%60%5C%7C%22%27"),
        ("https://a.example/\ud800", "https://a.example/%3F"),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("//a.example/", None),
        ("https://", None),
        ("https://a\u2100b.example", None),
        ("https://a.example/" + "x" * 3000, None),
        (7, None),
        (None, None),
    ],
)
def test_addresses(url: object, safe: str | None) -> None:
    assert make_safe(url) == safe


@given(st.text())
def test_no_address_breaks_out_of_its_link(tail: str) -> None:
    safe = make_safe(f"https://a.example/{tail}")
    assert safe is None or not set(safe) & set(' ()<>[]\\"`\n\r')


def test_a_part_that_comes_again_replaces_its_pages() -> None:
    sources = Sources(HeldBytes())
    for pages in (
        [{"url": "https://a.example/"}],
        [{"url": "https://b.example/"}, {"link": "https://c.example/"}],
    ):
        sources.add("x", json.dumps({"metadata_list": pages}).encode())
    assert [source.url for n in (1, 2) if (source := sources.find_number(n))] == [
        "https://b.example/",
        "https://c.example/",
    ]
    assert sources.find_number(3) is None


def test_two_pages_never_share_a_number() -> None:
    sources = Sources(HeldBytes())
    for part in ("a", "b"):
        page = {"url": f"https://{part}.example/", "index": 1, "match_key": f"turn0{part}0"}
        sources.add(part, json.dumps({"results": [page]}).encode())
    assert [source.number for key in ("turn0a0", "turn0b0") if (source := sources.find_key(key))] == [1, 2]


def test_a_page_without_a_title_is_named_after_its_host() -> None:
    sources = find(
        {"url": "https://a.example/x", "title": " \n"}, {"url": "https://b.example", "title": "B\n b"}
    )
    assert [source.title for n in (1, 2) if (source := sources.find_number(n))] == ["a.example", "B b"]


@pytest.mark.parametrize(
    "document",
    [b"", b"null", b"[1]", b"{", b'{"search_results":7}', b'{"search_results":[7,null,{},{"url":7}]}'],
)
def test_nonsense_gives_no_pages(document: bytes) -> None:
    sources = Sources(HeldBytes())
    sources.add(None, document)
    assert sources.find_number(1) is None
    assert not sources.has_keys
