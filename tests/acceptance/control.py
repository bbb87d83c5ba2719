"""The control API of an upstream emulator in a process of its own (upstream_emulator/README.md)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from tests.raw_client import RawClient

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
        data = b"" if body is None else json.dumps(body).encode()
        with RawClient(self.url, _CALL_SECONDS) as client:
            client.send_request(method, f"/_emulator/{path}", {}, data)
            answer: dict[str, Any] = client.read_answer().json
            return answer
