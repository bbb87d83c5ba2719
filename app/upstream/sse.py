"""Decoder for `text/event-stream`, written from the WHATWG text: bytes in, the data of whole events out."""

from __future__ import annotations

from app.budget import Budget, Share
from app.catalogue.load import EVENTS_FULL
from app.core.errors import GatewayError, OutOfRoom, UpstreamInvalid

# The longest real frames hold a whole answer, which is less than a million characters, and the pages of a
# search; what is longer than this is no answer.
_MAX_EVENT_BYTES = 16 * 1024 * 1024
# Of all answers: what is unfinished beyond a piece of each, which is all that an event usually takes, and
# what the longest answers say.
_MAX_UNFINISHED_BYTES = 128 * 1024 * 1024
_RESERVE_BYTES = 32 * 1024 * 1024
_FREE_BYTES = 64 * 1024
_RETRY_SECONDS = 5.0
# What a piece that is held takes beside its bytes, so that empty ones count as well.
_PIECE_BYTES = 64
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
EVENT_HEAD = b"event:message\ndata: "
EVENT_TAIL = b"\n\n"
"""What stands around the data of nearly every event of the upstream."""


def build_answer_budget() -> Budget:
    """For what all answers of one upstream hold of unfinished events, and of very long texts."""

    def refuse(max_bytes: int) -> OutOfRoom:
        return OutOfRoom(EVENTS_FULL.fill(max_bytes=max_bytes), retry_after_seconds=_RETRY_SECONDS)

    return Budget(_MAX_UNFINISHED_BYTES, refuse, reserve_bytes=_RESERVE_BYTES)


class EventDecoder:
    """Cuts a byte stream into events. Only `data` matters: names, ids, retries and comments are dropped.

    Holds at most one unfinished event, bounded; a longer one raises UpstreamInvalid, and OutOfRoom one for
    which its `share` has no room. After either nothing is held.
    """

    __slots__ = (
        "_after_cr",
        "_at_start",
        "_data",
        "_held_bytes",
        "_line",
        "_room_bytes",
        "_share",
        "is_between_events",
    )

    def __init__(self, share: Share | None = None) -> None:
        """The share is the decoder's from then on; without one each event has the room of its own bound."""
        self._share = share
        self._room_bytes = _FREE_BYTES if share is not None else _MAX_EVENT_BYTES
        self._line: list[bytes] = []
        self._data: list[bytes] = []
        self._held_bytes = 0
        self._after_cr = False
        self._at_start = True
        self.is_between_events = False
        """What comes next begins an event, and not the first."""

    def feed(self, data: bytes) -> list[bytes]:
        """The data of every event that these bytes completed, in order."""
        if self._after_cr or b"\r" in data:
            data = self._normalise(data)
        lines = data.split(b"\n")
        if len(lines) > 1:
            lines[0] = self._take_line(lines[0])
        tail = lines.pop()
        if tail:
            self._hold(self._line, tail)
        events = self._read(lines)
        self.is_between_events = not (self._line or self._data or self._after_cr or self._at_start)
        return events

    def forget(self) -> None:
        """Hold nothing of an unfinished event any more."""
        self._line.clear()
        self._data.clear()
        self._give_back()

    def finish(self) -> bool:
        """True when the stream ended between two events, False when it was cut inside one."""
        return not self._data and not self._line

    def _normalise(self, data: bytes) -> bytes:
        """Make every line end a single line feed; a CR LF pair may be split over two reads."""
        if not data:
            return data
        is_second_half = self._after_cr and data.startswith(b"\n")
        self._after_cr = data.endswith(b"\r")
        if is_second_half:
            data = data[1:]
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _take_line(self, rest: bytes) -> bytes:
        line = b"".join((*self._line, rest)) if self._line else rest
        self._held_bytes -= len(line) - len(rest) + _PIECE_BYTES * len(self._line)
        self._line.clear()
        if self._at_start:
            self._at_start = False
            line = line.removeprefix(_BYTE_ORDER_MARK)
        return line

    def _hold(self, held: list[bytes], piece: bytes) -> None:
        held.append(piece)
        self._held_bytes += len(piece) + _PIECE_BYTES
        if self._held_bytes > self._room_bytes:
            self._make_room()

    def _make_room(self) -> None:
        """For what is held already."""
        try:
            if self._held_bytes > _MAX_EVENT_BYTES or self._share is None:
                raise UpstreamInvalid("The upstream sent an event that never ends.")
            missing = self._held_bytes - self._room_bytes
            size_bytes = -(-missing // _FREE_BYTES) * _FREE_BYTES
            self._share.take(size_bytes)
        except GatewayError:
            self.forget()
            raise
        self._room_bytes += size_bytes

    def _give_back(self) -> None:
        self._held_bytes = 0
        if self._share is not None and self._room_bytes > _FREE_BYTES:
            self._share.close()
            self._room_bytes = _FREE_BYTES

    def _read(self, lines: list[bytes]) -> list[bytes]:
        events = []
        for line in lines:
            if not line:
                if any(self._data):
                    events.append(b"\n".join(self._data))
                self._data.clear()
                self._give_back()
            elif line.startswith(b"data:"):
                self._hold(self._data, line[6:] if line[5:6] == b" " else line[5:])
        return events
