"""Guards around every test: the environment is left as it was, and nothing is reached beyond this machine."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest

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
