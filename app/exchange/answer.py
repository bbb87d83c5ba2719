"""What a request hears of the upstream: the events of an answer as its transforms leave them.

    read --events--> transforms --events--> the reply
                        |
                        +-- a check wants more --> one further question in the same conversation

A check (transforms/check.py) may find that the answer is not what the request needs: a call that cannot be
read, JSON that is none. Once for each answer it is then asked again, on the same account; what was heard
before stays heard. Whatever the second answer lacks is the error that the first one amounts to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from app.core.errors import CutAnswer, GatewayError
from app.core.event import ReplyEvent, ReplyFinished, ReplyStarted
from app.exchange.healing import Healing
from app.exchange.transforms.check import Check, FollowUp
from app.exchange.transforms.options import Transform
from app.upstream.stream import AnswerStream

AskAgain = Callable[[str, str], AnswerStream]
"""Asks in the conversation with this id (first) what stands in the second argument."""


class Remedies(msgspec.Struct, frozen=True):
    """What may be done, once each, about an answer that is not what it should be; None: nothing."""

    ask_again: AskAgain | None = None
    healing: Healing | None = None


NO_REMEDIES = Remedies()


class Answer:
    """One for each reply, used by its greenlet. Whoever made it closes it."""

    def __init__(
        self,
        stream: AnswerStream,
        transforms: Sequence[Transform],
        *,
        on_named: Callable[[str], None],
        stop: Callable[[], None],
        remedies: Remedies = NO_REMEDIES,
    ) -> None:
        """`on_named` hears the conversation's id; `stop` has the upstream end what it is saying."""
        self._stream = stream
        self._transforms = transforms
        self._checks = [transform for transform in transforms if isinstance(transform, Check)]
        self._on_named = on_named
        self._stop = stop
        self._ask_again = remedies.ask_again
        # What a check has read may be half a call, or half a JSON value.
        self._healing = remedies.healing if not self._checks else None
        self._follow_up: FollowUp | None = None  # what is to be asked before anything more is read
        self._frames_before = 0
        self.frames = 0
        """How many documents of the upstream have been read."""
        self.is_cut_short = False
        """It was ended here, while the upstream had more to say."""
        self._is_named = False  # by the stream that is read now
        self.conversation_id: str | None = None

    def __repr__(self) -> str:
        return f"<Answer {self._stream!r}>"

    @property
    def answer_id(self) -> str | None:
        """What the upstream calls the answer that it is giving: to stop it by."""
        return self._stream.answer_id

    @property
    def model(self) -> str | None:
        """What answers, by the upstream's name for it."""
        return self._stream.model

    @property
    def ended(self) -> bool:
        """Nothing more comes of what the upstream is saying."""
        return self._stream.ended

    @property
    def is_over_upstream(self) -> bool:
        """The upstream has said all it had to say."""
        return self._stream.finished or self._stream.ended

    def read(self, seconds: float, *, is_committed: bool) -> list[ReplyEvent] | None:
        """As AnswerStream.read; raises in addition what the answer amounts to for this request."""
        if self._follow_up is not None:
            follow_up, self._follow_up = self._follow_up, None
            self._follow(follow_up, is_committed=is_committed)
        try:
            events = self._stream.read(seconds)
        except GatewayError as error:
            if self._healing is None:
                raise
            events = self._heal(self._healing, error)
        finally:
            self.frames = self._frames_before + self._stream.frames
        return self._shape(events) if events else events

    def _heal(self, healing: Healing, error: GatewayError) -> list[ReplyEvent]:
        """What comes of trying; raises what cut the answer at first where nothing does."""
        is_resumed = healing.cut is not None
        if is_resumed:
            self._stream.close()
        elif not isinstance(error, CutAnswer):
            raise error
        else:
            frames, resumed = self._stream.frames, healing.resume(self._stream, error)
            if resumed is not None:
                self._stream = resumed
                self._frames_before += frames
                return []
        events = healing.read_stored(self._stream)
        if events is None:
            if is_resumed:
                self._stop()
            healing.give_up()
        return events

    def expect_whole(self) -> None:
        """Nothing of it is told before its end."""
        if self._healing is not None:
            self._healing.is_whole = True

    def _shape(self, events: list[ReplyEvent]) -> list[ReplyEvent]:
        """What the request wants of `events`; where it wants no more, the upstream is left at once."""
        if not self._is_named and self._stream.conversation_id is not None:
            events = self._note_name(self._stream.conversation_id, events)
        for transform in self._transforms:
            events = transform.apply(events)
        if events and type(events[-1]) is ReplyFinished:
            if not self._stream.finished:
                self.is_cut_short = True
                self._stream.close()
            elif self._healing is not None:
                self._healing.note_end()
        elif self._checks:
            wanted = [check.take_follow_up() for check in self._checks]
            self._follow_up = next(filter(None, wanted), None)
        return events

    def _note_name(self, conversation_id: str, events: list[ReplyEvent]) -> list[ReplyEvent]:
        self._is_named = True
        if self.conversation_id is None:
            self.conversation_id = conversation_id
            self._on_named(conversation_id)
        return [event for event in events if not isinstance(event, ReplyStarted)]

    def _follow(self, follow_up: FollowUp, *, is_committed: bool) -> None:
        """Ask again. Raises the failure where that may not be: it was done before, or another account may."""
        ask_again, self._ask_again = self._ask_again, None
        if follow_up.is_last_resort and not is_committed:
            raise follow_up.failure
        if ask_again is None or self.conversation_id is None:
            raise follow_up.failure
        is_left = not self.is_over_upstream
        self._stream.close()
        if is_left:
            self._stop()
        self._frames_before += self._stream.frames
        self._is_named = False
        self._stream = ask_again(self.conversation_id, follow_up.prompt)

    def close(self) -> None:
        """Nothing holds the reply any more, so that all of it is gone with the reply."""
        self._stream.close()
        self._healing, self._stop = None, _do_nothing


def _do_nothing() -> None:
    pass
