"""An exchange as a script: what the upstream says and when goes in, what the client gets and when comes out.

    rig = Rig(STARTED, 2.0, TextDelta("a"), 7.0, FINISHED)
    rig.commit()
    assert rig.play() == [(2, [TextDelta("a")]), (7, None), (9, [FINISHED])]

Nobody waits for any of the seconds: they pass on a clock that the stream moves.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, ClassVar

from app.accounts.account import Account, LoginSlot, Pacing
from app.accounts.lease import Lease
from app.core.errors import GatewayError, Outcome
from app.core.event import ReplyEvent, ReplyFinished, ReplyStarted
from app.exchange.answer import Remedies
from app.exchange.clock import Clocks
from app.exchange.healing import Healing
from app.exchange.reply import Reply
from app.exchange.transforms.options import UNCHANGED, OutputOptions
from tests.clock import Clock

CONVERSATION_ID, ANSWER_ID = "a" * 24, "b" * 24
STARTED = ReplyStarted(CONVERSATION_ID)
FINISHED = ReplyFinished("stop")
EMPTY: list[ReplyEvent] = []
"""A frame that says nothing to the client."""
COMMENT = "comment"
"""Bytes that are no frame."""

Step = ReplyEvent | list[ReplyEvent] | float | str | GatewayError | Callable[[], None]
"""What comes next: events of one frame, bytes, an error, seconds of silence, or a look at everything else."""

Heard = tuple[float, list[ReplyEvent] | type[GatewayError] | None]


def repeat(times: int, *steps: Step) -> list[Step]:
    return list(steps) * times


class ScriptedStream:
    """Stands for an AnswerStream. After its last step it is silent for ever."""

    def __init__(self, clock: Clock, *steps: Step, log: list[str] | None = None) -> None:
        self._clock = clock
        self._steps = list(steps)
        self._log = log if log is not None else []
        self.frames = 0
        self.model: str | None = None
        self.conversation_id: str | None = None
        self.answer_id: str | None = None
        self.finished = self.ended = False

    def read(self, seconds: float) -> list[ReplyEvent] | None:
        assert seconds > 0
        while callable(step := self._steps[0] if self._steps else float("inf")):
            self._steps.pop(0)
            step()
        if not isinstance(step, float | int):
            self._steps.pop(0)
            return self._say(step)
        if step > seconds:
            self._clock.now += seconds
            self._steps[:1] = [step - seconds]
            return None
        self._clock.now += step
        self._steps.pop(0)
        return self.read(seconds - step) if seconds > step else None

    def _say(self, step: ReplyEvent | list[ReplyEvent] | str | GatewayError) -> list[ReplyEvent]:
        if isinstance(step, GatewayError):
            self.ended = True
            raise step
        if step == COMMENT:
            return []
        events: list[Any] = step if isinstance(step, list) else [step]
        self.frames += 1
        for event in events:
            if isinstance(event, ReplyStarted):
                self.conversation_id, self.answer_id = event.conversation_id, ANSWER_ID
            if isinstance(event, ReplyFinished):
                self.finished = self.ended = True
        return list(events)

    def close(self) -> None:
        self._log.append("stream closed")


class NotedUse:
    """Stands for a ConversationUse."""

    turn = 1

    def __init__(self, log: list[str]) -> None:
        self._log = log

    def begin(self, conversation_id: str) -> None:
        self._log.append(f"named {conversation_id[:1]}")

    def forgo(self) -> None:
        self._log.append("forgone")

    def end(self, *, delivered: bool, is_answered: bool) -> None:
        self._log.append("delivered" if delivered else "not delivered")


class Rig:
    """One reply; `log` tells what became of all that it holds, in order. The fixture closes what is open."""

    made: ClassVar[list[Rig]] = []

    def __init__(
        self,
        *steps: Step,
        options: OutputOptions = UNCHANGED,
        whole: float = 100,
        stop: Callable[[], object] = lambda: None,
        again: tuple[Step, ...] | GatewayError | None = None,
        healing: Healing | None = None,
    ) -> None:
        """`stop` is what happens upstream where the answer is stopped, `again` what it says to one more
        question; `asked` is that question.
        """
        self._again = again
        self.asked: list[str] = []
        self.clock = Clock()
        self.log: list[str] = []
        self.begun_at = self.clock.now
        self.stream = ScriptedStream(self.clock, *steps, log=self.log)
        clocks = Clocks(commit=3, idle=20, heartbeat=5, whole=whole)
        stream: Any = self.stream
        use: Any = NotedUse(self.log)
        self.reply = Reply(
            stream,
            use,
            clocks,
            self.clock,
            options,
            stop=self._note_stop,
            remedies=Remedies(self._ask_again, healing),
        )
        self._stop = stop
        self.is_free = threading.Event()
        self.made.append(self)

    @property
    def seconds(self) -> float:
        """How much time has passed."""
        return round(self.clock.now - self.begun_at, 6)

    def _note_stop(self, answer_id: str) -> None:
        self.log.append(f"stopped {answer_id[:1]}")
        self._stop()

    def pass_seconds(self, seconds: float) -> None:
        self.clock.now += seconds

    def _ask_again(self, conversation_id: str, prompt: str) -> Any:
        self.log.append(f"asked again in {conversation_id[:1]}")
        self.asked.append(prompt)
        if isinstance(self._again, GatewayError):
            raise self._again
        assert self._again is not None, "nobody expected one more question"
        return ScriptedStream(self.clock, STARTED, *self._again, log=self.log)

    def commit(self, *, until: float = 60) -> Reply:
        """As the opener does it."""
        self.reply.wait_first_event(self.begun_at + until)
        self.reply.wait_commit(self.begun_at + until)
        self.reply.own_lease(Lease(Account("token", "k" * 64, LoginSlot(Pacing()), "owner"), self._release))
        return self.reply

    def _release(self, _: Lease, outcome: Outcome, error: GatewayError | None) -> None:
        self.log.append(f"released {outcome.value}" + (f" by {error.code}" if error else ""))
        self.is_free.set()

    def play(self) -> list[Heard]:
        """What is read when, to the end."""
        heard: list[Heard] = []
        try:
            while not self.reply.finished:
                events = self.reply.read()
                if events != []:
                    heard.append((self.seconds, events))
        except GatewayError as error:
            heard.append((self.seconds, type(error)))
        return heard

    def hear(self) -> list[ReplyEvent]:
        """All events, to a good end."""
        return [event for _, events in self.play() if isinstance(events, list) for event in events]

    def close(self) -> list[str]:
        """What closing does, in order."""
        before = len(self.log)
        self.reply.close(in_background=False)
        return self.log[before:]
