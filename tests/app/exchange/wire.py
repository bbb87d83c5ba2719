"""An answer from the upstream's bytes to the client's, in every style and cut anywhere, without a socket.

parts of the answer --style--> SSE bytes -> AnswerStream -> Answer with its transforms -> encoder | folder

hear([Text("Let me look. "), Text(CALL)], options) == Heard("Let me look. ", (("read", "{}"),), "tool_calls")
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from app.core.errors import GatewayError
from app.core.event import ReplyEvent, ReplyFinished, ToolCalled
from app.core.usage import TokenEstimate, Usage
from app.exchange.answer import Answer, Remedies
from app.exchange.transforms.options import OutputOptions
from app.formats.format import ReplyHead
from app.upstream.stream import AnswerStream
from tests.app.exchange.format_reader import FORMATS, Heard

MAX_CUT_EVERYWHERE_CHARS = 2_000
RANDOM_CUTS = 200
_MARK = re.compile(r'</?call-\w+|</?tool_call>|</?arg_\w+>|`{3}|\{\s*"function_call"')
_HEAD = ReplyHead("a" * 24, "glm", 1)


@dataclass(frozen=True, slots=True)
class Style:
    """How the upstream tells a growing text, and whether it says so (protocol notes 4.5)."""

    is_snapshot: bool
    increases: bool | None


STYLES = {
    "delta": Style(is_snapshot=False, increases=True),
    "snapshot": Style(is_snapshot=True, increases=False),
    "unmarked delta": Style(is_snapshot=False, increases=None),
    "unmarked snapshot": Style(is_snapshot=True, increases=None),
}


@dataclass(frozen=True, slots=True)
class Text:
    """A part of the answer's text, or of its thinking; `status` is what the part ends with."""

    text: str
    kind: str = "text"
    status: str = "finish"

    def build(self, text: str) -> dict[str, Any]:
        return {"type": self.kind, self.kind: text}


@dataclass(frozen=True, slots=True)
class Native:
    """A call of the upstream's own form; `text` are its arguments. Known by its id, or by its place."""

    text: str
    name: str = "read_file"
    id: str | None = "tool-1"
    status: str = "finish"

    def build(self, text: str) -> dict[str, Any]:
        call = {"name": self.name, "arguments": text} | ({"id": self.id} if self.id else {})
        return {"type": "tool_calls", "tool_calls": call}


@dataclass(frozen=True, slots=True)
class Failed:
    """What the site's executor says to a native call: it repeats the call, and is an error."""

    call: Native
    text: str = ""

    def build(self, text: str) -> dict[str, Any]:
        return self.call.build(self.call.text) | {"type": "tool_result"}


Part = Text | Native | Failed


def listen(answer: Answer, *, is_committed: bool) -> Heard:
    """What clients of every format hear, streamed and whole, of the same events: it has to be the same."""
    heads = [
        (each.asked.build_encoder(_HEAD, _count()), each.asked.build_folder(_HEAD, _count()))
        for each in FORMATS
    ]
    streams = [[encoder.start()] for encoder, _ in heads]
    failure: GatewayError | None = None
    has_custom = False
    try:
        events: list[ReplyEvent] = []
        while not any(isinstance(event, ReplyFinished) for event in events):
            events = answer.read(1.0, is_committed=is_committed) or []
            has_custom |= any(isinstance(event, ToolCalled) and event.kind == "custom" for event in events)
            for (encoder, folder), data in zip(heads, streams, strict=True):
                data.append(encoder.encode(events))
                folder.add(events)
    except GatewayError as error:
        failure = error
        for (encoder, _), data in zip(heads, streams, strict=True):
            data.append(encoder.error(error))
    finally:
        answer.close()
    heard: list[Heard] = []
    for each, (_, folder), data in zip(FORMATS, heads, streams, strict=True):
        if has_custom and not each.knows_custom_tools:
            continue
        streamed = each.read_stream(b"".join(data), failure is not None)
        assert failure is not None or each.read_whole(folder.encode()) == streamed
        heard.append(streamed if failure is None else replace(streamed, finish=None, error=failure.code))
    assert all(_compare(each) == _compare(heard[0]) for each in heard), heard
    return heard[0]


def _count() -> Usage:
    return Usage(TokenEstimate())


