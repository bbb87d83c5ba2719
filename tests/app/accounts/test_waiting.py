"""Nobody sleeps past the moment at which an account of theirs comes back."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from app.accounts.account import Pacing
from app.accounts.lease import Lease
from app.accounts.login import Logins
from app.accounts.pool import AccountPool
from app.core.errors import Outcome, UpstreamUnreachable
from app.state import MEMORY, open_state


def make_pool(pacing: Pacing = Pacing()) -> AccountPool:  # noqa: B008 - frozen
    return AccountPool(Logins(open_state(MEMORY)), pacing=pacing)


def measure_wait(
    pool: AccountPool, lease: Lease, outcome: Outcome, error: UpstreamUnreachable | None
) -> float:
    """Somebody waits for the leased account, which is then released: how long until they have it."""
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(pool.acquire, [lease.account], wait_seconds=20)
        while "waiting=1" not in repr(pool):
            time.sleep(0.001)
        begun = time.monotonic()
        lease.release(outcome, error)
        waiting.result().release(Outcome.OK)
    return time.monotonic() - begun


def test_after_a_short_cool_down() -> None:
    """The one in line began to wait when nobody could know of the cool-down."""
    pool = make_pool()
    lease = pool.acquire(pool.get_or_add(["a"]), wait_seconds=0)
    assert 0.2 <= measure_wait(pool, lease, Outcome.UNREACHABLE, UpstreamUnreachable("away")) < 8


def test_after_the_least_interval() -> None:
    pool = make_pool(Pacing(0.2))
    lease = pool.acquire(pool.get_or_add(["a"]), wait_seconds=0)
    assert 0.2 <= measure_wait(pool, lease, Outcome.OK, None) < 8


def test_after_a_cool_down_of_one_of_several() -> None:
    """The other account stays busy: the one that comes back is taken."""
    pool = make_pool()
    one, two = pool.get_or_add(["a", "b"])
    other = pool.acquire([two], wait_seconds=0)
    lease = pool.acquire([one], wait_seconds=0)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(pool.acquire, [one, two], wait_seconds=20)
        while "waiting=1" not in repr(pool):
            time.sleep(0.001)
        begun = time.monotonic()
        lease.release(Outcome.UNREACHABLE, UpstreamUnreachable("away"))
        back = waiting.result()
    assert back.account is one
    back.release(Outcome.OK)
    assert time.monotonic() - begun < 8
    other.release(Outcome.OK)
