"""Conversations under every kind of bad end: is each of them deleted upstream, and none while it is used?"""

from __future__ import annotations

import os
import random
import re
import signal
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field

from demo.gateway import GatewayProcess
from tests.acceptance.control import Control
from tests.raw_client import RawClient, open_chat

TTL_SECONDS = 1
_LANES = 12
_CALL_SECONDS = 30
_ID = re.compile(rb'"id": ?"([0-9a-f]{24})"')
_FIRST_TEXT = b'"content":'

# What is asked and how it ends; `leave` is after how much the client goes away.
_LONG = "[[chunks n=24 pace=50]]"
_ENDS: dict[str, tuple[str, bool, str]] = {
    "whole": ("[[text]]", False, ""),
    "streamed": ("[[text]]", True, ""),
    "longer than it is kept": (_LONG, True, ""),
    "aborted": ("[[chunks n=500 pace=20]]", True, "first text"),
    "aborted, not streamed": ("[[chunks n=500 pace=20]]", False, "some time"),
    "aborted before the first text": ("[[slowstart delay=400]]", True, "some time"),
    "cut": ("[[cut]]", True, ""),
    "never finished": ("[[noend]]", True, ""),
    "reset": ("[[reset]]", True, ""),
    "filtered": ("[[filter]]", True, ""),
    "filtered at once": ("[[filter at=0]]", False, ""),
    "failing": ("[[error-frame at=3]]", True, ""),
    "continued": ("[[text]]", True, ""),
    "continued, longer than it is kept": (_LONG, False, ""),
}


@dataclass(frozen=True, slots=True)
class Chaos:
    """So many questions, and so many open answers whenever the gateway is killed."""

    questions: int = 1000
    accounts: int = 60
    killed_streams: int = 50

    @property
    def tokens(self) -> list[str]:
        return [f"demo-hard{number}" for number in range(self.accounts)]


@dataclass(slots=True)
class ChaosResult:
    """What is left when all is over; `clean_seconds` passed from the restart to the last deletion."""

    ends: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    conversations: int = 0
    undeleted: int = 0
    deleted_while_in_use: int = 0
    violations: int = 0
    killed_streams: int = 0
    clean_seconds: float = 0.0


def run_chaos(chaos: Chaos, start: Callable[[], GatewayProcess], key: str, upstream: Control) -> ChaosResult:
    """`start` starts a gateway that keeps conversations for TTL_SECONDS and holds the accounts itself.

    It is called twice, the second time to find what the first one left; the caller closes both.
    """
    gateway, result, chance = start(), ChaosResult(), random.Random(7)
    ends = [chance.choice(list(_ENDS)) for _ in range(chaos.questions)]
    half = len(ends) // 2
    _spoil(chaos, upstream, chance)
    _ask_all(ends[:half], gateway, key, result)
    _kill(chaos, gateway, key, upstream, result, lambda: os.kill(gateway.worker_pid, signal.SIGKILL))
    _spoil(chaos, upstream, chance)
    _ask_all(ends[half:], gateway, key, result)
    _kill(chaos, gateway, key, upstream, result, gateway.kill)
    start()
    begun = time.monotonic()
    try:
        state = upstream.wait_until(lambda state: state["undeleted"] == 0, 60)
    except TimeoutError:
        state = upstream.state()
    result.clean_seconds = time.monotonic() - begun
    result.conversations = len(state["conversations"])
    result.undeleted, result.violations = state["undeleted"], state["violations"]
    result.deleted_while_in_use = state["deleted_while_in_use"]
    return result


def _spoil(chaos: Chaos, upstream: Control, chance: random.Random) -> None:
    """Some accounts name a conversation and then fail, so that another one is asked."""
    for number in chance.sample(range(chaos.accounts), chaos.accounts // 3):
        upstream.account(f"hard{number}", next=["cut at=1", "noend at=0"])


def _ask_all(ends: list[str], gateway: GatewayProcess, key: str, result: ChaosResult) -> None:
    known: deque[str] = deque(maxlen=20)

    def ask(end: str) -> None:
        result.ends[end] += 1
        question, stream, leave = _ENDS[end]
        continued = known.pop() if end.startswith("continued") and known else None
        status, answered = ask_once(
            gateway.url, key, question, stream=stream, leave=leave, continued=continued
        )
        result.statuses[status] += 1
        if answered:
            known.append(answered)

    with ThreadPoolExecutor(_LANES) as threads:
        list(threads.map(ask, ends))


def ask_once(
    url: str, key: str, question: str, *, stream: bool, leave: str = "", continued: str | None = None
) -> tuple[int, str | None]:
    """The status, 0 where none came, and the conversation's id, where it was told."""
    seconds = 0.2 if leave == "some time" else _CALL_SECONDS
    try:
        with open_chat(
            url, key, question, stream=stream, timeout_seconds=seconds, conversation_id=continued
        ) as client:
            answer = client.read_head()
            for piece in client.read_pieces(answer):
                answer.pieces.append(piece)
                if leave == "first text" and _FIRST_TEXT in answer.body:
                    break
    except TimeoutError:
        return 0, None
    found = _ID.search(answer.body)
    return answer.status, found[1].decode() if found and answer.status == 200 else None


def _kill(
    chaos: Chaos,
    gateway: GatewayProcess,
    key: str,
    upstream: Control,
    result: ChaosResult,
    strike: Callable[[], None],
) -> None:
    """Strike while so many answers are streamed, and wait until the gateway answers again or is gone."""
    with ExitStack() as stack:
        for _ in range(chaos.killed_streams):
            stack.callback(_open_stream(gateway.url, key).close)
        # Of questions that were left before, the upstream may be about to name one to a dead gateway.
        wanted = chaos.killed_streams
        state = upstream.wait_until(lambda state: state["open_streams"] == wanted, _CALL_SECONDS)
        result.killed_streams += state["open_streams"]
        before = gateway.worker_pid
        strike()
    upstream.wait_until(lambda state: state["open_streams"] == 0, 10)
    deadline = time.monotonic() + 20
    while gateway.is_running and not _is_back(gateway, before):
        if time.monotonic() > deadline:
            raise TimeoutError("the gateway did not come back")
        time.sleep(0.05)


def _open_stream(url: str, key: str) -> RawClient:
    """A stream whose first text has been read."""
    client = open_chat(url, key, "[[chunks n=900 pace=50]]", stream=True, timeout_seconds=_CALL_SECONDS)
    client.read_until(_FIRST_TEXT)
    return client


def _is_back(gateway: GatewayProcess, before: int) -> bool:
    try:
        with RawClient(gateway.url, timeout_seconds=1) as client:
            client.send_request("GET", "/ping", {})
            return client.read_head().status == 200 and gateway.worker_pid != before
    except (OSError, IndexError):
        return False
