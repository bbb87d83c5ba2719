"""The last turn of a chat whose client sends its history: gone on with, and begun anew (`GLM_CONTINUE=off`).

Two gateways before one upstream. A pair is the same chat by both, one after the other, by turns which comes
first. The upstream emulator takes no longer for a longer prompt: what the real one needs to read it is not
seen.
"""

from __future__ import annotations

import http.client
import time
from collections import Counter
from dataclasses import dataclass
from statistics import median

from bench.analysis import find_problem
from bench.answer import Answer, read_chunk
from bench.measure import Measurement
from bench.place import Gateway, Upstream, start_gateway, start_upstream
from bench.request import build_chat, split_address
from bench.scenario import PIECE_BYTES, Case

_SECONDS = 60
# What the turn before left to do is not measured.
_PAUSE_SECONDS = 0.1
_STREAM_PATH = "/chatglm/backend-api/assistant/stream"


@dataclass(frozen=True, slots=True)
class Told:
    """An answer, and how long its first words took."""

    answer: Answer
    first_ms: float


def measure_turns(case: Case, key: str, model: str) -> Measurement:
    """The medians of `case.rounds` pairs. Raises ProgramFailed, OSError."""
    firsts: dict[str, list[float]] = {"": [], "anew_": []}
    sizes: dict[str, list[float]] = {"": [], "anew_": []}
    failures: Counter[str] = Counter()
    with (
        start_upstream() as upstream,
        start_gateway(upstream, key, model, {}) as going_on,
        start_gateway(upstream, key, model, {"GLM_CONTINUE": "off"}) as anew,
    ):
        gateways = [("", going_on), ("anew_", anew)]
        for number in range(case.rounds):
            for name, gateway in gateways if number % 2 == 0 else gateways[::-1]:
                told = _chat(case, gateway, f"{name}{number}")
                firsts[name].append(told.first_ms)
                sizes[name].append(_read_last_size(upstream))
                if problem := find_problem(told.answer, case.chunks, PIECE_BYTES):
                    failures[problem] += 1
        figures = {"idle_rss": going_on.idle.rss / 2**20, "start_seconds": going_on.start_seconds}
    figures |= {f"{name}first_ms": median(values) for name, values in firsts.items()}
    figures |= {f"{name}bytes": median(values) for name, values in sizes.items()}
    saved = [slow - fast for fast, slow in zip(firsts[""], firsts["anew_"], strict=True)]
    figures |= {"saved_ms": median(saved), "failed": failures.total()}
    return Measurement(case, figures, failures)


def _chat(case: Case, gateway: Gateway, client: str) -> Told:
    """The last answer of a chat; each client has an account of its own."""
    history: list[str] = []
    told = Told(Answer(0), 0.0)
    for number in range(case.turns):
        time.sleep(_PAUSE_SECONDS)
        # Of the directives of a merged prompt the last one counts.
        question = f"Question {number + 1} of {case.turns}. {case.message}"
        key = gateway.key.replace("{n}", client)
        told = _ask(
            gateway.url, build_chat(gateway.url, key, gateway.model, question, stream=True, history=history)
        )
        history += [question, told.answer.text]
    return told


def _ask(url: str, request: str) -> Told:
    host, port, _ = split_address(url)
    lines, _, body = request.partition("\r\n\r\n")
    method, path, _ = lines.split("\r\n")[0].split(" ")
    headers = dict(line.split(": ", 1) for line in lines.split("\r\n")[1:])
    connection, begun = http.client.HTTPConnection(host, port, timeout=_SECONDS), time.monotonic_ns()
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        answer = Answer(response.status)
        for line in response:
            if line.startswith(b"data:"):
                read_chunk(answer, time.monotonic_ns(), line[5:].decode().strip())
    finally:
        connection.close()
    first = answer.texts[0][0] if answer.texts else begun
    return Told(answer, (first - begun) / 1e6)


def _read_last_size(upstream: Upstream) -> int:
    """Bytes of the body of the last question."""
    asked = [sent for sent in upstream.list_requests() if sent["path"] == _STREAM_PATH]
    return int(asked[-1]["headers"]["content-length"])
