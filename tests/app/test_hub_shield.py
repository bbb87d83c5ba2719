"""What is thrown into a request while it is shielded. Runs in gevent's loop, without patching."""

from __future__ import annotations

import socket
from typing import Any

import gevent
import pytest
from gevent.event import Event

from app.core.errors import ShuttingDown
from app.hub import ClientGone, ClientWatch, Shield, cancellation, interrupt


def name(
    heard: list[str], is_named: Event, *, fails: bool = False, shield_seconds: float | None = 20.0
) -> None:
    """A request that begins something, shielded until that is named, and goes on."""
    try:
        with Shield(shield_seconds):
            is_named.wait()
            heard.append("named")
            if fails:
                raise LookupError
        heard.append("goes on")
        gevent.sleep(30)
    except (ClientGone, ShuttingDown) as exc:
        heard.append(type(exc).__name__)


def throw(request: gevent.Greenlet, error: BaseException) -> None:
    gevent.get_hub().loop.run_callback(interrupt, request, error)
    gevent.sleep(0.01)


def run_named(*errors: BaseException, takes: float, **work: Any) -> list[str]:
    """What is heard where `errors` are thrown one after the other while the name is waited for, which `takes`
    seconds more.
    """
    heard: list[str] = []
    is_named = Event()
    request = gevent.spawn(name, heard, is_named, **work)
    gevent.sleep(0)
    for error in errors:
        throw(request, error)
    gevent.spawn_later(takes, is_named.set)
    request.join(10)
    assert cancellation._shields == {}
    return heard


@pytest.mark.parametrize("error", [ClientGone(), ShuttingDown("The gateway stops.")])
def test_what_is_shielded_is_finished_first(error: BaseException) -> None:
    assert run_named(error, takes=0.05) == ["named", type(error).__name__]


@pytest.mark.parametrize("error", [ClientGone(), ShuttingDown("The gateway stops.")])
def test_a_shield_holds_for_its_seconds_and_no_longer(error: BaseException) -> None:
    assert run_named(error, takes=60.0, shield_seconds=0.2) == [type(error).__name__]


def test_after_the_end_of_a_shield_nothing_is_thrown() -> None:
    error, shield = ClientGone(), Shield(0.05)
    shield.begin()
    shield.put_off(error)
    assert shield.end() is error
    gevent.sleep(0.1)  # longer than it would have held


def test_a_shield_without_seconds_holds_for_as_long_as_it_takes() -> None:
    assert run_named(ClientGone(), takes=0.8, shield_seconds=None) == ["named", "ClientGone"]


def test_who_is_gone_stays_gone_also_where_the_work_fails() -> None:
    assert run_named(ClientGone(), takes=0.05, fails=True) == ["named", "ClientGone"]


def test_the_first_who_throws_is_heard() -> None:
    assert run_named(ClientGone(), ShuttingDown("stop"), takes=0.05) == ["named", "ClientGone"]


def test_who_is_shielded_and_not_thrown_at_goes_on() -> None:
    heard: list[str] = []
    is_named = Event()
    is_named.set()
    request = gevent.spawn(name, heard, is_named)
    gevent.sleep(0.02)
    assert heard == ["named", "goes on"]
    throw(request, ClientGone())
    request.join(10)
    assert heard[2:] == ["ClientGone"]


def test_at_the_end_of_an_inner_shield_the_outer_one_holds() -> None:
    heard: list[str] = []

    def work() -> None:
        try:
            with Shield():
                with Shield(0.05):
                    gevent.sleep(0.02)
                heard.append("inner")
                with Shield(0.01):
                    gevent.sleep(0.1)
                heard.append("outer")
        except ClientGone:
            heard.append("gone")

    request = gevent.spawn(work)
    gevent.sleep(0)
    throw(request, ClientGone())
    request.join(10)
    assert heard == ["inner", "outer", "gone"]


def test_the_seconds_of_a_shield_do_not_break_another_one_inside() -> None:
    heard: list[str] = []

    def work() -> None:
        try:
            with Shield(0.02):
                gevent.sleep(0.01)
                with Shield():
                    gevent.sleep(1)
                    heard.append("inner")
                heard.append("not heard")
        except ClientGone:
            heard.append("gone")

    request = gevent.spawn(work)
    gevent.sleep(0)
    throw(request, ClientGone())
    request.join(10)
    assert heard == ["inner", "gone"]


def test_a_client_that_hangs_up_waits_for_the_shield() -> None:
    ours, theirs = socket.socketpair()
    heard: list[str] = []
    is_named = Event()

    def serve() -> None:
        watch = ClientWatch(ours)
        try:
            name(heard, is_named, shield_seconds=20)
        finally:
            watch.close()

    request = gevent.spawn(serve)
    gevent.sleep(0.01)
    theirs.close()
    gevent.spawn_later(0.05, is_named.set)
    request.join(10)
    ours.close()
    assert heard == ["named", "ClientGone"]
