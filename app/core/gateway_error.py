"""What every failure that a caller can see has in common; app/core/errors.py has all of them."""

from __future__ import annotations

import math
from enum import Enum
from typing import ClassVar

from app.catalogue.code import complete
from app.catalogue.load import TRY_AGAIN_IN
from app.catalogue.message import Message, tell
from app.core.upstream_words import UpstreamWords

MAX_CLIENT_WAIT_SECONDS = 60.0
"""The official SDKs wait so long for Retry-After; at a longer one they ask again within seconds."""


class Outcome(Enum):
    """How a lease ended, as the account's health wants to know it."""

    OK = "ok"
    REJECTED = "rejected"
    RATE_LIMITED = "rate-limited"
    BLOCKED = "blocked"
    UNREACHABLE = "unreachable"
    ABANDONED = "abandoned"


class GatewayError(Exception):
    """A failure with a place in the error table, told in a sentence of the catalogue (app/catalogue)."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    outcome: ClassVar[Outcome] = Outcome.ABANDONED
    should_retry: ClassVar[bool] = True
    """False where the same request would fail again."""

    def __init__(
        self, said: Message | str, *, param: str | None = None, retry_after_seconds: float | None = None
    ) -> None:
        """Of words that are in no catalogue the Chinese ones are those of the code."""
        self.said = said if isinstance(said, Message) else Message(said, "")
        super().__init__(self.said.en)
        self.param = param
        self.retry_after_seconds = retry_after_seconds
        self.upstream: UpstreamWords | None = None
        self.account: str | None = None
        """The label of the one that failed."""

    def forget_frames(self) -> None:
        """Those hold all that was at work where it was raised, and one of them this error itself: in a cycle,
        so that all would stay until a collection."""
        error: BaseException | None = self
        while error is not None:
            error.__traceback__ = None
            error = error.__cause__ or error.__context__

    @property
    def message(self) -> str:
        """In English, for programs."""
        return self.said.en

    @property
    def explained(self) -> Message:
        """In both languages, whoever raised it."""
        return complete(self.said, self.code)

    @property
    def text(self) -> str:
        """What the caller is told, in every format: English first. Not redacted."""
        message = self.explained
        if self.retry_after_seconds is not None:
            message = message.then(TRY_AGAIN_IN.fill(seconds=self.whole_retry_seconds))
        return tell(message)

    @property
    def whole_retry_seconds(self) -> int:
        return max(1, math.ceil(self.retry_after_seconds or 0))

    @property
    def forbids_retry(self) -> bool:
        """Whether clients are told not to ask again by themselves, which they would do within seconds."""
        return not self.should_retry or (self.retry_after_seconds or 0) > MAX_CLIENT_WAIT_SECONDS

    @property
    def try_next_account(self) -> bool:
        """Another account may succeed where this one failed: whenever the failure says something about it."""
        return self.outcome is not Outcome.ABANDONED
