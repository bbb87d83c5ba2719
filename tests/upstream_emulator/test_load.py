"""The `chunks` scenario: as many frames as asked for, of the size and at the pace asked for."""

from __future__ import annotations

import itertools
import re
import time

import pytest

from tests.upstream_emulator.client import Client, Reply

STAMP = re.compile(r"⟦(\d+):(\d+)⟧")


def growing(reply: Reply) -> list[str]:
    parts = [part for frame in reply.frames for part in frame["parts"] if part["status"] == "init"]
    return [part["content"][0]["text"] for part in parts]


def test_deltas(client: Client) -> None:
    reply = client.chat("[[chunks n=100 size=30]]")
    pieces = growing(reply)
    assert len(pieces) == 100
    assert {len(piece.encode()) for piece in pieces} == {30}
    assert len(set(pieces)) > 30
    assert reply.text == "".join(pieces)
    assert [frame["status"] for frame in reply.frames[-3:]] == ["init", "init", "finish"]


def test_snapshots_grow(client: Client) -> None:
    reply = client.chat("[[chunks n=50 size=12 style=snapshot]]")
    texts = growing(reply)
    assert [len(text.encode()) for text in texts] == [12 * count for count in range(1, 51)]
    assert all(longer.startswith(text) for text, longer in itertools.pairwise(texts))
    assert reply.text == texts[-1]


@pytest.mark.parametrize("style", ["snapshot", "delta", "mixed"])
def test_the_frames_are_like_any_other(client: Client, style: str) -> None:
    rendered = client.chat(f"[[chunks n=1 style={style}]]").frames
    built = client.chat(f"[[no-part-finish style={style}]]").frames
    shape = [(list(frame), list(frame["parts"][0])) for frame in (rendered[1], built[1])]
    assert shape[0] == shape[1]
    assert rendered[1]["parts"][0]["content"][0].keys() == built[1]["parts"][0]["content"][0].keys()


@pytest.mark.parametrize("size", [0, 1, 3, 10_000, 1_000_000])
def test_any_size(client: Client, size: int) -> None:
    (piece,) = growing(client.chat(f"[[chunks n=1 size={size}]]"))
    assert len(piece.encode()) == max(size // 3 * 3, 3)


@pytest.mark.parametrize("style", ["snapshot", "delta"])
def test_stamps_tell_number_and_time(client: Client, style: str) -> None:
    begun = time.monotonic_ns() // 1000
    reply = client.chat(f"[[chunks n=12 pace=2 size=40 stamp=1 style={style}]]")
    ended = time.monotonic_ns() // 1000
    stamps = [(int(number), int(moment)) for number, moment in STAMP.findall(reply.text)]
    assert [number for number, _ in stamps] == list(range(12))
    moments = [moment for _, moment in stamps]
    assert begun < moments[0] < moments[-1] < ended
    assert moments == sorted(moments)
    assert all(text.startswith("⟦") for text in growing(reply))


def test_the_schedule_is_absolute(client: Client) -> None:
    """No frame is early, and the lateness of one is not added to the next: the last is due after n paces.

    The quickest of some counts, since the machine may be busy with something else.
    """
    taken = []
    for _ in range(5):
        begun = time.monotonic_ns() // 1000
        reply = client.chat("[[chunks n=40 pace=5 stamp=1]]")
        moments = [int(moment) for _, moment in STAMP.findall(reply.text)]
        assert all(moment - begun >= 5000 * (number + 1) for number, moment in enumerate(moments))
        taken.append(moments[-1] - begun)
    assert min(taken) < 5000 * 40 + 250_000


@pytest.mark.parametrize("keys", ["n=0", "n=-1 pace=x", "n=0 size=nan"])
def test_nonsense_is_as_good_as_nothing(client: Client, keys: str) -> None:
    reply = client.chat(f"[[chunks {keys}]]")
    assert reply.is_whole
    assert len(reply.frames) == 3 if "n=0" in keys else 63
