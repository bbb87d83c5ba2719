"""The pieces of a stream: what leaves together, and which is the last."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from app.core.errors import GatewayError, UpstreamInvalid
from app.core.event import ReplyEvent, ReplyFinished, TextDelta
from app.core.usage import TokenEstimate, Usage
from app.exchange.reply import Reply
from app.formats.format import ReplyHead
from app.formats.openai_chat.encoder import ChunkEncoder
from app.routes.reply import relay_reply
from app.server.request_log import RequestLog
from app.server.response import LastPiece

END = ReplyFinished("stop")
Read = list[ReplyEvent] | GatewayError | None


class ReadReply:
    """Gives `reads` one after the other."""

    def __init__(self, *reads: Read, has_come: bool) -> None:
        self._reads = list(reads)
        self.has_come = has_come
        self.finished = False

    def read(self) -> list[ReplyEvent] | None:
        read = self._reads.pop(0)
        if isinstance(read, GatewayError):
            raise read
        self.finished = bool(read) and read is not None and read[-1] is END
        return read


def relay(*reads: Read, has_come: bool) -> list[bytes]:
    reply = cast(Reply, ReadReply(*reads, has_come=has_come))
    request_log = cast(RequestLog, SimpleNamespace(first_delta_at=None, fail=lambda error: None))
    encoder = ChunkEncoder(ReplyHead("id", "glm", 0), Usage(TokenEstimate()), include_usage=False)
    return list(relay_reply(reply, encoder, request_log, encoder.start()))


def count_events(piece: bytes) -> int:
    return piece.count(b"data: ")


@pytest.mark.parametrize(
    ("reads", "has_come", "events"),
    [
        ([[TextDelta("a")], [END]], True, [2, 2]),
        ([[TextDelta("a")], [END]], False, [1, 1, 2]),
        ([[TextDelta("a"), END]], True, [4]),
        ([[], [TextDelta("a")], None, [TextDelta("b")], [TextDelta("c"), END]], True, [2, 0, 1, 3]),
        ([UpstreamInvalid("x")], True, [2]),
        ([UpstreamInvalid("x")], False, [1, 1]),
        ([[TextDelta("a")], UpstreamInvalid("x")], True, [2, 1]),
    ],
)
def test_the_beginning_leaves_with_what_has_come(reads: list[Any], has_come: bool, events: list[int]) -> None:
    pieces = relay(*reads, has_come=has_come)
    assert [count_events(piece) for piece in pieces] == events
    assert b'"role":"assistant"' in pieces[0]
    assert b"".join(pieces).count(b'"role":"assistant"') == 1


@pytest.mark.parametrize("last", [[END], UpstreamInvalid("x")])
def test_only_the_last_piece_says_that_it_is(last: Any) -> None:
    pieces = relay([TextDelta("a")], [TextDelta("b")], last, has_come=True)
    assert [type(piece) for piece in pieces] == [bytes, bytes, LastPiece]
