"""Attacks by what a whole request says: bodies that swell, credentials, files and answers that never end.

Each is one function `(target, ends_at)`: see attack.py.
"""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Callable
from functools import cache
from itertools import count

from tests.acceptance.connection_attacks import TOKEN, Attack, Target, wait_for_end

_BODY_BYTES = 47_000_000
_PIECE_BYTES = 1024 * 1024
_CHAT = "/v1/chat/completions"
_PICTURE = "/page/picture"
_HI = b'{"messages":[{"role":"user","content":"hi"}],'
_CONTENT = b'{"messages":[{"role":"user","content":['
_PART = b'{"type":"image_url","image_url":{"url":"x"}}'
_IMAGE = b'{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png,'
BODIES: dict[str, tuple[str, bytes, bytes, bytes]] = {
    "data-percent": (_PICTURE, b'{"url":"data:image/png,', b"%41", b'"}'),
    "data-percent-base64": (_PICTURE, b'{"url":"data:image/png;base64,', b"%%41", b'"}'),
    "data-percent-chat": (_CHAT, _IMAGE, b"%41", b'"}}]}]}'),
    "json-objects": (_CHAT, _HI + b'"metadata":{"a":[', b"{},", b"{}]}}"),
    "json-tools": (_CHAT, _HI + b'"tools":[', b"{},", b"{}]}"),
    "json-texts": (_CHAT, _CONTENT, b'{"type":"text","text":"x"},', b'{"type":"text","text":"x"}]}]}'),
    "json-images": (_CHAT, _CONTENT, _PART + b",", _PART + b"]}]}"),
    "json-depth": (_CHAT, _HI + b'"a":', b"[", b""),
    "json-digits": (_CHAT, _HI + b'"a":', b"9", b"}"),
    "json-escapes": (_CHAT, b'{"messages":[{"role":"user","content":"', b"\\ud83d\\ude00", b'"}]}'),
    "json-names": (_CHAT, _HI + b'"metadata":{', b'"":0,', b'"":0}}'),
}
"""Path, begin, what is repeated, end."""


@cache
def _build_body(name: str) -> bytes:
    _, begin, unit, end = BODIES[name]
    return begin + unit * ((_BODY_BYTES - len(begin) - len(end)) // len(unit)) + end


def _post(target: Target, ends_at: float, path: str, body: bytes, token: bytes = TOKEN) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(body)}\r\n"
    with target.connect() as client:
        client.sendall(head.encode() + token + b"\r\n")
        for begin in range(0, len(body), _PIECE_BYTES):
            client.sendall(memoryview(body)[begin : begin + _PIECE_BYTES])
            if time.monotonic() > ends_at:
                return
        wait_for_end(client, ends_at)


def _send_body(name: str) -> Attack:
    def attack(target: Target, ends_at: float) -> None:
        while time.monotonic() < ends_at:
            _post(target, ends_at, BODIES[name][0], _build_body(name))

    return attack


def hold_bodies(target: Target, ends_at: float) -> None:
    """A body as large as may be, but for its end."""
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 50000000\r\n"
    with target.connect() as client:
        client.sendall(head + TOKEN + b"\r\n")
        for _ in range(46):
            client.sendall(b"x" * _PIECE_BYTES)
        wait_for_end(client, ends_at)


_numbers = count()


def send_long_credentials(target: Target, ends_at: float) -> None:
    """Wrong credentials of 64 KB, others each time."""
    _ask_again_and_again(target, ends_at, lambda: b"glm-%06d" % next(_numbers) + b"A1" * 32_000)


def send_credential_lists(target: Target, ends_at: float) -> None:
    """Lists of tokens that nobody has."""
    _ask_again_and_again(
        target, ends_at, lambda: b",".join(b"token-%d-%d" % (next(_numbers), n) for n in range(190))
    )


def _ask_again_and_again(target: Target, ends_at: float, build_credentials: Callable[[], bytes]) -> None:
    with target.connect() as client:
        while time.monotonic() < ends_at:
            credentials = build_credentials()
            client.sendall(b"GET /v1/models HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + credentials)
            client.sendall(b"\r\n\r\n")
            if not client.recv(65_536):
                return


def send_small_requests(target: Target, ends_at: float) -> None:
    """Chats of no meaning, one after the other on one connection."""
    bodies = (b"{}", b"[", b'{"messages":[]}', b'{"messages":[{"role":"user","content":"hi"}]}')
    with target.connect() as client:
        while time.monotonic() < ends_at:
            body = bodies[next(_numbers) % len(bodies)]
            head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n" % len(body)
            client.sendall(head + TOKEN + b"\r\n" + body)
            if not client.recv(65_536):
                return


def leave_at_once(target: Target, ends_at: float) -> None:
    """Chats that are reset after some milliseconds, in every phase."""
    body = b'{"stream":true,"messages":[{"role":"user","content":"[[chunks n=1000 pace=1]]"}]}'
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n" % len(body)
    while time.monotonic() < ends_at:
        number = next(_numbers)
        token = b"Authorization: Bearer demo-leaving-%d\r\n\r\n" % (target.lane * 10 + number % 10)
        with target.connect() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.sendall((head + token + body)[: (number * 17) % 200 + 100])
            time.sleep(number % 40 / 1000)


def read_nothing(target: Target, ends_at: float) -> None:
    """Ask for what is large again and again, and read none of it."""
    with target.connect() as client:
        client.settimeout(max(0.1, ends_at - time.monotonic()))
        while time.monotonic() < ends_at:
            client.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 100)


def _fetch_flood(name: str) -> Attack:
    def attack(target: Target, ends_at: float) -> None:
        body = json.dumps({"url": f"{target.flood_url}/flood={name}"}).encode()
        while time.monotonic() < ends_at:
            _post(target, ends_at, _PICTURE, body)

    return attack


def _ask_flood(name: str, *, stream: bool) -> Attack:
    def attack(target: Target, ends_at: float) -> None:
        messages = [{"role": "user", "content": f"flood={name} please"}]
        body = json.dumps({"stream": stream, "messages": messages}).encode()
        token = b"Authorization: Bearer flood-%d-token\r\n" % target.lane
        while time.monotonic() < ends_at:
            _post(target, ends_at, _CHAT, body, token)

    return attack


CONTENT_ATTACKS: dict[str, Attack] = {name: _send_body(name) for name in BODIES} | {
    "held-bodies": hold_bodies,
    "long-credentials": send_long_credentials,
    "credential-lists": send_credential_lists,
    "small-requests": send_small_requests,
    "leaving": leave_at_once,
    "nothing-read": read_nothing,
}
FLOOD_ATTACKS: dict[str, Attack] = {
    f"file-{name}": _fetch_flood(name) for name in ("continue", "fields", "chunks", "trailers")
} | {
    f"upstream-{name}": _ask_flood(name, stream=name not in ("after-finish", "deltas"))
    for name in ("continue", "after-finish", "comments", "frames", "deltas", "one-line", "tiny-events")
}
"""Those that need the flood server as upstream and as server of files."""
