"""`make demo-serve` keeps to the port that README.md names, unless somebody has it."""

from __future__ import annotations

import socket

import pytest

from demo.command import find_port


def test_a_port_that_is_taken_is_not_insisted_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        monkeypatch.setenv("PORT", port)
        assert find_port() == "0"
    assert find_port() == port
