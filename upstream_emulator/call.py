"""One call of the upstream's API: the exchange, what the emulator remembers, and who is calling."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from upstream_emulator.account import Account
from upstream_emulator.connection import Exchange
from upstream_emulator.fault import send_bare_json, send_fault, send_json
from upstream_emulator.frame import Json
from upstream_emulator.record import RecordedRequest
from upstream_emulator.request import Request
from upstream_emulator.world import World

USER_COOKIE = "chatglm_user_id"


@dataclass(slots=True)
class Call:
    """`account` is None until the caller has shown a token. Answers: `succeed`, `refuse`, `fail`."""

    exchange: Exchange
    world: World
    recorded: RecordedRequest
    account: Account | None = None
    body: Any = field(init=False)

    def __post_init__(self) -> None:
        self.body = self.request.json()

    @property
    def request(self) -> Request:
        return self.exchange.request

    @property
    def fields(self) -> dict[str, Any]:
        """The body's fields; none when it is not a JSON object."""
        return self.body if isinstance(self.body, dict) else {}

    @property
    def caller(self) -> Account:
        """The account of a call that has passed the login."""
        if self.account is None:
            raise LookupError("this call has not passed the login")
        return self.account

    def identify(self, account: Account) -> None:
        """Notes who calls, and whether the cookies say somebody else."""
        self.account = account
        self.recorded.account = account.name
        cookies = self.request.headers.get("cookie", "")
        if USER_COOKIE in cookies and f"{USER_COOKIE}={account.user_id}" not in cookies:
            self.world.record.foreign_cookies += 1

    def succeed(self, result: Any, headers: Iterable[tuple[str, str]] = ()) -> None:
        send_json(self.exchange, 200, {"status": 0, "message": "success", "result": result}, headers)

    def refuse(self, http_status: int, code: int, message: str) -> None:
        """Answers with an error envelope and counts the code."""
        self.world.record.refusals[str(code)] += 1
        send_json(self.exchange, http_status, {"status": code, "message": message, "result": None})

    def refuse_bare(self, code: str, body: Json) -> None:
        """Answers HTTP 200 with JSON that is no envelope, and counts it under `code`."""
        self.world.record.refusals[code] += 1
        send_bare_json(self.exchange, 200, body)

    def fail(self, fault: str) -> None:
        """Answers with a fault that a test asked for, or that is the upstream's way to refuse."""
        send_fault(self.exchange, fault)
