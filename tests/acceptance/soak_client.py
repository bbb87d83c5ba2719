"""Clients of every kind: what each does to a gateway, and whether what came back is proper."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle

from tests.acceptance.soak_format import CHAT, PATHS, build_body, read_end
from tests.raw_client import Answer, RawClient, open_call

CALL_SECONDS = 40
_HEAD = "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer "

GOOD = (
    "[[text]]",
    "[[think]]",
    "[[search]]",
    "[[search-e1]]",
    "[[code]]",
    "[[draw]]",
    "[[chunks n=60 pace=5]]",
    "[[repeat]]",
    "[[alternate]]",
    "[[duplicate]]",
    "[[final-differs]]",
    "[[no-part-finish]]",
    "[[finish-without-parts]]",
    "[[late]]",
    "[[unknown]]",
    "[[part-error]]",
    "[[utf8split]]",
    "[[bytes]]",
    "[[crlf]]",
    "[[comments]]",
    "[[bom]]",
    "[[bigline size=200000]]",
    "[[slowstart]]",
    "[[filter]]",
)
BAD = (
    "[[busy]]",
    "[[error-frame at=1]]",
    "[[error-frame at=0]]",
    "[[cut]]",
    "[[cut at=1]]",
    "[[reset]]",
    "[[stall seconds=10]]",
    "[[noend]]",
    "[[noend at=0]]",
    "[[json200]]",
    "[[toolong]]",
    "[[validation]]",
    "[[busy429]]",
    "[[throttled429]]",
    "[[busy200]]",
    "[[waf400]]",
    "[[login401]]",
    "[[http500]]",
    "[[html429]]",
    "[[html502]]",
    "[[html503]]",
    "[[waf200]]",
    "[[waf405]]",
    "[[empty]]",
    "[[hangup]]",
    "[[silence]]",
)
HOSTILE = (
    b"\x00\xff" * 200,
    b"GET / HTTP/1.1\r\n",
    b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n",
    (_HEAD + "x\r\nContent-Length: 99\r\n\r\n{").encode(),
    (_HEAD + "x\r\nContent-Length: -1\r\n\r\n{}").encode(),
    (_HEAD + "x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n").encode(),
    (_HEAD + "x" * 70_000 + "\r\n\r\n").encode(),
    (_HEAD + "x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}").encode(),
)
BAD_BODIES = (b"", b"{", b"[]", b"null", b'{"messages":[]}', b'{"messages":{}}', b"\xff\xfe", b"[" * 5000)


@dataclass(frozen=True, slots=True)
class Result:
    """What a client got. `status` is 0 where it left first; `code` is the error's, empty for a good end."""

    kind: str
    status: int = 0
    code: str = ""
    problem: str = ""
    conversation_id: str = ""

    @property
    def is_good(self) -> bool:
        return not self.problem and (self.status == 0 or (self.status == 200 and not self.code))


def read_result(kind: str, answer: Answer) -> Result:
    """Whole and proper, or the problem: a stream ends in [DONE] or an error event, errors name their code."""
    try:
        if not answer.is_whole:
            return Result(kind, answer.status, problem=f"the gateway broke off: {answer.body[-200:]!r}")
        if answer.status != 200:
            error = answer.json["error"]
            problem = "" if error["message"] and error["type"] and error["code"] else "an error without words"
            if answer.status in {429, 503} and "retry-after" not in answer.headers:
                problem = f"{answer.status} without Retry-After"
            if answer.status == 500:
                problem = "a mistake of the gateway"
            return Result(kind, answer.status, error["code"], problem)
        if "event-stream" in answer.headers.get("content-type", ""):
            return _read_stream(kind, answer.body)
        return Result(kind, 200, conversation_id=str(answer.json.get("id", "")))
    except (ValueError, KeyError, TypeError) as exc:
        return Result(kind, answer.status, problem=f"unreadable ({exc!r}): {answer.body[-200:]!r}")


def _read_stream(kind: str, data: bytes) -> Result:
    events = [line[6:] for line in data.decode().splitlines() if line.startswith("data: ")]
    if not events or not data.endswith(b"\n\n"):
        return Result(kind, 200, problem=f"a stream without end: {data[-200:]!r}")
    code = read_end(events[-1])
    return Result(kind, 200, code, conversation_id="" if code else str(json.loads(events[0]).get("id", "")))


