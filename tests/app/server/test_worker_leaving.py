"""What a connection leaves behind when its client has left in the middle of a request."""

from __future__ import annotations

import gc
import socket
import struct
import weakref
from types import SimpleNamespace

import gevent.socket
import pytest
from flask import Flask
from gunicorn.config import Config
from werkzeug.test import create_environ

from app.hub import GreenletExit, Rounds
from app.server.connection_slots import ConnectionSlots
from app.server.connections import Connections
from app.server.incoming import Bounds


def build_connections() -> Connections:
    """Of a worker that has no application to serve."""
    connections = Connections.__new__(Connections)
    connections._cfg, connections._worker = Config(), SimpleNamespace(alive=True)
    connections._slots, connections._bounds, connections._rounds = ConnectionSlots(10, 2), Bounds(), Rounds()
    return connections


def test_a_request_that_was_interrupted_holds_nothing_of_its_body(monkeypatch: pytest.MonkeyPatch) -> None:
    """Flask keeps the error in a frame that the error's traceback holds: a cycle, collected much later."""
    app, bodies = Flask(__name__), list[weakref.ref[set[int]]]()

    @app.get("/")
    def view() -> str:
        body = {1, 2, 3}
        bodies.append(weakref.ref(body))
        raise GreenletExit(f"left with {len(body)} open")

    def handle_request(worker: object, name: object, request: object, *rest: object) -> None:
        app.wsgi_app(create_environ(), lambda *_: None)  # type: ignore[arg-type]

    monkeypatch.setattr(Connections, "_handle_request", handle_request)
    connections = build_connections()
    ours, theirs = gevent.socket.socketpair()
    theirs.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    gc.disable()
    try:
        connections.handle(ours, ours, ("127.0.0.1", 1))
        assert [body() for body in bodies] == [None]
    finally:
        gc.enable()
        theirs.close()


def test_what_a_client_asked_that_was_reset_is_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its request can still be read, and would cost as much as any other."""
    begun: list[object] = []
    monkeypatch.setattr(Connections, "_handle_request", lambda *request: begun.append(request))
    connections = build_connections()
    with gevent.socket.create_server(("127.0.0.1", 0)) as listener:
        theirs = gevent.socket.create_connection(listener.getsockname())
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        theirs.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        ours, address = listener.accept()
        theirs.close()
        connections.handle(listener, ours, address)
    assert begun == []
