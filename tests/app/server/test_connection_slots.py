"""ConnectionSlots: some stay free, and who is closed for that."""

from __future__ import annotations

import socket

import pytest

from app.server import connection_slots as module
from app.server.connection_slots import ConnectionSlot, ConnectionSlots


class Connection:
    def __init__(self, name: str) -> None:
        self.name = name
        self.shut: list[int] = []

    def shutdown(self, how: int) -> None:
        self.shut.append(how)


class Room:
    """Eight slots of ten for use, and a clock."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slots = ConnectionSlots(10, 2, lambda: self.now)
        self.connections: list[Connection] = []
        self.taken: dict[str, ConnectionSlot] = {}

    def take(self, name: str) -> ConnectionSlot:
        self.now += 2
        connection = Connection(name)
        self.connections.append(connection)
        self.taken[name] = self.slots.take(connection)  # type: ignore[arg-type]
        return self.taken[name]

    def closed(self) -> list[str]:
        return [one.name for one in self.connections if socket.SHUT_RDWR in one.shut]


@pytest.fixture
def room() -> Room:
    return Room()


def test_the_longest_idle_is_closed(room: Room) -> None:
    for name in "abcdefgh":
        room.take(name)
    assert room.closed() == []
    room.take("i")
    assert room.closed() == ["a"]
    room.take("j")
    assert room.closed() == ["a", "b"]


def test_one_that_asked_in_between_is_younger(room: Room) -> None:
    for name in "abcdefgh":
        room.take(name)
    room.taken["a"].work()
    room.taken["a"].wait()
    room.take("i")
    assert room.closed() == ["b"]


def test_one_that_is_answered_is_never_closed(room: Room) -> None:
    for name in "abcdefgh":
        room.take(name).work()
    room.take("i")
    assert room.closed() == []
    room.take("j")
    assert room.closed() == ["i"]


def test_bodies_go_when_nobody_is_idle(room: Room) -> None:
    for name in "abcdefgh":
        room.take(name).send()
    room.take("i")
    assert room.closed() == ["a"]
    room.take("j")
    assert room.closed() == ["a", "i"]


def test_a_connection_that_has_just_come_is_not_idle_yet(room: Room) -> None:
    for name in "abcdefg":
        room.take(name).send()
    room.take("honest")
    room.now -= 1.5
    room.take("i").send()
    assert room.closed() == ["a"]


def test_seats_that_are_left_are_free_again(room: Room) -> None:
    for name in "abcdefgh":
        room.take(name)
    for name in "abcd":
        room.taken[name].leave()
    for name in "ijkl":
        room.take(name)
    assert room.closed() == []
    assert room.slots.taken == 8
    assert "taken=8 waiting=8" in repr(room.slots)


def test_who_is_closed_and_has_not_left_counts_no_more(room: Room) -> None:
    for name in "abcdefghi":
        room.take(name)
    room.taken["a"].wait()
    room.taken["a"].send()
    room.taken["a"].leave()
    assert room.closed() == ["a"]
    assert room.slots.taken == 8


def test_at_a_shutdown_all_that_wait_read_no_more(room: Room) -> None:
    room.take("idle")
    room.take("body").send()
    room.take("answered").work()
    room.slots.close_waiting()
    assert [one.name for one in room.connections if one.shut == [socket.SHUT_RD]] == ["idle"]
    assert room.closed() == []


def test_unfinished_heads_are_bounded_in_sum(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_UNFINISHED_HEAD_BYTES", 300_000)
    for name in "abcd":
        room.take(name).hold_head(8192)
    for count in (50_000, 100_000):
        for name in "abc":
            room.taken[name].hold_head(count)
    assert room.closed() == []
    room.taken["b"].send()
    room.taken["d"].hold_head(100_000)
    assert room.closed() == []
    room.taken["d"].hold_head(100_001)
    assert room.closed() == ["a"]
    room.taken["a"].hold_head(200_000)
    room.taken["a"].leave()
    room.taken["c"].hold_head(199_999)
    assert room.closed() == ["a"]
    room.taken["c"].leave()
    room.taken["d"].hold_head(300_000)
    assert room.closed() == ["a"]
