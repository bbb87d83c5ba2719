"""Guards around every test: the environment is left as it was, and nothing is reached beyond this machine.

And what most tests need: the upstream emulator, and an account of their own on it.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from upstream_emulator.emulator import UpstreamEmulator

# By the clock on the wall an example is late where the machine is busy. What must be quick has tests of its
# own, in CPU time of their thread. All else stays as it was, also what Hypothesis does by itself under CI.
settings.register_profile("busy machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy machine")

_connect = socket.socket.connect
_LONGEST = "test_everything_at_once"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest test first: where several run at a time, nobody waits for it at the end."""
    items.sort(key=lambda item: item.name != _LONGEST)


def _connect_on_this_machine(self: socket.socket, address: Any) -> None:
    is_local = self.family == socket.AF_UNIX or str(address[0]) in {"127.0.0.1", "localhost", "::1"}
    if not is_local:
        raise AssertionError(f"a test reaches out to {address!r}")
    _connect(self, address)


@pytest.fixture
def the_environment_stays() -> Iterator[None]:
    before = dict(os.environ)
    yield
    after = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    before.pop("PYTEST_CURRENT_TEST", None)
    assert after == before


@pytest.fixture(autouse=True)
def guards(the_environment_stays: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment is looked at last, when monkeypatch has undone what it did."""
    monkeypatch.setattr(socket.socket, "connect", _connect_on_this_machine)


@pytest.fixture(scope="session")
def shared_upstream() -> Iterator[UpstreamEmulator]:
    """For tests that need no other pace than none."""
    with UpstreamEmulator(pace=0) as upstream:
        yield upstream


@pytest.fixture
def upstream(shared_upstream: UpstreamEmulator) -> Iterator[UpstreamEmulator]:
    """With a clean record; nothing may be open, and no rule broken, when the test is over."""
    shared_upstream.reset()
    yield shared_upstream
    state = shared_upstream.wait_until(lambda state: state["open_streams"] == 0)
    assert state["violations"] == 0, "an account was asked twice at a time"
    assert state["deleted_while_in_use"] == 0
    assert state["internal_errors"] == 0


@pytest.fixture
def account(request: pytest.FixtureRequest) -> str:
    """A refresh token that no other test uses, so that no cool-down reaches from one into the next."""
    return "demo-" + "".join(c if c.isalnum() else "-" for c in request.node.name)[:80]