def call(
    url: str,
    kind: str,
    method: str,
    path: str,
    key: str,
    body: object = None,
    leave_after: float | None = None,
) -> Result:
    """One request, read to its end, or left after so many seconds."""
    sent = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    seconds = leave_after or CALL_SECONDS
    try:
        with open_call(url, method, path, key, sent, timeout_seconds=seconds) as client:
            answer = client.read_head()
            begun = time.monotonic()
            for piece in client.read_pieces(answer):
                answer.pieces.append(piece)
                if leave_after is not None and time.monotonic() - begun > leave_after:
                    return Result(kind)
            return read_result(kind, answer)
    except TimeoutError:
        return Result(kind, problem="" if leave_after else f"no answer in {CALL_SECONDS} s")
    except OSError as exc:
        return Result(kind, problem=f"the gateway broke off: {exc!r}")


def ask(
    url: str,
    kind: str,
    key: str,
    question: str,
    chance: random.Random,
    *,
    leave_after: float | None = None,
    conversation_id: str | None = None,
    path: str = "",
) -> Result:
    """A question, streamed or not, in one of the upstream's styles; what is no `path` is any."""
    style = chance.choice(("snapshot", "delta", "mixed"))
    text = question.replace("]]", f" style={style}]]")
    path = path or chance.choice(PATHS)
    body = build_body(path, text, stream=chance.random() < 0.6, has_tools=chance.random() < 0.3)
    if path == CHAT:
        body["conversation_id"] = conversation_id
    return call(url, kind, "POST", path, key, body, leave_after)


def send_raw(url: str, data: bytes) -> Result:
    """Bytes that no client would send. Whatever comes back, the gateway must not hang on them for ever."""
    with suppress(OSError), RawClient(url, CALL_SECONDS) as client:
        client.send_raw(data)
        client.socket.settimeout(0.2)
        client.receive()
    return Result("hostile bytes")


Visit = Callable[[str, random.Random], Result]


def build_visits(good: list[str], bad: list[str]) -> Mapping[str, Visit]:
    """Kinds of clients by name. `good` and `bad` are tokens: the latter meet every failure, in turn."""
    troubled = cycle(bad)

    def pick(chance: random.Random, tokens: list[str]) -> str:
        return ",".join(chance.sample(tokens, 3))

    def go_on(url: str, chance: random.Random) -> Result:
        key = pick(chance, good)
        first = ask(url, "begun", key, "[[text]]", chance, path=CHAT)
        if not first.is_good:
            return first
        name = first.conversation_id
        second = ask(url, "continued", key, "[[text]]", chance, conversation_id=name, path=CHAT)
        call(url, "deleted", "DELETE", f"/v1/conversations/{name}", key)
        return second

    def leave(url: str, chance: random.Random) -> Result:
        question = chance.choice(("[[chunks n=500 pace=20]]", "[[slowstart delay=2000]]", "[[silence]]"))
        return ask(url, "left", pick(chance, good), question, chance, leave_after=chance.uniform(0.05, 0.6))

    def look(url: str, chance: random.Random) -> Result:
        path = chance.choice(("/v1/models", "/v1/accounts", "/v1/conversations"))
        return call(url, "looked", "GET", path, pick(chance, good))

    return {
        "good": lambda url, chance: ask(url, "good", pick(chance, good), chance.choice(GOOD), chance),
        "bad": lambda url, chance: ask(url, "bad", next(troubled), chance.choice(BAD), chance),
        "continued": go_on,
        "left": leave,
        "looked": look,
        "checked": lambda url, chance: call(
            url, "checked", "POST", "/token/check", "", {"token": pick(chance, good)}
        ),
        "bad body": lambda url, chance: call(
            url, "bad body", "POST", chance.choice(PATHS), pick(chance, good), chance.choice(BAD_BODIES)
        ),
        "hostile bytes": lambda url, chance: send_raw(url, chance.choice(HOSTILE)),
    }
