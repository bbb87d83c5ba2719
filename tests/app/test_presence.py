"""Who is inside, with clients on socket pairs. Runs in gevent's loop, without patching."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import gevent
import pytest

from app.errors import ShuttingDown, TooManyStreams
from app.hub import NAME_SECONDS, ClientGone, Shield
from app.presence import Limits, Presence, Watches

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        yield ours, theirs


@pytest.fixture
def build() -> Iterator[Callable[..., Presence]]:
    made: list[Presence] = []

    def build(most: int = 2, write: float = 60.0, drain: float = 60.0, file: str | None = None) -> Presence:
        made.append(Presence(Limits(most, write, drain, file)))
        return made[-1]

    yield build
    for presence in made:
        presence.close()
        presence.close()


def serve(presence: Presence, connection: socket.socket, *, shielded: bool = False) -> gevent.Greenlet:
    """A request that waits for three seconds; its value is what ended it."""

    def wait() -> str:
        client = presence.enter(connection)
        try:
            if shielded:
                client.shield()
            gevent.sleep(3)
        except (ShuttingDown, ClientGone) as exc:
            return type(exc).__name__
        finally:
            presence.leave(client)
        return "finished"

    greenlet = gevent.spawn(wait)
    gevent.sleep(0)
    return greenlet


def fill(connection: socket.socket) -> None:
    try:
        while True:
            connection.send(bytes(65536))
    except BlockingIOError:
        pass


def test_replies_are_counted(build: Callable[..., Presence]) -> None:
    presence = build(most=2)
    presence.begin_reply()
    presence.begin_reply()
    with pytest.raises(TooManyStreams):
        presence.begin_reply()
    assert presence.open_replies == 2
    presence.end_reply()
    presence.begin_reply()
    assert repr(presence) == "<Presence clients=0 replies=2 stopping=False>"


def test_nothing_begins_while_stopping(build: Callable[..., Presence]) -> None:
    presence = build()
    presence.stop()
    presence.stop()
    assert not presence.ready
    with pytest.raises(ShuttingDown):
        presence.begin_reply()
    assert presence.open_replies == 0


def test_readiness_follows_the_drain_file(build: Callable[..., Presence], tmp_path: Path) -> None:
    file = tmp_path / "drain"
    presence = build(file=str(file))
    answers = [presence.ready]
    file.touch()
    answers.append(presence.ready)
    assert answers == [True, False]
    presence.check()


def test_whoever_is_inside_at_the_end_is_told(build: Callable[..., Presence], pair: Pair) -> None:
    presence = build(drain=0.1)
    waiting = serve(presence, pair[0])
    presence.stop()
    gevent.sleep(0.05)
    assert not waiting.ready()
    waiting.join(1)
    assert waiting.value == "ShuttingDown"
    assert repr(presence) == "<Presence clients=0 replies=0 stopping=True>"


def test_who_comes_in_late_is_told_as_well(build: Callable[..., Presence], pair: Pair) -> None:
    presence = build(drain=0.0)
    presence.stop()
    gevent.sleep(0.05)
    late = serve(presence, pair[0])
    late.join(1)
    assert late.value == "ShuttingDown"


def test_a_client_that_does_not_read_is_not_told_but_dropped(
    build: Callable[..., Presence], pair: Pair
) -> None:
    presence = build(drain=0.0)
    waiting = serve(presence, pair[0])
    fill(pair[0])
    presence.stop()
    waiting.join(1)
    assert waiting.value == "ClientGone"


def test_giving_back_is_not_interrupted(build: Callable[..., Presence], pair: Pair) -> None:
    presence = build(drain=0.0, write=0.1)
    giving_back = serve(presence, pair[0], shielded=True)
    fill(pair[0])
    presence.stop()
    gevent.sleep(0.8)
    assert not giving_back.ready()
    giving_back.kill()


@pytest.mark.parametrize("is_stuck", [True, False])
def test_naming_what_the_upstream_began_comes_before_a_shutdown(
    build: Callable[..., Presence], pair: Pair, *, is_stuck: bool
) -> None:
    """Else the conversation would be left there for ever."""
    presence = build(drain=0.0, write=0.04)
    heard: list[str] = []

    def ask() -> None:
        client = presence.enter(pair[0])
        try:
            with Shield(NAME_SECONDS):
                gevent.sleep(0.2)
                heard.append("named")
            gevent.sleep(3)
        except (ShuttingDown, ClientGone) as exc:
            heard.append(type(exc).__name__)
        finally:
            presence.leave(client)

    if is_stuck:
        fill(pair[0])
    asking = gevent.spawn(ask)
    gevent.sleep(0)
    if not is_stuck:
        presence.stop()
    asking.join(2)
    assert heard == ["named", "ClientGone" if is_stuck else "ShuttingDown"]


def test_who_has_left_is_not_shielded_any_more(build: Callable[..., Presence], pair: Pair) -> None:
    """The greenlet of a connection goes on with its next request."""
    presence = build(drain=0.0)
    heard: list[str] = []

    def serve_two() -> None:
        client = presence.enter(pair[0])
        client.shield()
        presence.leave(client)
        client = presence.enter(pair[0])
        try:
            gevent.sleep(3)
        except ShuttingDown:
            heard.append("told")
        finally:
            presence.leave(client)

    serving = gevent.spawn(serve_two)
    gevent.sleep(0)
    presence.stop()
    serving.join(1)
    assert heard == ["told"]


def test_a_standstill_is_given_up(build: Callable[..., Presence], pair: Pair) -> None:
    presence = build(write=0.2)
    stuck = serve(presence, pair[0])
    other, _theirs = socket.socketpair()
    with other, _theirs:
        patient = serve(presence, other)
        fill(pair[0])
        stuck.join(1)
        assert stuck.value == "ClientGone"
        assert not patient.ready()
        patient.kill()


def test_a_reader_that_goes_on_is_kept(build: Callable[..., Presence]) -> None:
    """Its buffer is full at every look, but not with the same bytes."""
    presence = build(write=0.2)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        theirs = socket.create_connection(listener.getsockname())
        ours, _ = listener.accept()
    with ours, theirs:
        ours.setblocking(False)
        slow = serve(presence, ours)
        for _ in range(8):
            fill(ours)
            gevent.sleep(0.1)
            theirs.recv(1_000_000)
        assert not slow.ready()
        fill(ours)
        slow.join(1)
        assert slow.value == "ClientGone"


def test_one_watch_too_many_ends_the_oldest() -> None:
    watches = Watches(2, replaces_oldest=True)
    first, second = watches.enter(), watches.enter()
    third = watches.enter()
    assert [ended.is_set() for ended in (first, second, third)] == [True, False, False]
    watches.leave(first)
    watches.leave(second)
    fourth = watches.enter()
    assert not third.is_set()
    watches.enter()
    assert [ended.is_set() for ended in (third, fourth)] == [True, False]
    assert repr(watches) == "<Watches open=2>"


def test_where_callers_are_known_none_ends_anothers_watch() -> None:
    watches = Watches(2, replaces_oldest=False)
    first, second = watches.enter(), watches.enter()
    with pytest.raises(TooManyStreams) as raised:
        watches.enter()
    assert raised.value.retry_after_seconds
    watches.leave(first)
    watches.leave(first)
    watches.enter()
    assert not second.is_set()
