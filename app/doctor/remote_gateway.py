"""A gateway that runs, asked at its own address: it alone may refresh its accounts' tokens."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeVar
from urllib.parse import quote, urlsplit

import msgspec

from app.accounts.account import State, account_key
from app.catalogue.message import Message
from app.doctor import advice, messages
from app.doctor.cause import say_cause
from app.doctor.credentials import Credentials
from app.doctor.diagnosis import find_verdict, say_time
from app.doctor.finding import Finding, Verdict, fail, note, ok, skip
from app.doctor.standing import judge_standing
from app.doctor.toy_tool import TOOL, TOOL_QUESTION, ToolAnswer, judge_answer
from app.exchange.recorder import SMALL_QUESTION
from app.exchange.unusable import ToolCallMalformed

_SECONDS = 120.0
_GLANCE_SECONDS = 2.0
_MAX_ANSWER_BYTES = 1024 * 1024
_TOKENS_A_CALL = 20
_WELL = ("ready", "answering", "unknown")
_VERDICTS = {"expired": Verdict.EXPIRED, "blocked": Verdict.BLOCKED}
_Struct = TypeVar("_Struct", bound=msgspec.Struct)


class _Ready(msgspec.Struct):
    status: Literal["ok", "draining"]


class _Token(msgspec.Struct):
    live: bool


class _Check(_Token):
    tokens: list[_Token] | None = None


class _Account(msgspec.Struct):
    label: str
    state: State
    cooling_until: float | None = None
    last_error: str | None = None
    points: float | None = None
    is_blocked: bool | None = None


class _Accounts(msgspec.Struct):
    data: list[_Account]


class _Function(msgspec.Struct):
    arguments: str


class _Call(msgspec.Struct):
    function: _Function


class _Message(msgspec.Struct):
    tool_calls: list[_Call] = []


class _Choice(msgspec.Struct):
    message: _Message


class _Completion(msgspec.Struct):
    id: str
    choices: list[_Choice]


class _Error(msgspec.Struct):
    message: str
    code: str


class _Failure(msgspec.Struct):
    error: _Error


class _Answer(NamedTuple):
    status: int
    body: bytes

    def read(self, kind: type[_Struct]) -> _Struct:
        """Raises msgspec.DecodeError or UnicodeDecodeError where it is something else."""
        return msgspec.json.decode(self.body, type=kind)


class RunningGateway:
    """`url` may have a path in front of the gateway's own. No proxy is used, no redirect followed."""

    def __init__(self, url: str, credentials: Credentials, seconds: float = _SECONDS) -> None:
        self.url = url
        self._credentials = credentials
        self._seconds = seconds

    def check(self, *, chat: bool, tools: bool) -> Iterator[Finding]:
        try:
            yield self.greet()
            if not self._credentials:
                yield skip(messages.TOKEN, messages.TOKENS_NONE)
                return
            yield from self._check_tokens()
            if chat:
                yield self._check_chat()
            if tools:
                yield self._check_tools()
        except (OSError, http.client.HTTPException) as exc:
            yield self._fail(messages.GATEWAY_SILENT, say_cause(exc))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            yield self._fail(messages.GATEWAY_STRANGE)

    def greet(self) -> Finding:
        """Raises what comes of something else at the address."""
        ready = self._ask("GET", "/health/ready").read(_Ready)
        if ready.status == "draining":
            return note(messages.GATEWAY, messages.GATEWAY_DRAINING, url=self.url)
        return ok(messages.GATEWAY, messages.GATEWAY_READY, url=self.url)

    def _check_tokens(self) -> Iterator[Finding]:
        """The gateway asks the upstream for tokens that we hold, then says how all its accounts are."""
        known: list[_Account] = []
        for some in self._credentials.split(_TOKENS_A_CALL):
            answer = self._ask("POST", "/token/check?fresh=1", {"token": ",".join(some)})
            if answer.status != 200:
                yield self._refuse(messages.TOKEN, answer)
                break
            check = answer.read(_Check)
            known += map(_describe_token, some, check.tokens or [check])
        accounts = self._ask("GET", "/v1/accounts")
        if accounts.status == 200:
            known = accounts.read(_Accounts).data
        elif not known:
            yield self._refuse(messages.TOKEN, accounts)
        for account in known:  # a key that may not see the accounts still hears of its tokens
            yield _judge(account)
            yield from judge_standing(account.label, account.points, is_blocked=account.is_blocked)

    def _check_chat(self) -> Finding:
        answer, seconds = self._ask_chat(SMALL_QUESTION)
        if answer.status != 200:
            return self._refuse(messages.CHAT, answer)
        self._delete(answer.read(_Completion))
        return ok(messages.CHAT, messages.GATEWAY_CHAT, seconds=seconds)

    def _check_tools(self) -> Finding:
        function = {"name": TOOL.name, "description": TOOL.description, "parameters": TOOL.parameters}
        answer, seconds = self._ask_chat(TOOL_QUESTION, tools=[{"type": "function", "function": function}])
        if answer.status != 200:
            return self._refuse(messages.TOOLS, answer)
        completion = answer.read(_Completion)
        self._delete(completion)
        calls = [
            call.function.arguments for choice in completion.choices for call in choice.message.tool_calls
        ]
        return judge_answer(ToolAnswer(tuple(calls)), "", seconds)

    def _ask_chat(self, text: str, **fields: object) -> tuple[_Answer, float]:
        """The answer to one question, and how many seconds it took."""
        begun = time.monotonic()
        document = {"model": "glm", "messages": [{"role": "user", "content": text}], **fields}
        answer = self._ask("POST", "/v1/chat/completions", document)
        return answer, time.monotonic() - begun

    def _delete(self, completion: _Completion) -> None:
        """Where a conversation is not deleted now, the gateway deletes it when it is due."""
        self._ask("DELETE", f"/v1/conversations/{quote(completion.id)}")

    def _refuse(self, check: Message, answer: _Answer) -> Finding:
        error = answer.read(_Failure).error
        if error.code == ToolCallMalformed.code:
            return note(check, messages.TOOLS_UNREADABLE, code=error.code)
        if error.code in ("invalid_api_key", "forbidden"):
            return skip(check, messages.GATEWAY_CLOSED, status=answer.status, code=error.code)
        return fail(check, find_verdict(error.code), messages.REFUSED, reason=error.message, code=error.code)

    def _fail(self, message: Message, reason: str = "") -> Finding:
        return fail(messages.GATEWAY, Verdict.GATEWAY, message, url=self.url, reason=reason)

    def _ask(self, method: str, path: str, document: object = None) -> _Answer:
        parts = urlsplit(self.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=self._seconds)
        headers = {"Authorization": self._credentials.header} if self._credentials else {}
        body = None if document is None else msgspec.json.encode(document)
        try:
            connection.request(method, parts.path + path, body, headers)
            response = connection.getresponse()
            return _Answer(response.status, response.read(_MAX_ANSWER_BYTES))
        finally:
            connection.close()


def answers(url: str) -> bool:
    """Whether a gateway runs at `url`."""
    try:
        RunningGateway(url, Credentials(), _GLANCE_SECONDS).greet()
    except (OSError, http.client.HTTPException, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _describe_token(token: str, told: _Token) -> _Account:
    return _Account(account_key(token)[:8], "ready" if told.live else "expired", last_error="account_expired")


def _judge(account: _Account) -> Finding:
    state = messages.ACCOUNT_STATES[account.state]
    if account.state in _WELL:
        return ok(messages.TOKEN, messages.ACCOUNT_STATE, account.label, state=state)
    error = account.last_error or "unknown"
    verdict = _VERDICTS.get(account.state) or find_verdict(error)
    values: dict[str, object] = {"state": state, "error": error}
    if account.cooling_until is None:
        return fail(messages.TOKEN, verdict, messages.ACCOUNT_ENDED, None, account.label, **values)
    step = advice.WAIT_UNTIL if verdict is Verdict.THROTTLED else None
    values["until"] = say_time(account.cooling_until)
    return fail(messages.TOKEN, verdict, messages.ACCOUNT_RESTS, step, account.label, **values)
