"""A client in front of a scripted upstream, and what its tests ask most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from app.auth_token import AccessToken
from app.config import Settings
from app.upstream.client import UpstreamAddress, UpstreamClient
from app.upstream.request import StreamRequest
from app.upstream.stream import AnswerStream
from tests.app.upstream.scripted import Play, ScriptedServer, answer

SECRET = Settings().sign_secret
TOKEN = AccessToken("secret-access", 0.0, "0123456789abcdef0123456789abcdef")
OLD_SPELLING = answer(b'{"code":0,"result":{"accessToken":"old"}}')
QUESTION = StreamRequest("你好")
FRAME = (
    b'data: {"conversation_id":"c","status":"finish","parts":[{"content":[{"type":"text","text":"."}]}]}\n\n'
)


def stream(body: bytes = FRAME, *headers: bytes) -> Play:
    """A chunked event stream, kept alive."""
    return answer_chunked(b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body), *headers)


def answer_chunked(framed: bytes, *headers: bytes) -> Play:
    lines = [b"HTTP/1.1 200 OK", b"Content-Type: text/event-stream", b"Transfer-Encoding: chunked", *headers]
    return lambda connection: connection.sendall(b"\r\n".join(lines) + b"\r\n\r\n" + framed)


@contextmanager
def connected(server: ScriptedServer, *, proxy: str | None = None) -> Iterator[UpstreamClient]:
    client = UpstreamClient(UpstreamAddress(server.url, SECRET, proxy, 5))
    try:
        yield client
    finally:
        client.close()


@contextmanager
def against(*scripts: Sequence[Play]) -> Iterator[tuple[UpstreamClient, ScriptedServer]]:
    """A client, and the server that answers it."""
    with ScriptedServer(*scripts) as server, connected(server) as client:
        yield client, server


def ask(client: UpstreamClient, *, timeout_seconds: float = 5) -> AnswerStream:
    return client.open_stream(TOKEN, QUESTION, timeout_seconds=timeout_seconds)


def ask_all(client: UpstreamClient) -> int:
    """How many frames one whole answer had."""
    opened = ask(client)
    while not opened.ended:
        opened.read(5)
    opened.close()
    return opened.frames
