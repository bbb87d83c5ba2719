"""The application in this process, without gunicorn: for what needs no stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask.testing import FlaskClient

from app import create_app
from app.config import Settings
from app.routes.services import EXTENSION
from app.state import MEMORY
from demo.upstream import DemoUpstream

Connect = Callable[..., FlaskClient]


@pytest.fixture(scope="session")
def shared_upstream() -> Iterator[DemoUpstream]:
    with DemoUpstream(pace=0) as upstream:
        yield upstream


@pytest.fixture
def upstream(shared_upstream: DemoUpstream) -> Iterator[DemoUpstream]:
    shared_upstream.reset()
    yield shared_upstream
    assert shared_upstream.wait_until(lambda state: not state["open_streams"])["internal_errors"] == 0


@pytest.fixture
def connect(upstream: DemoUpstream) -> Iterator[Connect]:
    """Makes clients of applications with settings from an environment; they are stopped afterwards."""
    clients: list[FlaskClient] = []

    def connect(**environ: str) -> FlaskClient:
        defaults = {"GLM_UPSTREAM_URL": upstream.url, "GLM_STATE_PATH": MEMORY, "LOG_LEVEL": "ERROR"}
        clients.append(create_app(Settings.from_env(defaults | environ)).test_client())
        return clients[-1]

    yield connect
    for client in clients:
        client.application.extensions[EXTENSION].stop(0)


@pytest.fixture
def client(connect: Connect) -> FlaskClient:
    """Of an application where everybody brings their own tokens."""
    return connect()
