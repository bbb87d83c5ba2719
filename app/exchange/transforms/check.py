"""Transforms that may want one more question, since the answer is not what the request needs."""

from __future__ import annotations

from abc import ABC, abstractmethod

import msgspec

from app.core.errors import GatewayError
from app.core.event import ReplyEvent


class FollowUp(msgspec.Struct, frozen=True):
    """What to ask in the same conversation, and what the answer amounts to where that may not be."""

    prompt: str
    failure: GatewayError
    is_last_resort: bool = False
    """Before the commit point the failure is better: another account is asked then."""


class Check(ABC):
    """A transform that leaves an end out where it wants a question asked; the next events answer that."""

    def __init__(self) -> None:
        self._follow_up: FollowUp | None = None

    @abstractmethod
    def apply(self, events: list[ReplyEvent]) -> list[ReplyEvent]: ...

    def take_follow_up(self) -> FollowUp | None:
        """The question that is wanted now, told once."""
        follow_up, self._follow_up = self._follow_up, None
        return follow_up
