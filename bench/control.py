"""The embedded upstream's control API, for what runs it in a process of its own (demo/README.md)."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable
from typing import Any

from bench.request import split_address

_CALL_SECONDS = 30


class Control:
    """Every method raises OSError where the upstream does not answer."""

    def __init__(self, url: str) -> None:
        self.url = url

    def state(self) -> dict[str, Any]:
        return self._call("GET", "state")

    def configure(self, **settings: object) -> None:
        self._call("POST", "configure", settings)

    def account(self, name: str, **changes: object) -> None:
        self._call("POST", f"accounts/{name}", changes)

    def wait_until(self, accept: Callable[[dict[str, Any]], bool], seconds: float) -> dict[str, Any]:
        """The first state that is accepted. Raises TimeoutError, showing what is left."""
        deadline = time.monotonic() + seconds
        while not accept(state := self.state()):
            if time.monotonic() > deadline:
                shown = {name: value for name, value in state.items() if not isinstance(value, list | dict)}
                raise TimeoutError(f"the upstream did not get there within {seconds:.0f} s: {shown}")
            time.sleep(0.02)
        return state

    def _call(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        host, port, _ = split_address(self.url)
        connection = http.client.HTTPConnection(host, port, timeout=_CALL_SECONDS)
        try:
            connection.request(method, f"/_demo/{path}", None if body is None else json.dumps(body))
            answer: dict[str, Any] = json.load(connection.getresponse())
            return answer
        finally:
            connection.close()
