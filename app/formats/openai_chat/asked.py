"""A chat completion request as the routes want it."""

from __future__ import annotations

import msgspec

from app.core.request import Question
from app.core.usage import Usage
from app.formats.format import ReplyHead
from app.formats.openai_chat.encoder import ChunkEncoder, CompletionFolder
from app.formats.openai_chat.question import build_question
from app.formats.openai_chat.request import parse_chat_request
from app.formats.openai_chat.tool import uses_functions


class AskedChat(msgspec.Struct, frozen=True):
    """An `AskedProgress` (app/formats/format.py)."""

    question: Question
    stream: bool
    include_usage: bool
    uses_functions: bool = False
    """Calls are told as requests of 2023 know them."""
    progress: bool = False

    def build_encoder(self, head: ReplyHead, usage: Usage) -> ChunkEncoder:
        return ChunkEncoder(head, usage, include_usage=self.include_usage, uses_functions=self.uses_functions)

    def build_folder(self, head: ReplyHead, usage: Usage) -> CompletionFolder:
        return CompletionFolder(head, usage, uses_functions=self.uses_functions)


def parse_chat(body: bytes, *, max_text_chars: int) -> AskedChat:
    """Read and check the body of a request. Raises InvalidRequest, PromptTooLong or UnsupportedValue."""
    request = parse_chat_request(body, max_text_chars=max_text_chars)
    is_streamed = request.stream is True
    return AskedChat(
        build_question(request),
        is_streamed,
        request.include_usage,
        uses_functions(request),
        progress=is_streamed and request.progress is True,
    )
