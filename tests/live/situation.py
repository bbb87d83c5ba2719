"""What a client hears in each situation: the table behind docs/errors.md.

A directive of the upstream emulator plays each one. Before the first delta it is an HTTP status with
an OpenAI error; after it, an error event.
"""

from __future__ import annotations

from typing import NamedTuple


class Situation(NamedTuple):
    directive: str
    status: int
    type: str
    code: str


BEFORE = (
    Situation("busy", 503, "api_error", "upstream_busy"),
    Situation("error-frame at=0", 502, "api_error", "upstream_error"),
    Situation("error-frame at=0 kind=code", 401, "authentication_error", "account_expired"),
    Situation("cut at=0", 502, "api_error", "empty_answer"),
    Situation("cut at=1", 502, "api_error", "answer_cut"),
    Situation("reset at=1", 502, "api_error", "answer_cut"),
    Situation("noend at=0", 502, "api_error", "answer_cut"),
    Situation("stall at=0 seconds=30", 504, "api_error", "upstream_timeout"),
    Situation("silence", 504, "api_error", "upstream_timeout"),
    Situation("hangup", 502, "api_error", "upstream_unreachable"),
    Situation("empty", 502, "api_error", "empty_answer"),
    Situation("json200", 503, "api_error", "account_blocked"),
    Situation("toolong", 400, "invalid_request_error", "context_length_exceeded"),
    Situation("validation", 502, "api_error", "upstream_invalid"),
    Situation("busy429", 429, "rate_limit_error", "account_answering"),
    Situation("throttled429", 429, "rate_limit_error", "upstream_throttled"),
    Situation("busy200", 429, "rate_limit_error", "account_answering"),
    Situation("waf400", 503, "api_error", "account_blocked"),
    Situation("http500", 502, "api_error", "upstream_unreachable"),
    Situation("html429", 429, "rate_limit_error", "upstream_throttled"),
    Situation("html502", 502, "api_error", "upstream_unreachable"),
    Situation("html503", 502, "api_error", "upstream_unreachable"),
    Situation("waf200", 502, "api_error", "upstream_invalid"),
    Situation("waf405", 502, "api_error", "upstream_invalid"),
)

AFTER = (
    Situation("busy at=3", 503, "api_error", "upstream_busy"),
    Situation("error-frame at=3", 502, "api_error", "upstream_error"),
    Situation("cut", 502, "api_error", "answer_cut"),
    Situation("cut inside=1", 502, "api_error", "answer_cut"),
    Situation("reset", 502, "api_error", "answer_cut"),
    Situation("noend", 502, "api_error", "answer_cut"),
    Situation("stall seconds=30", 504, "api_error", "upstream_timeout"),
)
