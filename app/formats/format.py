"""What the routes need of a format: a request that was read, and what writes its answer.

One small interface, one package for each format:

    body --parse--> Asked(question, stream) --> Encoder: start, encode..., heartbeat..., [error]    a stream
                                            \\-> Folder: add..., encode                             one body
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

import msgspec

from app.core.errors import GatewayError
from app.core.event import ReplyEvent
from app.core.request import Question
from app.core.usage import Usage
from app.core.wait import Wait

ErrorEncoder = Callable[[GatewayError, str], bytes]
"""A failure before the answer began, as a whole body of the format; the text is the request's id."""


class ReplyHead(msgspec.Struct, frozen=True):
    """What every piece of one answer repeats: the conversation's `id`, the model, Unix time in seconds, and
    which answer of the conversation it is.
    """

    id: str
    model: str
    created: int
    served_by: str | None = None
    """The upstream's own name for what answers, None where it has not said so."""
    turn: int = 1


class Encoder(Protocol):
    """Writes one answer as it comes: bytes that are ready to be sent, none where there is nothing to say."""

    def start(self) -> bytes:
        """Comes once, before anything else."""
        ...

    def encode(self, events: Iterable[ReplyEvent]) -> bytes:
        """The last event of a good answer ends the stream as the format wants it ended."""
        ...

    def heartbeat(self) -> bytes:
        """Tells proxies and clients that the stream is alive."""
        ...

    def error(self, error: GatewayError) -> bytes:
        """The last thing of a stream that failed: nothing that looks like a good end follows it."""
        ...


class ProgressEncoder(Encoder, Protocol):
    """Begins before there is an answer, and says what is waited for."""

    def encode_wait(self, wait: Wait, words: str) -> bytes:
        """`words` for people; they are nothing of the answer, and not counted."""
        ...

    def begin_answer(self, head: ReplyHead, usage: Usage) -> Encoder:
        """What writes the answer behind all this, which is now known to be of that `head`; it has started."""
        ...


class Folder(Protocol):
    """Folds the same events into one body."""

    def add(self, events: Iterable[ReplyEvent]) -> None: ...

    def encode(self) -> bytes: ...


class Asked(Protocol):
    """A request of one format that was read and checked."""

    @property
    def question(self) -> Question: ...

    @property
    def stream(self) -> bool:
        """Whether the client wants the answer as it comes."""
        ...

    def build_encoder(self, head: ReplyHead, usage: Usage) -> Encoder: ...

    def build_folder(self, head: ReplyHead, usage: Usage) -> Folder: ...


class AskedProgress(Asked, Protocol):
    """A request that may want to know what is waited for."""

    @property
    def progress(self) -> bool:
        """Streamed, and the stream shall say what is waited for until the answer begins."""
        ...

    def build_encoder(self, head: ReplyHead, usage: Usage) -> ProgressEncoder: ...
