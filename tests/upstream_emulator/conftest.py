"""One upstream emulator for all tests of the upstream emulator, as new for each of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.upstream_emulator.client import Client
from upstream_emulator.emulator import UpstreamEmulator


@pytest.fixture
def upstream(shared_upstream: UpstreamEmulator) -> Iterator[UpstreamEmulator]:
    """Reset before the test; after it nothing may be open and nothing may have gone wrong inside."""
    shared_upstream.reset()
    yield shared_upstream
    state = shared_upstream.wait_until(lambda state: not state["open_streams"])
    assert state["internal_errors"] == 0


@pytest.fixture
def client(upstream: UpstreamEmulator) -> Iterator[Client]:
    """A client logged in as the account `ann`."""
    with Client(upstream.url).logged_in("demo-ann") as client:
        yield client
