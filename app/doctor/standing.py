"""What the upstream says of an account, as a line. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from app.doctor import messages
from app.doctor.finding import Finding, note, ok


def judge_standing(subject: str, points: float | None, *, is_blocked: bool | None) -> Iterator[Finding]:
    """Nothing where the upstream does not say. For the reader to judge: such an account may answer yet."""
    if is_blocked:
        yield note(messages.STANDING, messages.STANDING_BLOCKED, subject)
    if points is not None and points <= 0:  # protocol notes 0.2 row 3
        yield note(messages.STANDING, messages.STANDING_NO_POINTS, subject)
    elif points is not None:
        yield ok(messages.STANDING, messages.STANDING_POINTS, subject, points=points)
