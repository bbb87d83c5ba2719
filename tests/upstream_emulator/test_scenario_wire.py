"""How bytes arrive: split, with other line ends, twice, in one big line, late, at a pace (4.1)."""

from __future__ import annotations

import time

import pytest

from tests.upstream_emulator.client import STREAM, Client, chat_body, fold
from upstream_emulator.content import GREETING, THOUGHT

HELLO = "".join(GREETING)


@pytest.mark.parametrize("style", ["snapshot", "delta", "mixed"])
@pytest.mark.parametrize("name", ["utf8split", "bytes", "crlf", "comments", "bom", "duplicate", "think"])
def test_odd_bytes_say_the_same(client: Client, name: str, style: str) -> None:
    folded = fold(client.chat(f"[[{name} style={style}]]").frames)
    assert (folded["think"], folded["text"]) == ("".join(THOUGHT), HELLO)


def test_characters_are_split_between_http_chunks(client: Client) -> None:
    broken = 0
    for piece in client.chat("[[utf8split]]").pieces:
        try:
            piece.decode()
        except UnicodeDecodeError:
            broken += 1
    assert broken > 4


def test_one_byte_at_a_time(client: Client) -> None:
    assert {len(piece) for piece in client.chat("[[bytes]]").pieces} == {1}


def test_line_ends(client: Client) -> None:
    crlf = client.chat("[[crlf]]")
    assert crlf.body.count(b"\r\n") == crlf.body.count(b"\n") > 10
    assert crlf.pieces[0].endswith(b"\r")
    assert crlf.pieces[1] == b"\n"
    assert b"\n" not in client.chat("[[crlf end=cr]]").body


def test_comments_and_a_byte_order_mark(client: Client) -> None:
    body = client.chat("[[comments]]").body
    assert body.startswith(b": welcome\n\n")
    assert b"\n: inside\nid: 0\nretry: 1000\ndata: {" in body
    assert client.chat("[[bom]]").pieces[0] == b"\xef\xbb\xbf"


def test_duplicates(client: Client) -> None:
    snapshots = client.chat("[[duplicate style=snapshot]]").frames
    assert snapshots[0::2] == snapshots[1::2]
    deltas = client.chat("[[duplicate]]").frames
    growing = [frame for frame in deltas if frame["parts"] and frame["parts"][0]["status"] == "init"]
    assert len(growing) == len(THOUGHT) + len(GREETING)
    everything = client.chat("[[duplicate all=1]]").frames
    assert everything[0::2] == everything[1::2]


def test_a_big_line(client: Client) -> None:
    reply = client.chat("[[bigline]]")
    lines = reply.body.split(b"\n")
    assert 2_000_000 <= max(map(len, lines)) < 2_001_000
    assert len(reply.text.encode()) == 1_999_998
    assert len(client.chat("[[bigline size=3000]]").text) == 1000


@pytest.mark.parametrize("keys", ["slowstart delay=1000", "text delay=1000", "text head=1000"])
def test_a_slow_start(client: Client, keys: str) -> None:
    """A head that does not wait comes within the second: once of five times at the least."""
    heads = []
    for _ in range(5):
        begun = time.monotonic()
        client.send("POST", STREAM, chat_body(f"[[{keys}]]"))
        reply = client.read_head()
        heads.append(time.monotonic() - begun)
        reply.pieces = list(client.read_pieces(reply))
        assert time.monotonic() - begun >= 1
        assert reply.text == HELLO
        if "head" in keys or min(heads) < 1:
            break
    assert (min(heads) >= 1) is ("head" in keys)


def test_the_pace_is_kept(client: Client) -> None:
    begun = time.monotonic()
    count = len(client.chat("[[text pace=5]]").frames)
    assert time.monotonic() - begun >= 0.005 * (count - 1)
