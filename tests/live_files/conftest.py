"""A gateway that may fetch from this machine, a web server to fetch from, and a look at what is left."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.gateway import GatewayProcess
from tests.file_server import FileServer
from tests.live.conftest import CLOCKS, check_leases, check_log, client  # noqa: F401 - a fixture
from upstream_emulator.emulator import UpstreamEmulator

MEBIBYTE = 1024 * 1024
SETTINGS = CLOCKS | {
    "GLM_FILES_ALLOW_PRIVATE": "1",
    "GLM_FILES_TIMEOUT_SECONDS": "5",
    "GLM_FILES_MAX_BYTES": str(MEBIBYTE),
    "GLM_FILES_MAX_COUNT": "4",
}
# No clock ends a request before its client is missed.
PATIENCE = {
    "GLM_FILES_TIMEOUT_SECONDS": "60",
    "GLM_FIRST_EVENT_SECONDS": "60",
    "GLM_START_SECONDS": "60",
}
NOTICED_SECONDS = 10.0


@pytest.fixture(scope="session")
def web() -> Iterator[FileServer]:
    with FileServer() as server:
        yield server


@pytest.fixture
def pages(web: FileServer) -> FileServer:
    """The web server without the pages of other tests."""
    web.pages.clear()
    web.requests.clear()
    return web


@pytest.fixture(scope="session")
def shared_gateway(
    shared_upstream: UpstreamEmulator, web: FileServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GatewayProcess]:
    directory = tmp_path_factory.mktemp("files")
    ports = {"GLM_FILES_PORTS": f"80,443,{web.port}"}
    with GatewayProcess(shared_upstream.url, directory, **(SETTINGS | ports)) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def patient_gateway(
    shared_upstream: UpstreamEmulator, web: FileServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GatewayProcess]:
    """For tests of clients that leave, in the place of the shared one."""
    settings = SETTINGS | PATIENCE | {"GLM_FILES_PORTS": f"80,443,{web.port}"}
    with GatewayProcess(shared_upstream.url, tmp_path_factory.mktemp("leaving"), **settings) as gateway:
        yield gateway


@pytest.fixture
def gateway(shared_gateway: GatewayProcess, upstream: UpstreamEmulator) -> Iterator[GatewayProcess]:
    """The shared gateway; when the test is over no account is out and no file is open."""
    written = len(shared_gateway.log())
    yield shared_gateway
    check_leases(shared_gateway, upstream)
    check_log(shared_gateway, written)
    check_files(shared_gateway)


def check_files(gateway: GatewayProcess) -> None:
    """Soon nothing that a file passed through is left: no open file, no name on the disk."""
    deadline = time.monotonic() + NOTICED_SECONDS
    while left := open_spools(gateway):
        assert time.monotonic() < deadline, left
        time.sleep(0.01)


def open_spools(gateway: GatewayProcess) -> list[str]:
    """Files without a name, but for the one that gunicorn's worker shows its life with."""
    links = []
    for path in Path(f"/proc/{gateway.worker_pid}/fd").iterdir():
        try:
            links.append(str(path.readlink()))
        except FileNotFoundError:  # closed meanwhile
            continue
    return [link for link in links if link.endswith("(deleted)") and "wgunicorn" not in link]
