"""Who is inside, with clients on socket pairs. Runs in gevent's loop, without patching."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import gevent
import pytest

from app.core.errors import ShuttingDown, TooManyStreams
from app.hub import NAME_SECONDS, ClientGone, Shield
from app.server.active_requests import ActiveRequests, Limits, Watches
from tests.clock import Clock

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        yield ours, theirs


@pytest.fixture
def build() -> Iterator[Callable[..., ActiveRequests]]:
    made: list[ActiveRequests] = []

    def build(
        most: int = 2,
        write: float = 60.0,
        drain: float = 60.0,
        file: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> ActiveRequests:
        made.append(ActiveRequests(Limits(most, write, drain, file), clock))
        return made[-1]

    yield build
    for active_requests in made:
        active_requests.close()
        active_requests.close()


def serve(
    active_requests: ActiveRequests, connection: socket.socket, *, shielded: bool = False
) -> gevent.Greenlet:
    """A request that waits for half a minute; its value is what ended it."""

    def wait() -> str:
        client = active_requests.enter(connection)
        try:
            if shielded:
                client.shield()
            gevent.sleep(30)
        except (ShuttingDown, ClientGone) as exc:
            return type(exc).__name__
        finally:
            active_requests.leave(client)
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


def test_replies_are_counted(build: Callable[..., ActiveRequests]) -> None:
    active_requests = build(most=2)
    active_requests.begin_reply()
    active_requests.begin_reply()
    with pytest.raises(TooManyStreams):
        active_requests.begin_reply()
    assert active_requests.open_replies == 2
    active_requests.end_reply()
    active_requests.begin_reply()
    assert repr(active_requests) == "<ActiveRequests clients=0 replies=2 stopping=False>"


def test_nothing_begins_while_stopping(build: Callable[..., ActiveRequests]) -> None:
    active_requests = build()
    active_requests.stop()
    active_requests.stop()
    assert not active_requests.ready
    with pytest.raises(ShuttingDown):
        active_requests.begin_reply()
    assert active_requests.open_replies == 0


def test_readiness_follows_the_drain_file(build: Callable[..., ActiveRequests], tmp_path: Path) -> None:
    file = tmp_path / "drain"
    active_requests = build(file=str(file))
    answers = [active_requests.ready]
    file.touch()
    answers.append(active_requests.ready)
    assert answers == [True, False]
    active_requests.check()


def test_whoever_is_inside_at_the_end_is_told(build: Callable[..., ActiveRequests], pair: Pair) -> None:
    active_requests = build(drain=1.0)
    waiting = serve(active_requests, pair[0])
    active_requests.stop()
    gevent.sleep(0.05)
    assert not waiting.ready()
    waiting.join(10)
    assert waiting.value == "ShuttingDown"
    assert repr(active_requests) == "<ActiveRequests clients=0 replies=0 stopping=True>"


def test_who_comes_in_late_is_told_as_well(build: Callable[..., ActiveRequests], pair: Pair) -> None:
    active_requests = build(drain=0.0)
    active_requests.stop()
    gevent.sleep(0.05)
    late = serve(active_requests, pair[0])
    late.join(10)
    assert late.value == "ShuttingDown"


def test_a_client_that_does_not_read_is_not_told_but_dropped(
    build: Callable[..., ActiveRequests], pair: Pair
) -> None:
    active_requests = build(drain=0.0)
    waiting = serve(active_requests, pair[0])
    fill(pair[0])
    active_requests.stop()
    waiting.join(10)
    assert waiting.value == "ClientGone"


def test_giving_back_is_not_interrupted(build: Callable[..., ActiveRequests], pair: Pair) -> None:
    active_requests = build(drain=0.0, write=0.1)
    giving_back = serve(active_requests, pair[0], shielded=True)
    fill(pair[0])
    active_requests.stop()
    gevent.sleep(0.8)
    assert not giving_back.ready()
    giving_back.kill()


@pytest.mark.parametrize("is_stuck", [True, False])
def test_naming_what_the_upstream_began_comes_before_a_shutdown(
    build: Callable[..., ActiveRequests], pair: Pair, *, is_stuck: bool
) -> None:
    """Else the conversation would be left there for ever."""
    active_requests = build(drain=0.0, write=0.04)
    heard: list[str] = []

    def ask() -> None:
        client = active_requests.enter(pair[0])
        try:
            with Shield(NAME_SECONDS):
                gevent.sleep(0.2)
                heard.append("named")
            gevent.sleep(30)
        except (ShuttingDown, ClientGone) as exc:
            heard.append(type(exc).__name__)
        finally:
            active_requests.leave(client)

    if is_stuck:
        fill(pair[0])
    asking = gevent.spawn(ask)
    gevent.sleep(0)
    if not is_stuck:
        active_requests.stop()
    asking.join(20)
    assert heard == ["named", "ClientGone" if is_stuck else "ShuttingDown"]


def test_who_has_left_is_not_shielded_any_more(build: Callable[..., ActiveRequests], pair: Pair) -> None:
    """The greenlet of a connection goes on with its next request."""
    active_requests = build(drain=0.0)
    heard: list[str] = []

    def serve_two() -> None:
        client = active_requests.enter(pair[0])
        client.shield()
        active_requests.leave(client)
        client = active_requests.enter(pair[0])
        try:
            gevent.sleep(30)
        except ShuttingDown:
            heard.append("told")
        finally:
            active_requests.leave(client)

    serving = gevent.spawn(serve_two)
    gevent.sleep(0)
    active_requests.stop()
    serving.join(10)
    assert heard == ["told"]


def test_a_standstill_is_given_up(build: Callable[..., ActiveRequests], pair: Pair) -> None:
    active_requests = build(write=0.2)
    stuck = serve(active_requests, pair[0])
    other, _theirs = socket.socketpair()
    with other, _theirs:
        patient = serve(active_requests, other)
        fill(pair[0])
        stuck.join(10)
        assert stuck.value == "ClientGone"
        assert not patient.ready()
        patient.kill()


def test_a_reader_that_goes_on_is_kept(build: Callable[..., ActiveRequests]) -> None:
    """Its buffer is full at every look, but not with the same bytes. The clock goes as its bytes do."""
    clock = Clock()
    active_requests = build(write=0.2, clock=clock)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        theirs = socket.create_connection(listener.getsockname())
        ours, _ = listener.accept()
    with ours, theirs:
        ours.setblocking(False)
        slow = serve(active_requests, ours)
        for _ in range(8):
            fill(ours)
            clock.now += 0.1
            gevent.sleep(0.1)
            theirs.recv(1_000_000)
        assert not slow.ready()
        fill(ours)
        while not slow.ready():
            clock.now += 0.1
            gevent.sleep(0.05)
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
