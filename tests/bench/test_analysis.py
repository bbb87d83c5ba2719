"""The measuring itself: an answer that is not intact must never count as one."""

from __future__ import annotations

import json
import math

import pytest

from bench.analysis import Exchange, analyse, build_text, find_problem, percentile, spread
from bench.answer import Answer

STAMPS = [("0", "1000"), ("1", "2000"), ("2", "3000")]
TEXT = build_text(STAMPS, 40)


def test_percentiles_and_spreads() -> None:
    assert [percentile([3.0, 1.0, 2.0, 4.0], percent) for percent in (50, 75, 99)] == [2.0, 3.0, 4.0]
    assert math.isnan(percentile([], 50))
    assert spread([3.0, 1.0, 2.0]) == (2.0, 1.0, 3.0)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (Answer(200, [(1, TEXT)], "stop", done=True), ""),
        (Answer(200, [(1, TEXT)], None, done=True), "finish_reason None"),
        (Answer(200, [(1, TEXT)], "stop", done=False), "no [DONE]"),
        (Answer(200, [(1, TEXT[:-1])], "stop", done=True), "characters missing, doubled or changed"),
        (
            Answer(200, [(1, build_text(STAMPS[1:], 40))], "stop", done=True),
            "pieces missing, doubled or out of order",
        ),
        (Answer(502, error="no"), "HTTP 502: no"),
    ],
)
def test_only_a_whole_answer_is_good(answer: Answer, problem: str) -> None:
    assert find_problem(answer, 3, 40) == problem


def test_a_stream_is_read_with_its_times() -> None:
    def chunk(text: str | None, finish: str | None) -> bytes:
        choice = {"index": 0, "delta": {"content": text} if text else {}, "finish_reason": finish}
        data = b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"
        return b"%x\r\n%b\r\n" % (len(data), data)

    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    end = b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"
    reads = [(5_000_000, head + chunk(TEXT, None)), (6_000_000, chunk(None, "stop") + end)]
    findings = analyse([Exchange(1_000_000, reads)], "stream", 3, 40)
    assert not findings.failures
    assert findings.first_ms == [4.0]
    assert findings.latency_ms == [4.0, 3.0, 2.0]