def _compare(heard: Heard) -> tuple[object, ...]:
    """Calls by what they mean: one format has their arguments as JSON in its own JSON."""
    calls = [
        (name, arguments.split() if not arguments.startswith("{") else json.loads(arguments))
        for name, arguments in heard.calls
    ]
    return heard.text, calls, heard.finish, heard.error, heard.thinking


class _Body:
    """Stands for a BodyReader: pieces that have all come."""

    complete = True

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)

    def read(self, seconds: float) -> bytes:
        return next(self._pieces, b"")

    def close(self) -> None:
        self._pieces = iter(())


def hear(
    pieces: Iterable[bytes],
    options: OutputOptions,
    *,
    again: Callable[[], Iterable[bytes]] | None = None,
    is_committed: bool = True,
) -> Heard:
    """`again` is what the upstream says when it is asked once more; the second time is a failure."""

    def open_stream(answer: Iterable[bytes]) -> AnswerStream:
        body: Any = _Body(answer)
        return AnswerStream(body, lambda reusable: None, reads_calls=options.calls is not None)

    answer = Answer(
        open_stream(pieces),
        options.build_transforms(TokenEstimate()),
        on_named=lambda conversation_id: None,
        stop=lambda: None,
        remedies=Remedies((lambda conversation_id, prompt: open_stream(again())) if again else None),
    )
    return listen(answer, is_committed=is_committed)


def write(
    parts: Sequence[Part], style: Style, places: Sequence[int] = (), *, end: str = "finish"
) -> Iterator[bytes]:
    """The answer's events, each a piece: its parts cut at these places of all their texts together.

    `end` is the status of the last frame; without one the body just ends. A part that ends with the answer
    repeats its whole text, as the upstream does (protocol notes 4.3).
    """
    offset = 0
    yield _frame([], style, "init")
    for number, part in enumerate(parts):
        length = len(part.text)
        cuts = [place - offset for place in places if 0 < place - offset < length]
        offset += length
        if isinstance(part, Failed):
            yield _frame([_build_failed(part, number)], style, "init")
            continue
        for begin, stop in zip([0, *cuts], [*cuts, length], strict=True):
            shown = part.text[:stop] if style.is_snapshot else part.text[begin:stop]
            yield _frame([_build(part, number, shown, "init")], style, "init")
        if part.status:
            yield _frame([_build(part, number, part.text, part.status)], style, "init")
    if end:
        yield _frame([], style, end)


def _build(part: Text | Native, number: int, shown: str, status: str) -> dict[str, Any]:
    return {
        "logic_id": f"part-{number}",
        "role": "assistant",
        "model": "moe_53f",
        "content": [part.build(shown)],
        "status": status,
    }


def _build_failed(part: Failed, number: int) -> dict[str, Any]:
    return {
        "logic_id": f"part-{number}",
        "role": "tool",
        "model": "all-tools",
        "content": [part.build("")],
        "status": "error",
        "meta_data": {"show_type": "mc_tool_result2"},
    }


def _frame(parts: list[dict[str, Any]], style: Style, status: str) -> bytes:
    frame: dict[str, Any] = {
        "id": "b" * 24,
        "conversation_id": "c" * 24,
        "status": status,
        "parts": parts,
    }
    if style.increases is not None:
        frame["meta_data"] = {"if_increase_push": style.increases}
    return b"event: message\ndata: " + json.dumps(frame).encode() + b"\n\n"


def cut_everywhere(parts: Sequence[Part]) -> Iterator[tuple[int, ...]]:
    """Whole, character by character, in steps, and in two at every place.

    What is longer than 2,000 characters is cut in and around all its marks and at 200 random places instead.
    """
    text = "".join(part.text for part in parts)
    yield ()
    if len(text) <= MAX_CUT_EVERYWHERE_CHARS:
        for step in (1, 2, 3, 7):
            yield tuple(range(step, len(text), step))
        places: Iterable[int] = range(1, len(text))
    else:
        yield tuple(range(997, len(text), 997))
        edges = {place for mark in _MARK.finditer(text) for place in range(mark.start() - 1, mark.end() + 2)}
        chosen = Random(len(text))
        places = sorted(edges | {chosen.randrange(1, len(text)) for _ in range(RANDOM_CUTS)})
    for place in places:
        yield (place,)
