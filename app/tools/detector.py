"""Finds the calls in the text of an answer, while the text stays live.

    TEXT --opener--> HELD --declared name--> BODY --value whole--> CLOSER --> AFTER --opener--> HELD ...
      ^                |                                                        |
      +--no call-------+                              anything but blanks: over, or text

Held back is only what may begin a call at its place. A call of the dialect counts wherever it stands, and
ends the text: after it come blanks and further calls, or the answer is over. A call in a foreign form is held
until the answer ends, and is text as soon as anything else follows it. The result does not depend on how the
text was cut into pieces, and the work is linear in its length.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator

import msgspec

from app.core.tool import Tool
from app.tools.arguments import Arguments, Reason
from app.tools.cursor import Cursor, Reading
from app.tools.dialect import Dialect
from app.tools.foreign import ForeignReader
from app.tools.name import Names
from app.tools.opener import FENCE_LABELS, Opener, OpenerPattern, ShownText
from app.tools.reader import MAX_CALL_CHARS, DialectReader, Form, Found, Malformed, Read, ToolReaders
from app.tools.tool import Call

MAX_CALLS = 64
# So many look-alikes of foreign calls are followed up; an answer with more is no call.
_MAX_LOOK_ALIKES = 64

_FENCE = re.compile(r"`{3,}[ \t]{0,4}([a-z_]{0,12})[ \t]{0,4}\n\s{0,64}")
_BEGUN_FENCE = re.compile(r"`{1,16}[ \t]{0,4}([a-z_]{0,12})[ \t]{0,4}\Z")
_CLOSING_FENCE = re.compile(r"`{3,}[ \t]{0,4}\Z")
_QUICK = re.compile("[<{`]")


class TextOut(msgspec.Struct, frozen=True):
    """Text of the answer; never empty."""

    text: str


class CallOut(msgspec.Struct, frozen=True):
    """A whole call of a declared tool, with what was done to its arguments."""

    call: Call
    form: Form
    arguments: Arguments


class MalformedOut(msgspec.Struct, frozen=True):
    """A call that could not be read; the answer is over. `name` is the offered one, None if unreadable."""

    name: str | None
    form: Form
    reason: Reason
    chars: int


Out = TextOut | CallOut | MalformedOut


class CallDetector:
    """Text in, text and calls out. One for each answer; it holds a call of MAX_CALL_CHARS at most."""

    def __init__(
        self,
        dialect: Dialect,
        names: Names,
        make_id: Callable[[Tool], str],
        is_quoted: Callable[[str], bool],
        *,
        is_parallel: bool = True,
    ) -> None:
        """`is_quoted` says whether a text stands in what the model has read; asked of foreign forms."""
        self._names = names
        self._make_id = make_id
        self._max_calls = MAX_CALLS if is_parallel else 1
        self._cursor = Cursor()
        self._pattern = OpenerPattern(dialect)
        self._shown = ShownText()
        readers = ToolReaders()
        self._dialect_reader = DialectReader(self._cursor, dialect, names, readers)
        self._foreign = ForeignReader(self._cursor, names, readers, is_quoted)
        self._look_alikes_left = _MAX_LOOK_ALIKES
        self._calls = 0
        self._text: list[str] = []
        self._out: list[Out] = []
        self._run = self._read_answer()
        self._is_idle = True
        # Nothing after this is read: the upstream can be stopped.
        self.is_over = False

    def __repr__(self) -> str:
        state = "over" if self.is_over else "idle" if self._is_idle else "holding"
        return f"<CallDetector {self._calls} calls, {state}>"

    @property
    def undeclared(self) -> int:
        """How many openers of the dialect named a tool that nobody declared; they are text."""
        return self._dialect_reader.undeclared

    def passes(self, text: str) -> bool:
        """Take `text`, if nothing is held and nothing in it begins like a call: then it is text as it stands.

        The quick way for the thousands of pieces that are nothing else.
        """
        if not self._is_idle or self.is_over or _QUICK.search(text):
            return False
        self._shown.add(text)
        return True

    def feed(self, text: str) -> list[Out]:
        """What `text` makes certain. Without anything like a call in it, that is `text`."""
        if self.passes(text):
            return [TextOut(text)] if text else []
        return self._go_on(text)

    def finish(self) -> list[Out]:
        """The answer came to its good end: what was held is a call, unreadable, or text."""
        self._cursor.is_closed = True
        return self._go_on("")

    def _go_on(self, text: str) -> list[Out]:
        if not self.is_over:
            self._is_idle = False
            self._cursor.feed(text)
            try:
                next(self._run)
            except StopIteration:
                self.is_over = True
            self._flush_text()
        out, self._out = self._out, []
        return out

    def _read_answer(self) -> Generator[None, None, None]:
        while True:
            opener = yield from self._find_opener()
            if opener is None or (yield from self._read_calls(opener)):
                return

    def _find_opener(self) -> Reading[Opener | None]:
        """Show text up to what begins a call; None at the end of the text."""
        cursor = self._cursor
        while True:
            match = self._pattern.search(cursor.text, cursor.place)
            self._show_to(match.start() if match else len(cursor.text))
            if match is None:
                self._is_idle = True
                if not (yield from cursor.more()):
                    return None
                continue
            opener: Opener = match.lastgroup  # type: ignore[assignment]  # the groups have these names
            if not self._may_begin(opener, match[0]):
                self._show_to(match.end() if opener == "fence" else match.start() + 1)
            elif opener in ("partial", "fence"):
                found = yield from self._look_further(opener)
                if found is not None:
                    return found
            else:
                return opener

    def _may_begin(self, opener: Opener, text: str) -> bool:
        if opener == "own" or (opener == "partial" and text.startswith("<c")) or text == "<":
            return True
        if self._shown.is_code or self._look_alikes_left <= 0:
            return False
        return not self._shown.ends_in_tick if text.startswith("<") else self._shown.is_line_start

    def _look_further(self, opener: Opener) -> Reading[Opener | None]:
        """Wait for what decides about a partial opener, or about a fence; None where the search may go on."""
        cursor = self._cursor
        if opener == "partial":
            if not (yield from cursor.more()):
                self._show_to(len(cursor.text))
            return None
        found, end = yield from self._look_into_fence()
        if found is None:
            ticks = self._pattern.match(cursor.text, cursor.place)
            self._show_to(ticks.end() if ticks else cursor.place)
            return None
        cursor.take(end)
        return found

    def _look_into_fence(self) -> Reading[tuple[Opener | None, int]]:
        """What a fence holds, if that begins a call, and where; the cursor stays before the fence."""
        cursor = self._cursor
        while True:
            match = _FENCE.match(cursor.text, cursor.place)
            begun = match or _BEGUN_FENCE.match(cursor.text, cursor.place)
            if begun is None or not any(label.startswith(begun[1]) for label in FENCE_LABELS):
                return None, 0
            if match is not None:
                if match[1] not in ("", *FENCE_LABELS):
                    return None, 0
                inner = self._pattern.match(cursor.text, match.end())
                if match.end() < len(cursor.text) and (inner is None or inner[0].startswith("`")):
                    return None, 0
                if inner is not None and inner.lastgroup != "partial":
                    return inner.lastgroup, match.end()  # type: ignore[return-value]
            if not (yield from cursor.more()):
                return None, 0

    def _show_to(self, end: int) -> None:
        cursor = self._cursor
        if end > cursor.place:
            self._show(cursor.text[cursor.place : end])
            cursor.place = end

    def _show(self, text: str) -> None:
        self._shown.add(text)
        self._text.append(text)

    def _flush_text(self) -> None:
        if self._text:
            self._out.append(TextOut("".join(self._text)))
            self._text.clear()

    def _read_calls(self, opener: Opener) -> Reading[bool]:
        """The calls that stand in a row from `opener` on. True: the answer is over; False: it was text."""
        found: list[Read | Malformed] = []
        is_committed = False
        following: Opener | None = opener
        while following is not None:
            read = yield from self._read(following)
            if read is None or (following != "own" and self._cursor.held_chars > MAX_CALL_CHARS):
                break
            found.append(read)
            if following == "own":
                is_committed = True
                self._cursor.take_held()
                if self._emit([other for other in found if other is read or isinstance(other, Read)]):
                    return True
                found.clear()
            following = yield from self._find_following()
        else:
            if self._cursor.is_empty():
                self._emit(found)
                return True
        if not is_committed:
            self._look_alikes_left -= 1
            self._show(self._cursor.take_held())
        return is_committed

    def _read(self, opener: Opener) -> Reading[Found]:
        if opener == "own":
            return (yield from self._dialect_reader.read())
        if opener == "native":
            return (yield from self._foreign.read_native())
        return (yield from self._foreign.read_object())

    def _emit(self, found: list[Read | Malformed]) -> bool:
        """Hand out; True where the answer is over with it."""
        self._flush_text()
        for read in found:
            if isinstance(read, Malformed):
                name = self._names.offer(read.tool) if read.tool else None
                self._out.append(MalformedOut(name, read.form, read.reason, read.chars))
                return True
            for arguments in read.calls:
                call = Call(self._make_id(read.tool), read.tool, arguments.text)
                self._out.append(CallOut(call, read.form, arguments))
                self._calls += 1
                if self._calls >= self._max_calls:
                    return True
        return False

    def _find_following(self) -> Reading[Opener | None]:
        """The opener that comes next, if nothing but blanks and fences stands before it."""
        cursor = self._cursor
        while True:
            yield from cursor.skip_blanks()
            match = self._pattern.match(cursor.text, cursor.place)
            if match is None:
                return None
            opener: Opener = match.lastgroup  # type: ignore[assignment]
            if opener not in ("partial", "fence"):
                return opener
            is_begun = opener == "partial" or _BEGUN_FENCE.match(cursor.text, cursor.place)
            if not (is_begun and (yield from cursor.more())) and not self._skip_fence():
                return None

    def _skip_fence(self) -> bool:
        cursor = self._cursor
        fence = _CLOSING_FENCE.match(cursor.text, cursor.place) or _FENCE.match(cursor.text, cursor.place)
        if fence is not None:
            cursor.take(fence.end())
        return fence is not None
