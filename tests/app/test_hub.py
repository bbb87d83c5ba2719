"""Waiting for sockets, and noticing clients that hang up. Runs in gevent's loop, without patching."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest

from app import hub
from app.hub import ClientGone, ClientWatch, Deadline, Lookups, Readiness, is_readable, loop
from tests.eventually import eventually

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_data_ends_the_wait(pair: Pair) -> None:
    ours, theirs = pair
    readiness = Readiness(ours.fileno())
    gevent.spawn_later(0.01, theirs.send, b"x")
    assert readiness.wait(5.0)
    readiness.close()


def test_silence_ends_the_wait(pair: Pair) -> None:
    readiness = Readiness(pair[0].fileno())
    assert not readiness.wait(0.01)
    assert not readiness.wait(0.02)
    readiness.close()


def test_every_wait_has_its_full_time(pair: Pair) -> None:
    """Together these waits are longer than one of them may be."""
    ours, theirs = pair
    readiness = Readiness(ours.fileno())
    for _ in range(12):
        gevent.spawn_later(0.2, theirs.send, b"x")
        assert readiness.wait(2.0)
        ours.recv(1)
    readiness.close()


def test_the_end_of_the_peer_can_be_read(pair: Pair) -> None:
    ours, theirs = pair
    assert not is_readable(ours.fileno())
    theirs.close()
    assert is_readable(ours.fileno())


def watch(client: socket.socket, outcomes: list[str]) -> None:
    watch = ClientWatch(client)
    try:
        gevent.sleep(30)
        outcomes.append("finished")
    except ClientGone:
        outcomes.append("gone")
    finally:
        watch.close()


def test_a_client_that_hangs_up_interrupts_its_request(pair: Pair) -> None:
    ours, theirs = pair
    outcomes: list[str] = []
    request = gevent.spawn(watch, ours, outcomes)
    gevent.sleep(0.01)
    theirs.close()
    request.join(10)
    assert outcomes == ["gone"]


def test_a_client_that_pipelines_is_still_there(pair: Pair) -> None:
    ours, theirs = pair
    outcomes: list[str] = []
    request = gevent.spawn(watch, ours, outcomes)
    gevent.sleep(0.01)
    theirs.send(b"the next request")
    gevent.sleep(0.1)
    assert outcomes == []
    theirs.close()
    request.join(10)
    assert outcomes == ["gone"]
    assert ours.recv(100) == b"the next request"


def test_a_closed_watch_is_silent(pair: Pair) -> None:
    ours, theirs = pair
    client_watch = ClientWatch(ours)
    client_watch.close()
    client_watch.close()
    theirs.close()
    gevent.sleep(0.02)


def test_a_deadline_raises_its_error() -> None:
    with pytest.raises(ValueError, match="late"), Deadline(0.01, ValueError("late")):
        gevent.sleep(5)


def test_a_deadline_that_is_met_leaves_nothing_behind() -> None:
    with Deadline(0.02, ValueError("late")):
        pass
    gevent.sleep(0.03)


def test_the_nearer_of_two_deadlines_counts() -> None:
    with pytest.raises(ValueError, match="inner"), Deadline(5, KeyError("outer")):  # noqa: SIM117
        with Deadline(0.01, ValueError("inner")):
            gevent.sleep(5)


def test_other_greenlets_run_during_a_wait(pair: Pair) -> None:
    ran: list[int] = []
    readiness = Readiness(pair[0].fileno())
    gevent.spawn(ran.append, 1)
    assert not readiness.wait(0.02)
    assert ran == [1]
    readiness.close()


def test_many_wait_at_once() -> None:
    pairs = [socket.socketpair() for _ in range(50)]

    def wait(number: int) -> bool:
        readiness = Readiness(pairs[number][0].fileno())
        try:
            return readiness.wait(5.0)
        finally:
            readiness.close()

    waiting = [gevent.spawn(wait, number) for number in range(50)]
    gevent.sleep(0)
    for _, theirs in reversed(pairs):
        theirs.send(b"x")
    gevent.joinall(waiting, timeout=5)
    assert [greenlet.value for greenlet in waiting] == [True] * 50
    for ours, theirs in pairs:
        ours.close()
        theirs.close()


def test_an_interrupted_wait_can_be_repeated(pair: Pair) -> None:
    ours, theirs = pair
    readiness = Readiness(ours.fileno())
    for _ in range(3):
        with pytest.raises(ValueError, match="late"), Deadline(0.01, ValueError("late")):
            readiness.wait(5.0)
    theirs.send(b"x")
    assert readiness.wait(5.0)
    ours.recv(1)
    assert not readiness.wait(0.01)
    readiness.close()
    readiness.close()


def test_a_client_that_is_gone_already_is_noticed(pair: Pair) -> None:
    ours, theirs = pair
    theirs.close()
    outcomes: list[str] = []
    gevent.spawn(watch, ours, outcomes).join(10)
    assert outcomes == ["gone"]


def test_only_the_request_of_that_client_is_interrupted(pair: Pair) -> None:
    ours, theirs = pair
    mine: list[str] = []
    others: list[str] = []
    with socket.socket() as quiet, socket.create_server(("127.0.0.1", 0)) as listener:
        quiet.connect(listener.getsockname())
        accepted, _ = listener.accept()
        with accepted:
            requests = [gevent.spawn(watch, ours, mine), gevent.spawn(watch, accepted, others)]
            gevent.sleep(0)
            theirs.close()
            requests[0].join(10)
            assert (mine, others) == (["gone"], [])
            quiet.close()
            requests[1].join(10)
            assert others == ["gone"]


def test_no_handler_of_errors_mistakes_it_for_one() -> None:
    assert not issubclass(ClientGone, Exception)
    assert issubclass(ClientGone, gevent.GreenletExit)


def test_a_name_is_looked_up_once_per_address() -> None:
    assert Lookups(2).find("127.0.0.1", 80) == [("127.0.0.1", 80)]
    found = Lookups(2).find("localhost", 80)
    assert ("127.0.0.1", 80) in found
    assert len(found) == len(set(found))


def test_a_lookup_that_hangs_is_left_and_a_failure_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    lookups, answered = Lookups(1), threading.Event()
    monkeypatch.setattr(loop, "_getaddrinfo", lambda *_: answered.wait(5))
    with pytest.raises(TimeoutError), Deadline(0.05, TimeoutError()):
        lookups.find("slow.example", 80)
    answered.set()

    def fail(*_: object) -> None:
        raise OSError("unknown")

    monkeypatch.setattr(loop, "_getaddrinfo", fail)
    with pytest.raises(OSError, match="unknown"):
        lookups.find("unknown.example", 80)


def test_giving_way_lets_others_run() -> None:
    turns: list[int] = []
    gevent.spawn(turns.append, 1)
    hub.cooperate()
    assert turns == [1]


def test_a_thread_gives_its_loop_back_and_the_main_one_is_kept() -> None:
    def wait() -> None:
        hub.cooperate()
        hub.close_thread_loop()

    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        thread = threading.Thread(target=wait)
        thread.start()
        thread.join()
    eventually(lambda: len(list(Path("/proc/self/fd").iterdir())) <= before + 2)
    hub.close_thread_loop()
    hub.cooperate()


def test_giving_way_lets_sockets_and_clocks_in(pair: Pair) -> None:
    """At once, not when the loop has come round to looking at them."""
    seen: list[str] = []
    readiness = Readiness(pair[0].fileno())
    waiting = gevent.spawn(lambda: seen.append("socket" if readiness.wait(5.0) else ""))
    hub.cooperate()
    pair[1].send(b"x")
    gevent.spawn_later(0.0, seen.append, "clock")
    for _ in range(2):
        hub.cooperate()
    assert sorted(seen) == ["clock", "socket"]
    waiting.join()
    readiness.close()
