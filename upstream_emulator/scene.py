"""What a scenario is given: the request it answers, the ids to use, and how its frames shall be sent."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from upstream_emulator.frame import (
    Block,
    Envelope,
    Json,
    Manner,
    build_frames,
    build_open_frames,
    encode_event,
)
from upstream_emulator.player import Step, Steps
from upstream_emulator.script import Script


@dataclass(frozen=True, slots=True)
class Scene:
    """`question` is the text of the user message, `turns` counts this one, `meta_data` is the request's."""

    script: Script
    question: str
    turns: int
    meta_data: Json
    envelope: Envelope
    pace_seconds: float
    origin: str
    """Where the pictures are."""
    leave: Callable[[list[bytes]], None] = lambda events: None
    """Takes the events that a `continue_stream` may ask for."""
    store: Callable[[Json], None] = lambda messages: None
    """Takes what the conversation's stored messages shall be."""
    seen: tuple[str, ...] = ()
    """What the message shows besides text: files by name, size and digest, or that they cannot be seen."""

    def in_style(self, style: str) -> Scene:
        """The same scene in another style, unless the script names one."""
        manner = self.envelope.manner if "style" in self.script.values else manner_of(self.script, style)
        return replace(self, envelope=replace(self.envelope, manner=manner))

    def answer(self, blocks: Sequence[Block]) -> Steps:
        """A whole answer."""
        return self.paced(self.answer_events(blocks))

    def answer_events(self, blocks: Sequence[Block]) -> Iterator[bytes]:
        return map(encode_event, build_frames(self.envelope, blocks))

    def beginning(self, *blocks: Block) -> Iterator[bytes]:
        """The events of an answer without the one that ends it."""
        return map(encode_event, build_open_frames(self.envelope, blocks))

    def ended_by(self, events: Iterable[bytes], frame: Json) -> Steps:
        """Events, then one last frame of any kind."""
        return self.paced(itertools.chain(events, [encode_event(frame)]))

    def paced(self, events: Iterable[bytes], *endings: Step) -> Steps:
        """Events with the script's pause between them, then the given steps."""
        pause = self.pace_seconds
        for number, event in enumerate(events):
            if number and pause:
                yield pause
            yield event
        yield from endings


def manner_of(script: Script, style: str) -> Manner:
    """How a script wants its frames, `style` where it does not say.

    Snapshots speak the dialect of 2024 unless told otherwise, and that one shows no flag unless told to.
    """
    wanted = script.text("style")
    style = wanted if wanted in ("snapshot", "delta", "mixed") else style
    is_old = style == "snapshot" and script.text("dialect") != "2026"
    return Manner(style, min(script.count("flag", 0 if is_old else 1), 2), is_old)
