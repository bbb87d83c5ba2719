"""Plain requests to the gateway, and answers as values: these tests are about who is asked, not how."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from demo.gateway import GatewayProcess

_SECONDS = 30


@dataclass(frozen=True)
class Answer:
    """`code` is the error's, as a status or as an event; `retry_after` is 0 where there is none."""

    status: int
    id: str = ""
    text: str = ""
    code: str = ""
    retry_after: int = 0
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        return self.status == 200 and not self.code and bool(self.id)


def call(
    gateway: GatewayProcess,
    method: str,
    path: str,
    key: str = "",
    body: Any = None,
    headers: Mapping[str, str] | None = None,
) -> requests.Response:
    sent = dict(headers or {})
    if key:
        sent["Authorization"] = f"Bearer {key}"
    with requests.Session() as session:
        return session.request(method, gateway.url + path, json=body, headers=sent, timeout=_SECONDS)


def ask(
    gateway: GatewayProcess,
    key: str,
    question: str = "[[text]]",
    *,
    stream: bool = False,
    conversation_id: str = "",
    headers: Mapping[str, str] | None = None,
) -> Answer:
    body: dict[str, Any] = {
        "model": "glm",
        "stream": stream,
        "messages": [{"role": "user", "content": question}],
    }
    if conversation_id:
        body["conversation_id"] = conversation_id
    begun = time.monotonic()
    response = call(gateway, "POST", "/v1/chat/completions", key, body, headers)
    seconds = time.monotonic() - begun
    if response.status_code != 200:
        code = response.json()["error"]["code"]
        return Answer(
            response.status_code,
            code=code,
            retry_after=int(response.headers.get("Retry-After", 0)),
            seconds=seconds,
        )
    if stream:
        return _read_stream(response.content.decode(), seconds)
    document = response.json()
    return Answer(200, document["id"], document["choices"][0]["message"]["content"], seconds=seconds)


def _read_stream(text: str, seconds: float) -> Answer:
    found, said, code, done = "", "", "", False
    for line in text.splitlines():
        if line == "data: [DONE]":
            done = True
        elif line.startswith("data: "):
            chunk = json.loads(line[6:])
            code = chunk.get("error", {}).get("code", code)
            found = chunk.get("id", found)
            said += "".join(choice["delta"].get("content") or "" for choice in chunk.get("choices", ()))
    return Answer(200, found, said, code or ("" if done else "no [DONE]"), seconds=seconds)
