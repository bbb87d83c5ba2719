"""What a check found, and the one verdict that follows from all of them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from app.catalogue.message import Message


class Mark(Enum):
    """How a check went. Only FAIL makes the doctor's verdict; NOTE is for the reader to judge."""

    OK = "ok"
    NOTE = "note"
    SKIP = "skip"
    FAIL = "fail"


class Verdict(Enum):
    """What is wrong, ordered: what stands above explains what stands below it, or is to be mended first."""

    SETTINGS = "settings"
    MACHINE = "machine"
    GATEWAY = "gateway"
    CLOCK = "clock"
    NETWORK = "network"
    CHANGED = "changed"
    BLOCKED = "blocked"
    EXPIRED = "expired"
    THROTTLED = "throttled"
    BUSY = "busy"


_ORDER = list(Verdict)


@dataclass(frozen=True, slots=True)
class Finding:
    """One line. `subject` is the label of an account, `advice` what to do in place of the verdict's usual."""

    check: Message
    mark: Mark
    words: Message
    values: dict[str, object] = field(default_factory=dict)
    subject: str = ""
    verdict: Verdict | None = None
    advice: Message | None = None


def ok(check: Message, words: Message, subject: str = "", **values: object) -> Finding:
    return Finding(check, Mark.OK, words, values, subject)


def note(check: Message, words: Message, subject: str = "", **values: object) -> Finding:
    return Finding(check, Mark.NOTE, words, values, subject)


def skip(check: Message, words: Message, subject: str = "", **values: object) -> Finding:
    return Finding(check, Mark.SKIP, words, values, subject)


def fail(
    check: Message,
    verdict: Verdict,
    words: Message,
    advice: Message | None = None,
    subject: str = "",
    **values: object,
) -> Finding:
    return Finding(check, Mark.FAIL, words, values, subject, verdict, advice)


def conclude(findings: Iterable[Finding]) -> Finding | None:
    """The finding to act upon first, None where all is well."""
    failed = [finding for finding in findings if finding.verdict is not None]
    return min(failed, key=lambda finding: _ORDER.index(finding.verdict), default=None)  # type: ignore[arg-type]
