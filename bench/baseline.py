"""The least that a relay on this stack can do, as a measure for the gateway's figures; no gateway to use.

Flask under gunicorn's own gevent worker and the same number of calls upstream, but raw sockets, and the text
found by its place in the bytes: it reads nothing but what the bench has the upstream emulator say, notices
nothing that goes wrong, and lets accounts, clocks, clients that leave and token counts be. A whole answer's
conversation is deleted before the answer goes out.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator

from flask import Flask, Response, request

from bench.place import exchange_once
from bench.request import build_deletion, build_refresh, build_upstream_stream, split_address

UPSTREAM = os.environ["GLM_UPSTREAM_URL"]
_HOST, _PORT, _ = split_address(UPSTREAM)
_ID_CHARS = 24
_ID = b'"conversation_id":"'
_TEXT = b'"text":"'
_TEXT_END = b'","status"'
_EVENT_END = b"}\n\n"
_FINISH = b'"status":"finish","last_error"'
_BODY_END = b"0\r\n\r\n"
_ENVELOPE = (
    b'data: {"id":"%b","object":"chat.completion.chunk","created":0,"model":"glm","system_fingerprint":null,'
    b'"choices":[{"index":0,"delta":{'
)
_TAIL = b'},"finish_reason":null}]}\n\n'

app = Flask(__name__, static_folder=None)
_access_tokens: dict[str, str] = {}
_idle: list[socket.socket] = []


@app.get("/ping")
def ping() -> str:
    return "pong"


@app.post("/v1/chat/completions")
def relay() -> Response:
    """Only what the bench sends: one message."""
    question = json.loads(request.get_data())
    token = _find_access_token(request.headers["Authorization"].removeprefix("Bearer "))
    connection = _idle.pop() if _idle else socket.create_connection((_HOST, _PORT))
    connection.sendall(build_upstream_stream(UPSTREAM, token, question["messages"][0]["content"]).encode())
    if question["stream"]:
        return Response(_stream(connection), content_type="text/event-stream")
    return Response(_answer(connection, token), content_type="application/json")


def _find_access_token(refresh_token: str) -> str:
    if refresh_token not in _access_tokens:
        answer = json.loads(exchange_once(UPSTREAM, build_refresh(UPSTREAM, refresh_token)))
        _access_tokens[refresh_token] = answer["result"]["access_token"]
    return _access_tokens[refresh_token]


def _read_events(connection: socket.socket) -> Iterator[bytes]:
    """The bytes of whole events, those that came together in one, until the last."""
    held = b""
    while True:
        held += connection.recv(65536)
        end = held.rfind(_EVENT_END) + len(_EVENT_END)
        if end >= len(_EVENT_END):
            events, held = held[:end], held[end:]
            yield events
            if _FINISH in events[-200:]:
                break
    while not held.endswith(_BODY_END):
        held += connection.recv(65536)


def _read_texts(connection: socket.socket) -> Iterator[tuple[bytes, bytes]]:
    """The conversation's id and what is new; the snapshots are never decoded."""
    name, sent = b"", 0
    for events in _read_events(connection):
        if not name:
            begin = events.find(_ID) + len(_ID)
            name = events[begin : begin + _ID_CHARS]
        begin = events.rfind(_TEXT)
        if begin >= 0:
            new = events[begin + len(_TEXT) + sent : events.find(_TEXT_END, begin)]
            if new:
                sent += len(new)
                yield name, new


def _stream(connection: socket.socket) -> Iterator[bytes]:
    head = b""
    for name, text in _read_texts(connection):
        if not head:
            head = _ENVELOPE % name
            yield head + b'"role":"assistant","content":""' + _TAIL
        yield head + b'"content":"' + text + b'"' + _TAIL
    _idle.append(connection)
    yield head + b'},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'


def _answer(connection: socket.socket, token: str) -> bytes:
    pieces = list(_read_texts(connection))
    name = pieces[0][0]
    connection.sendall(build_deletion(UPSTREAM, token, name.decode()).encode())
    while b"}" not in connection.recv(65536):
        pass
    _idle.append(connection)
    return (
        b'{"id":"%b","object":"chat.completion","created":0,"model":"glm","choices":[{"index":0,"message":'
        b'{"role":"assistant","content":"%b"},"finish_reason":"stop"}]}'
    ) % (name, b"".join(text for _, text in pieces))
