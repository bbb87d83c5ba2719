"""The application in this process, without gunicorn: for what needs no stream."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

import pytest
from flask.testing import FlaskClient

from app.config import Settings
from app.factory import create_app
from app.routes.services import EXTENSION
from app.state import MEMORY
from upstream_emulator.emulator import UpstreamEmulator

Connect = Callable[..., FlaskClient]


@pytest.fixture
def loggers_stay() -> Iterator[None]:
    """An application takes them for itself; later tests in this process listen to them as well."""
    loggers = [logging.getLogger(name) for name in ("app", "gunicorn.error", "urllib3")]
    before = [(one.handlers, one.filters, one.level, one.propagate) for one in loggers]
    yield
    for one, was in zip(loggers, before, strict=True):
        one.handlers, one.filters, one.level, one.propagate = was


@pytest.fixture
def connect(upstream: UpstreamEmulator, loggers_stay: None) -> Iterator[Connect]:
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
