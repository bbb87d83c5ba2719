"""The judge of a crowd sees what is unfair, and only that."""

from __future__ import annotations

import pytest

from bench.analysis import Exchange
from tests.acceptance.fairness import Visit, judge, read_visit

AB, B = frozenset("ab"), frozenset("b")
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
TEXT = '{"id":"0123456789abcdef01234567"} ⟦0:2000000⟧x ⟦1:3000000⟧y data: [DONE]'.encode()


def test_a_fair_crowd() -> None:
    visits = [Visit(AB, 0, "a", 0, 1), Visit(AB, 0, "b", 0, 1), Visit(AB, 0.1, "a", 1.01, 2)]
    fairness = judge(visits, 0.02)
    assert (fairness.answers, fairness.refusals, fairness.problems) == (3, 0, [])
    assert fairness.worst_wait_ms == pytest.approx(10)
    assert fairness.overtakings == []
    assert fairness.longest_wait_seconds == pytest.approx(0.91)


def test_waiting_beside_an_idle_account() -> None:
    visits = [Visit(AB, 0, "a", 0, 5), Visit(B, 0, "b", 0, 1), Visit(AB, 0.5, "b", 3, 4)]
    assert judge(visits, 0.02).worst_wait_ms == pytest.approx(2000)


def test_an_idle_account_of_others_does_not_matter() -> None:
    visits = [
        Visit(AB, 0, "a", 0, 1),
        Visit(AB, 2, "a", 2, 3),
        Visit(B, 0, "b", 0, 2),
        Visit(B, 0, "b", 2, 3),
    ]
    assert judge(visits, 0.02).worst_wait_ms == 0


def test_being_overtaken() -> None:
    early, late = Visit(AB, 0, "a", 2, 3), Visit(AB, 0.5, "b", 1, 3)
    assert judge([early, late], 0.02).overtakings == [(early, late)]
    assert judge([early, Visit(B, 0.5, "b", 1, 3)], 0.02).overtakings == []


@pytest.mark.parametrize(
    ("raw", "account", "problem"),
    [
        (OK + TEXT, "a", ""),
        (b"HTTP/1.1 429 X\r\nRetry-After: 5\r\n\r\n{}", "", ""),
        (b"HTTP/1.1 429 X\r\nContent-Length: 2\r\n\r\n{}", "", "HTTP 429"),
        (b"HTTP/1.1 503 X\r\nRetry-After: 5\r\n\r\n{}", "", "HTTP 503"),
        (OK + TEXT.replace(b"[DONE]", b""), "", "HTTP 200"),
        (OK, "", "HTTP 200"),
    ],
)
def test_reading(raw: bytes, account: str, problem: str) -> None:
    visit = read_visit(Exchange(1_000_000_000, [(0, raw)]), AB, {"0123456789abcdef01234567": "a"}, 0.5)
    assert visit.account == account
    assert visit.problem.startswith(problem)
    assert bool(visit.problem) == bool(problem)
    if account:
        assert (visit.sent, visit.begun, visit.ended) == (1.0, 1.5, 3.0)


def test_an_answer_from_somebody_elses_account_is_a_problem() -> None:
    visit = read_visit(Exchange(0, [(0, OK + TEXT)]), B, {"0123456789abcdef01234567": "a"}, 0.5)
    assert judge([visit], 0.02).problems == ["answered by an account of somebody else"]
