"""The line of those who wait: who is first for which account, and how many of one caller may stand in it."""

from __future__ import annotations

import pytest

from app.accounts.account import Account, LoginSlot, Pacing
from app.accounts.queue import Queue, Waiter
from app.core.errors import AccountsBusy

A, B = (Account(name, name * 64, LoginSlot(Pacing()), name) for name in "ab")


def join(queue: Queue, *accounts: Account, caller: str = "ann") -> Waiter:
    waiter = Waiter(accounts, caller)
    queue.join(waiter)
    return waiter


def test_the_first_in_line_for_an_account_is_called_and_leaves_the_line() -> None:
    queue = Queue(9)
    first, second, third = join(queue, A), join(queue, A, B), join(queue, B)
    assert queue.call([B]) == (second, B)
    assert queue.call([B, A]) == (first, A)
    assert queue.call([A]) is None
    assert queue.call([A, B]) == (third, B)
    assert len(queue) == 0


def test_who_joins_again_keeps_the_place() -> None:
    queue = Queue(9)
    first = join(queue, A)
    join(queue, A)
    queue.join(first)
    assert (len(queue), queue.count("ann")) == (2, 2)
    assert queue.call([A]) == (first, A)


def test_a_place_counts_those_before_who_want_the_same() -> None:
    queue = Queue(9)
    waiters = [join(queue, A), join(queue, B), join(queue, A, B), join(queue, A)]
    assert [queue.find_place(waiter) for waiter in waiters] == [1, 1, 3, 3]
    queue.leave(waiters[0])
    assert [queue.find_place(waiter) for waiter in waiters[1:]] == [1, 2, 2]


def test_a_place_knows_one_login_behind_two_tokens() -> None:
    queue, login_slot = Queue(9), LoginSlot(Pacing())
    first, second = (Account(name, name * 64, login_slot, name) for name in "cd")
    waiters = [join(queue, first), join(queue, second)]
    assert [queue.find_place(waiter) for waiter in waiters] == [1, 2]


def test_callers_are_counted_and_forgotten() -> None:
    queue = Queue(9)
    assert queue.count("ann") == 0
    waiter, _ = join(queue, A), join(queue, A, caller="bob")
    assert (queue.count("ann"), queue.count("bob"), len(queue)) == (1, 1, 2)
    for _ in range(2):
        queue.leave(waiter)
    assert (queue.count("ann"), queue.count("bob"), len(queue)) == (0, 1, 1)
    assert "ann" not in queue._callers


def test_a_caller_may_have_so_many_in_line_and_no_more() -> None:
    queue = Queue(2)
    for caller in ("ann", "ann", "bob"):
        queue.check(join(queue, A, caller=caller))
    with pytest.raises(AccountsBusy) as raised:
        queue.check(join(queue, A))
    assert raised.value.retry_after_seconds == 10
    assert (queue.count("ann"), len(queue)) == (2, 3)


def test_those_who_wait_for_an_account_are_told_to_look_again() -> None:
    queue = Queue(9)
    mine, others = join(queue, A, B), join(queue, B)
    queue.stir(A)
    assert (mine.turn.is_set(), others.turn.is_set()) == (True, False)
