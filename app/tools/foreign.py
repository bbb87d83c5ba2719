"""Reads calls in forms that nobody taught: GLM's own markup, and `{"function_call": ...}`.

They are not secret, so an answer may quote them. What is read here is a call only if nothing but calls
follows it (the detector sees to that) and if it does not stand in what the model has read.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from app.core.tool import Tool
from app.tools.arguments import Reason
from app.tools.cursor import Cursor, Reading
from app.tools.name import Names
from app.tools.native import NATIVE_CLOSER, PAIR_OPENER, find_name, read_pairs
from app.tools.opener import NATIVE_OPENER
from app.tools.reader import (
    MAX_CALL_CHARS,
    Form,
    Found,
    Malformed,
    Read,
    ToolReaders,
    read_named_call,
    take_json,
)

_MAX_CLOSERS_TRIED = 8

_NAME = re.compile(r"[^\s<>{}\[\]`\"']{1,128}")
_BODY = re.compile(rf">?\s*(?:(?P<object>\{{)|(?P<pairs>{PAIR_OPENER})|(?P<closer>{NATIVE_CLOSER}))")
_MAX_BEGUN_BODY = 1_000


class ForeignReader:
    def __init__(
        self, cursor: Cursor, names: Names, readers: ToolReaders, is_quoted: Callable[[str], bool]
    ) -> None:
        self._cursor = cursor
        self._names = names
        self._readers = readers
        self._is_quoted = is_quoted

    def read_object(self) -> Reading[Found]:
        """From the `{` of `{"function_call": ...` to its end."""
        pieces: list[str] = []
        reason = yield from take_json(self._cursor, pieces)
        return self._read_json("".join(pieces), "function_call", reason is None)

    def _read_json(self, text: str, form: Form, is_whole: bool) -> Found:
        if self._is_quoted(text):
            return None
        if is_whole:
            return read_named_call(text, self._names, self._readers, form)
        tool = self._names.resolve(find_name(text) or "")
        return None if tool is None else Malformed(tool, form, "unclosed", len(text))

    def read_native(self) -> Reading[Found]:
        """From `<tool_call>` to its closer."""
        cursor = self._cursor
        cursor.take(cursor.place + len(NATIVE_OPENER))
        yield from cursor.skip_blanks()
        if cursor.text.startswith("{", cursor.place):
            pieces: list[str] = []
            reason = yield from take_json(cursor, pieces)
            read = self._read_json("".join(pieces), "native", reason is None)
            if read is not None:
                yield from self._skip_closer()
            return read
        tool = yield from self._take_name()
        return None if tool is None else (yield from self._take_body(tool))

    def _take_name(self) -> Reading[Tool | None]:
        cursor = self._cursor
        while True:
            match = _NAME.match(cursor.text, cursor.place)
            is_cut = cursor.is_empty() or (match is not None and match.end() == len(cursor.text))
            if not is_cut or not (yield from cursor.more()):
                break
        return self._names.resolve(cursor.take(match.end())) if match is not None else None

    def _take_body(self, tool: Tool) -> Reading[Found]:
        cursor = self._cursor
        while (match := _BODY.match(cursor.text, cursor.place)) is None:
            begun = cursor.text[cursor.place :].lstrip("> \t\r\n")
            if not PAIR_OPENER.startswith(begun) and not NATIVE_CLOSER.startswith(begun):
                return None
            if len(cursor.text) - cursor.place > _MAX_BEGUN_BODY:
                return None
            if not (yield from cursor.more()):
                return self._judge_begun(tool)
        if match.lastgroup == "closer":
            cursor.take(match.end())
            return self._readers.read(tool, "", "native")
        cursor.take(match.start(match.lastgroup or 0))
        return (yield from (self._take_pairs if match.lastgroup == "pairs" else self._take_object)(tool))

    def _judge_begun(self, tool: Tool) -> Found:
        """The answer ended behind the name."""
        self._cursor.take(len(self._cursor.text))
        return Malformed(tool, "native", "unclosed", 0)

    def _take_object(self, tool: Tool) -> Reading[Found]:
        pieces: list[str] = []
        reason = yield from take_json(self._cursor, pieces)
        text = "".join(pieces)
        if self._is_quoted(text):
            return None
        if reason is not None:
            return Malformed(tool, "native", reason, len(text))
        yield from self._skip_closer()
        return self._readers.read(tool, text, "native")

    def _skip_closer(self) -> Reading[None]:
        cursor = self._cursor
        yield from cursor.skip_blanks()
        while NATIVE_CLOSER.startswith(cursor.text[cursor.place : cursor.place + len(NATIVE_CLOSER)]):
            if cursor.text.startswith(NATIVE_CLOSER, cursor.place):
                cursor.take(cursor.place + len(NATIVE_CLOSER))
                return
            if not (yield from cursor.more()):
                cursor.take(len(cursor.text))
                return

    def _take_pairs(self, tool: Tool) -> Reading[Found]:
        """Up to the closer that is none of a value: the pairs before it are whole."""
        body = ""
        for _ in range(_MAX_CLOSERS_TRIED):
            piece = yield from self._cursor.take_through(NATIVE_CLOSER, MAX_CALL_CHARS)
            if piece is None:
                break
            body += piece
            pairs = read_pairs(body[: -len(NATIVE_CLOSER)])
            if pairs is not None:
                if self._is_quoted(f"{NATIVE_OPENER}{tool.name}{body}"):
                    return None
                return Read(tool, "native", (self._readers.of(tool).read_pairs(pairs),))
        reason: Reason = "unclosed" if self._cursor.is_closed else "not_json"
        return Malformed(tool, "native", reason, self._cursor.held_chars)
