"""Accounts and conversations under real gunicorn, and a search of all that is left for tokens and keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from demo.gateway import GatewayProcess
from tests.acceptance.accounts import find_leaks
from tests.live.conftest import CLOCKS, check_log
from upstream_emulator.emulator import UpstreamEmulator

# No gateway key and no refresh token, of any kind, may be found in what a gateway leaves on the disk.
SECRETS = (
    "demo-",
    "dead-",
    "glm-key-",
    "eyJhbGci",
)  # what is sealed looks random: three letters may occur in it

StartGateway = Callable[..., GatewayProcess]


@pytest.fixture(scope="session")
def shared_upstream() -> Iterator[UpstreamEmulator]:
    with UpstreamEmulator(pace=2) as upstream:
        yield upstream


@pytest.fixture(scope="session")
def shared_gateway(
    shared_upstream: UpstreamEmulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GatewayProcess]:
    directory = tmp_path_factory.mktemp("accounts")
    with GatewayProcess(shared_upstream.url, directory, **CLOCKS) as gateway:
        yield gateway
    assert find_leaks(directory, SECRETS) == []


@pytest.fixture
def upstream(upstream: UpstreamEmulator) -> Iterator[UpstreamEmulator]:
    """No account may have been refreshed twice at a time."""
    yield upstream
    accounts = upstream.state()["accounts"].items()
    assert [name for name, one in accounts if one["parallel_refreshes"]] == []


@pytest.fixture
def gateway(shared_gateway: GatewayProcess, upstream: UpstreamEmulator) -> Iterator[GatewayProcess]:
    """For tests that need no settings of their own; their accounts are their own by `tokens`."""
    written = len(shared_gateway.log())
    yield shared_gateway
    check_log(shared_gateway, written)


@pytest.fixture
def tokens(request: pytest.FixtureRequest) -> list[str]:
    """Five refresh tokens that no other test uses, so that no cool-down reaches from one into the next."""
    name = "".join(c if c.isalnum() else "-" for c in request.node.name)[:60]
    return [f"demo-{name}-{number}" for number in range(5)]


@pytest.fixture
def start(tmp_path: Path, upstream: UpstreamEmulator) -> Iterator[StartGateway]:
    """Starts gateways that share the test's directory, hence the state file. What they wrote is searched."""
    started: list[GatewayProcess] = []

    def start_one(**settings: str) -> GatewayProcess:
        started.append(GatewayProcess(upstream.url, tmp_path, **(CLOCKS | settings)))
        started[-1].start()
        return started[-1]

    yield start_one
    for gateway in started:
        gateway.kill()  # quick; how a gateway ends properly is tested where it matters
        check_log(gateway, 0)
    kept = {path.name for path in tmp_path.rglob("*tokens.txt")}  # the operator's own file
    assert set(find_leaks(tmp_path, SECRETS)) <= kept
