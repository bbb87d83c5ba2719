"""A Messages request as the routes want it."""

from __future__ import annotations

import msgspec

from app.core.errors import UnsupportedValue
from app.core.request import Question
from app.core.usage import Usage
from app.formats.anthropic_messages.encoder import EventEncoder, MessageFolder
from app.formats.anthropic_messages.question import build_question
from app.formats.anthropic_messages.request import parse_messages_request
from app.formats.format import ReplyHead


class AskedMessage(msgspec.Struct, frozen=True):
    """An `AskedProgress` (app/formats/format.py)."""

    question: Question
    stream: bool
    progress: bool = False

    def build_encoder(self, head: ReplyHead, usage: Usage) -> EventEncoder:
        return EventEncoder(head, usage)

    def build_folder(self, head: ReplyHead, usage: Usage) -> MessageFolder:
        return MessageFolder(head, usage)


def parse_message(body: bytes, *, max_text_chars: int) -> AskedMessage:
    """Read and check the body of a request. Raises InvalidRequest, PromptTooLong or UnsupportedValue.

    Only `true` asks for a stream: some clients leave the field out where they want the answer whole.
    """
    request = parse_messages_request(body, max_text_chars=max_text_chars)
    if request.compaction is not None:
        # Whoever asks for it puts what comes in the place of the conversation: an answer would lose that.
        raise UnsupportedValue(
            "`compaction` is not available here: ask for a summary in a message of your own.",
            param="compaction",
        )
    is_streamed = request.stream is True
    return AskedMessage(build_question(request), is_streamed, is_streamed and request.progress is True)


def parse_counted(body: bytes, *, max_text_chars: int) -> Question:
    """Read and check the body of a request whose prompt is counted, and never answered."""
    return build_question(parse_messages_request(body, max_text_chars=max_text_chars))
