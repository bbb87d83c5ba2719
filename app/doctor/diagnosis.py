"""From an error to its verdict: by its code, which a running gateway's answers carry as well. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from app.catalogue.message import Message
from app.core.errors import AccountAnswering, GatewayError, UpstreamUnreachable
from app.doctor import advice, messages
from app.doctor.finding import Finding, Verdict, fail

_VERDICTS = {
    "account_expired": Verdict.EXPIRED,
    "access_rejected": Verdict.EXPIRED,
    "account_blocked": Verdict.BLOCKED,
    "upstream_throttled": Verdict.THROTTLED,
    "account_answering": Verdict.THROTTLED,
    "accounts_busy": Verdict.THROTTLED,
    "rate_limit_exceeded": Verdict.THROTTLED,
    "upstream_unreachable": Verdict.BUSY,
    "upstream_timeout": Verdict.NETWORK,
    "answer_cut": Verdict.NETWORK,
    "upstream_busy": Verdict.BUSY,
    "shutting_down": Verdict.GATEWAY,
    "too_many_streams": Verdict.GATEWAY,
    "internal_error": Verdict.GATEWAY,
}


def find_verdict(code: str) -> Verdict:
    """What nobody knows is a change of the upstream."""
    return _VERDICTS.get(code, Verdict.CHANGED)


def refuse(
    check: Message, error: GatewayError, clock: Callable[[], float], subject: str = "", **values: object
) -> Finding:
    """The finding for what the upstream said instead of an answer."""
    verdict = find_verdict(error.code)
    if isinstance(error, UpstreamUnreachable) and error.__cause__ is not None:
        verdict = Verdict.NETWORK  # without a cause it answered: with a failure of its own
    step = advice.WAIT_ELSEWHERE if isinstance(error, AccountAnswering) else None
    if verdict is Verdict.THROTTLED and step is None and error.retry_after_seconds:
        step = advice.WAIT_UNTIL
        values["until"] = say_time(clock() + error.retry_after_seconds)
    return fail(
        check, verdict, messages.REFUSED, step, subject, reason=error.explained, code=error.code, **values
    )


def say_time(at: float) -> str:
    """A moment of Unix time on this machine's wall clock."""
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def say_day(at: float) -> str:
    return say_time(at)[:10]
