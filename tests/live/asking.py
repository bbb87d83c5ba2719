"""Asking the gateway, streamed and whole, and reading what came as a user would."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

from openai import OpenAI

from demo.gateway import GatewayProcess


@dataclass
class Heard:
    """What a client has at the end of an answer."""

    text: str = ""
    reasoning: str = ""
    finish: str | None = None
    ids: set[str] = field(default_factory=set)
    models: set[str] = field(default_factory=set)
    pieces: int = 0
    usage: Any = None


def ask(client: OpenAI, question: str, *, stream: bool, model: str = "glm", **more: Any) -> Heard:
    """One user message. Raises what the client raises."""
    return ask_messages(client, [{"role": "user", "content": question}], stream=stream, model=model, **more)


def ask_messages(client: OpenAI, messages: Any, *, stream: bool, model: str = "glm", **more: Any) -> Heard:
    heard = Heard()
    if not stream:
        answer: Any = client.chat.completions.create(model=model, messages=messages, **more)
        choice = answer.choices[0]
        return Heard(
            text=choice.message.content,
            reasoning=getattr(choice.message, "reasoning_content", None) or "",
            finish=choice.finish_reason,
            ids={answer.id},
            models={answer.model},
            pieces=1,
            usage=answer.usage,
        )
    for chunk in client.chat.completions.create(model=model, messages=messages, stream=True, **more):
        note(heard, chunk)
    return heard


def note(heard: Heard, chunk: Any) -> None:
    """Add one chunk of the official client."""
    heard.ids.add(chunk.id)
    heard.models.add(chunk.model)
    heard.usage = chunk.usage or heard.usage
    for choice in chunk.choices:
        heard.text += choice.delta.content or ""
        heard.reasoning += getattr(choice.delta, "reasoning_content", None) or ""
        heard.finish = choice.finish_reason or heard.finish
        heard.pieces += 1


class RawClient:
    """A socket that asks for an answer and can go away at any moment."""

    def __init__(
        self,
        gateway: GatewayProcess,
        credentials: str,
        question: str,
        *,
        stream: bool,
        send_bytes: int | None = None,
        receive_bytes: int | None = None,
    ) -> None:
        """Sends no more of the request than `send_bytes`, and has a buffer of `receive_bytes`."""
        messages = [{"role": "user", "content": question}]
        body = json.dumps({"model": "glm", "stream": stream, "messages": messages}).encode()
        self._socket = socket.socket()
        if receive_bytes is not None:  # must be set before the window is agreed on
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self._send(gateway, credentials, "/v1/chat/completions", body, send_bytes)

    @classmethod
    def post(cls, gateway: GatewayProcess, credentials: str, path: str, body: bytes) -> Self:
        """One that asks for something else than a chat."""
        client = cls.__new__(cls)
        client._socket = socket.socket()
        client._send(gateway, credentials, path, body)
        return client

    def _send(
        self, gateway: GatewayProcess, credentials: str, path: str, body: bytes, most: int | None = None
    ) -> None:
        address = urlsplit(gateway.url)
        self._socket.settimeout(10)
        self._socket.connect((address.hostname, address.port))
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {address.netloc}\r\n"
            f"Authorization: Bearer {credentials}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._socket.sendall((head.encode() + body)[:most])
        self.received = b""

    def read_until(self, mark: bytes) -> bytes:
        """Everything up to and with `mark`. Raises TimeoutError, or AssertionError at an early end."""
        while mark not in self.received:
            data = self._socket.recv(65536)
            assert data, f"the gateway hung up before {mark!r}: {self.received!r}"
            self.received += data
        return self.received

    def leave(self) -> None:
        self._socket.close()
