"""A Responses request as the routes want it."""

from __future__ import annotations

from typing import Any

import msgspec

from app.core.request import Question
from app.core.usage import Usage
from app.formats.format import ReplyHead
from app.formats.openai_responses.client_tool import find_client_tools
from app.formats.openai_responses.encoder import ResponseEncoder, ResponseFolder
from app.formats.openai_responses.question import build_question
from app.formats.openai_responses.request import parse_responses_request
from app.formats.openai_responses.response import ResponseBody, build_echo


class AskedResponse(msgspec.Struct, frozen=True):
    """An `Asked` (app/formats/format.py). `echo` is what the answer repeats of the request."""

    question: Question
    stream: bool
    echo: dict[str, Any]

    def build_encoder(self, head: ReplyHead, usage: Usage) -> ResponseEncoder:
        return ResponseEncoder(self._build_body(head), usage)

    def build_folder(self, head: ReplyHead, usage: Usage) -> ResponseFolder:
        return ResponseFolder(self._build_body(head), usage)

    def _build_body(self, head: ReplyHead) -> ResponseBody:
        return ResponseBody(head, self.echo, find_client_tools(self.question.tools))


def parse_response(body: bytes, *, max_text_chars: int) -> AskedResponse:
    """Read and check the body of a request. Raises InvalidRequest or PromptTooLong."""
    request = parse_responses_request(body, max_text_chars=max_text_chars)
    return AskedResponse(build_question(request), request.stream is True, build_echo(request))
