"""The load generator against servers that misbehave: every answer that is lost is counted, nothing hangs."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

from bench.load import Lane, Plan, Report, generate
from bench.measure import run_plan
from bench.place import list_starts
from bench.scenario import CASES

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@contextmanager
def serve(*answers: bytes) -> Iterator[int]:
    """Gives one answer to each connection, then closes it; silent when there are no more. Yields the port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        for answer in answers:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        thread.join(5)
        listener.close()


def build_plan(port: int, lanes: int, requests: int = 1, seconds: float = 5) -> Plan:
    lane = Lane(0.0, ["GET / HTTP/1.1\r\n\r\n"] * requests)
    return Plan("127.0.0.1", port, "whole", 1, 30, seconds, [lane] * lanes)


def list_problems(plan: Plan) -> list[str]:
    return [exchange.problem for exchange in generate(plan)[0]]


def test_a_server_that_closes_is_asked_again_on_a_new_connection() -> None:
    closing = ANSWER.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    with serve(closing, closing) as port:
        assert list_problems(build_plan(port, 1, requests=2)) == ["", ""]


def test_a_cut_answer_is_told() -> None:
    with serve(ANSWER[:-1]) as port:
        assert list_problems(build_plan(port, 1)) == ["connection closed before the end"]


def test_a_refused_connection_is_told_for_each_request() -> None:
    with socket.socket() as closed:  # bound, so that nobody else listens there
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        problems = list_problems(build_plan(port, 1, requests=3))
    assert problems == ["connection: ConnectionRefusedError"] * 3


def test_what_is_not_done_in_time_is_given_up() -> None:
    with serve() as port:
        problems = list_problems(build_plan(port, 2, requests=2, seconds=1))
    assert problems == ["not done in time", "not begun in time"] * 2


def test_failures_reach_the_report() -> None:
    with serve(ANSWER, ANSWER[:-1]) as port:
        report: Report = run_plan(build_plan(port, 2))
    assert report.findings.answers == 2
    assert report.findings.failures == {
        "unreadable: JSONDecodeError": 1,
        "connection closed before the end": 1,
    }
    assert not report.findings.first_ms


def test_clients_come_in_step_with_nothing() -> None:
    for case in CASES:
        if case.streamed and case.streams > 1:
            phases = sorted(start % (case.pace_ms / 1000) for _, start in list_starts(case))
            steps = [later - earlier for earlier, later in pairwise(phases)]
            assert max(steps) < case.pace_ms / 1000 / case.streams * 4
