"""Reads one call, piece by piece, and says what it is: calls, something unreadable, or text."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from app.core.tool import Tool
from app.tools.arguments import ArgumentReader, Arguments, Reason, Unreadable
from app.tools.cursor import Cursor, Reading
from app.tools.dialect import Dialect
from app.tools.json_text import JsonScanner, NotJson, encode_json, parse_json
from app.tools.name import Names
from app.tools.native import PAIR_OPENER, find_name, read_function_call, read_named, read_pairs

MAX_CALL_CHARS = 1024 * 1024
_MAX_TAG_CHARS = 300
_MAX_LINE_CHARS = 4096

Form = Literal["dialect", "native", "function_call"]

_TAG_END = re.compile(r"[<>]")
_ANY_CLOSER = re.compile(r"</[^<>]{0,64}>")
_BEGUN_CLOSER = re.compile(r"<(?:/[^<>]{0,64})?\Z")
_FENCE_IN_BODY = re.compile(r"`{3,}[a-z_]{0,12}\s")
_BEGUN_FENCE = re.compile(r"`+[a-z_]{0,12}\Z")
# Right behind an opener: it was quoted in a sentence.
_QUOTING = tuple("`').,;:，。；：”’」』）")


class Read(msgspec.Struct, frozen=True):
    """The calls of one opener, all of one tool."""

    tool: Tool
    form: Form
    calls: tuple[Arguments, ...]


class Malformed(msgspec.Struct, frozen=True):
    """A call that cannot be read. `tool` is None where not even its name can."""

    tool: Tool | None
    form: Form
    reason: Reason
    chars: int


# None: no call at all, but text.
Found = Read | Malformed | None


class ToolReaders:
    """The argument readers of one answer, each made when its tool is first called."""

    def __init__(self) -> None:
        self._readers: dict[int, ArgumentReader] = {}

    def read(self, tool: Tool, body: str, form: Form) -> Read | Malformed:
        return self.judge(tool, self.of(tool).read(body), form)

    def judge(self, tool: Tool, read: tuple[Arguments, ...] | Unreadable, form: Form) -> Read | Malformed:
        if isinstance(read, Unreadable):
            return Malformed(tool, form, read.reason, read.chars)
        return Read(tool, form, read)

    def of(self, tool: Tool) -> ArgumentReader:
        if id(tool) not in self._readers:
            self._readers[id(tool)] = ArgumentReader(tool)
        return self._readers[id(tool)]


def take_json(cursor: Cursor, pieces: list[str]) -> Reading[Reason | None]:
    """Take the JSON value that begins at the cursor, into `pieces`; a reason where it does not end."""
    scanner = JsonScanner()
    while True:
        end = scanner.feed(cursor.text, cursor.place)
        pieces.append(cursor.take(end if end >= 0 else len(cursor.text)))
        if end >= 0:
            return "not_json" if scanner.is_broken else None
        if cursor.held_chars > MAX_CALL_CHARS:
            return "too_long"
        if not (yield from cursor.more()):
            return "unclosed"


def read_named_call(text: str, names: Names, readers: ToolReaders, form: Form) -> Found:
    """A call whose JSON holds its name as well; None where that is undeclared, or the JSON something else."""
    try:
        value = parse_json(text).value
    except NotJson:
        tool = names.resolve(find_name(text) or "")
        return None if tool is None else Malformed(tool, form, "not_json", len(text))
    named = read_function_call(value) if form == "function_call" else read_named(value)
    tool = names.resolve(named[0]) if named else None
    if named is None or tool is None:
        return None
    arguments = named[1]
    return readers.read(tool, arguments if isinstance(arguments, str) else encode_json(arguments), form)


class DialectReader:
    """Reads calls of the dialect. Its word is secret, so what follows a declared name is meant as a call."""

    def __init__(self, cursor: Cursor, dialect: Dialect, names: Names, readers: ToolReaders) -> None:
        self._cursor = cursor
        self._dialect = dialect
        self._names = names
        self._readers = readers
        self.undeclared = 0

    def read(self) -> Reading[Found]:
        """From the `<` of the opener to behind the closer, or to where one should stand."""
        tag = yield from self._take_tag()
        if tag is None:
            return Malformed(None, "dialect", "unclosed", 0) if self._cursor.is_empty() else None
        name = self._dialect.read_name(tag)
        if name == "":
            return (yield from self._read_nameless())
        tool = self._names.resolve(name) if name else None
        if tool is not None:
            return (yield from self._read_named(tag, tool))
        self.undeclared += 1
        return None

    def _read_named(self, tag: str, tool: Tool) -> Reading[Found]:
        if tag.endswith("/"):
            return self._readers.read(tool, "", "dialect")
        while len(self._cursor.text) - self._cursor.place < 2:
            if not (yield from self._cursor.more()):
                break
        if self._is_quoted():
            return None
        pieces: list[str] = []
        reason = yield from self._take_body(tool, pieces)
        if reason is not None:
            return Malformed(tool, "dialect", reason, sum(map(len, pieces)))
        return self._read_body(tool, "".join(pieces))

    def _is_quoted(self) -> bool:
        text, place = self._cursor.text, self._cursor.place
        return text.startswith(_QUOTING, place) and not text.startswith("``", place)

    def _read_body(self, tool: Tool, body: str) -> Read | Malformed:
        pairs = read_pairs(body) if body.startswith(PAIR_OPENER) and tool.kind == "function" else None
        if pairs is not None:
            return Read(tool, "dialect", (self._readers.of(tool).read_pairs(pairs),))
        return self._readers.read(tool, body, "dialect")

    def _read_nameless(self) -> Reading[Found]:
        """`<call-k3x9>{"name": ..., "arguments": ...}`: the name went where other dialects have it."""
        yield from self._cursor.skip_blanks()
        pieces: list[str] = []
        if not self._cursor.text.startswith("{", self._cursor.place):
            return None
        reason = yield from self._take_objects(None, pieces)
        text = "".join(pieces)
        named = read_named_call(text, self._names, self._readers, "dialect") if reason is None else None
        if named is None:
            return Malformed(None, "dialect", reason or "unknown_name", sum(map(len, pieces)))
        return named

    def _take_tag(self) -> Reading[str | None]:
        """The opener without its `>`; None where it is none, or does not end."""
        cursor = self._cursor
        while True:
            end = _TAG_END.search(cursor.text, cursor.place + 1)
            if end is not None:
                if end[0] == ">" and end.start() - cursor.place <= _MAX_TAG_CHARS:
                    return cursor.take(end.end())[:-1]
                break
            if len(cursor.text) - cursor.place > _MAX_TAG_CHARS:
                break
            if not (yield from cursor.more()):
                cursor.take(len(cursor.text))
                return None
        cursor.take(cursor.place + len(self._dialect.opener))
        return None

    def _take_body(self, tool: Tool, pieces: list[str]) -> Reading[Reason | None]:
        cursor = self._cursor
        pieces.append((yield from cursor.skip_blanks()))
        if cursor.is_empty():
            return "unclosed"
        if cursor.text[cursor.place] == "`":
            yield from self._skip_fence()
        if cursor.is_empty():
            return "unclosed"
        mark = cursor.text[cursor.place]
        if mark == "<":
            if (yield from self._take_closer()):
                return None
        elif mark == "{" or (mark in '["' and tool.kind == "function"):
            pieces.clear()
            return (yield from self._take_objects(tool, pieces))
        if tool.kind == "function":
            pieces.clear()
        return (yield from self._take_raw(pieces))

    def _skip_fence(self) -> Reading[None]:
        """The fence that some models put around the JSON, inside of the call."""
        cursor = self._cursor
        while _BEGUN_FENCE.match(cursor.text, cursor.place):
            if not (yield from cursor.more()):
                break
        match = _FENCE_IN_BODY.match(cursor.text, cursor.place)
        if match is not None:
            cursor.take(match.end())
            yield from cursor.skip_blanks()

    def _take_raw(self, pieces: list[str]) -> Reading[Reason | None]:
        """A body that does not begin like an object: all up to our closer, which it cannot do without."""
        body = yield from self._cursor.take_through(self._dialect.closer, MAX_CALL_CHARS)
        if body is None:
            return "too_long" if self._cursor.held_chars > MAX_CALL_CHARS else "unclosed"
        pieces.append(body[: -len(self._dialect.closer)])
        return None

    def _take_objects(self, tool: Tool | None, pieces: list[str]) -> Reading[Reason | None]:
        """One value, or two objects in a row, and what closes them."""
        while True:
            reason = yield from take_json(self._cursor, pieces)
            if reason is not None:
                return reason
            goes_on = yield from self._take_end()
            if goes_on != "again":
                return None if goes_on == "done" else "not_json"
            if tool is None or tool.kind == "custom":
                return "not_json"

    def _take_end(self) -> Reading[Literal["done", "again", "broken"]]:
        """What stands behind the value: a closer, nothing of ours, a second object, or a sign of damage.

        An inner quote without its backslash can make a value end too early. So JSON may not go on, and no
        closer may follow on the same line, for the value to be taken without one.
        """
        cursor = self._cursor
        blanks = yield from cursor.skip_blanks()
        while cursor.text.startswith("`", cursor.place):  # the fence around the JSON ends
            cursor.take(cursor.place + 1)
            blanks += yield from cursor.skip_blanks()
        if cursor.is_empty():
            return "done"
        mark = cursor.text[cursor.place]
        if mark == "<":
            yield from self._take_closer()
            return "done"
        if mark == "{":
            return "again"
        if mark in ',:}]"':
            return "broken"
        return "done" if "\n" in blanks else (yield from self._look_along_line())

    def _take_closer(self) -> Reading[bool]:
        """Take a closer, ours or a wrong one, if one stands there."""
        cursor = self._cursor
        while _BEGUN_CLOSER.match(cursor.text, cursor.place):
            if not (yield from cursor.more()):
                cursor.take(len(cursor.text))
                return False
        match = _ANY_CLOSER.match(cursor.text, cursor.place)
        if match is not None:
            cursor.take(match.end())
        return match is not None

    def _look_along_line(self) -> Reading[Literal["done", "broken"]]:
        cursor = self._cursor
        while True:
            end = cursor.text.find("\n", cursor.place)
            closer = cursor.text.find(
                self._dialect.closer, cursor.place, end if end >= 0 else len(cursor.text)
            )
            if closer >= 0:
                return "broken"
            if end >= 0 or len(cursor.text) - cursor.place > _MAX_LINE_CHARS:
                return "done"
            if not (yield from cursor.more()):
                return "done"
