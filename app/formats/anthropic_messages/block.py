"""The blocks of an answer: one open at a time, whether it is streamed or whole."""

from __future__ import annotations

import secrets
from typing import Literal, Protocol, assert_never

import msgspec

from app.core.event import (
    CitedText,
    FinishReason,
    ImageAdded,
    PagesFound,
    ReasoningDelta,
    ReplyEvent,
    ReplyFinished,
    ReplyStarted,
    TextDelta,
    ThoughtText,
    ToolCalled,
    UpstreamCall,
)
from app.core.usage import TokenEstimate, Usage

Json = dict[str, object]
Kind = Literal["text", "thinking"]

# Clients keep thinking only where it is signed, and send it back; nobody here reads it then.
SIGNATURE = "Z2xtLWFwaQ=="
_STOP_REASONS: dict[FinishReason, str] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
}


class BlockWriter(Protocol):
    """Where blocks go. `delta` is one of Anthropic's, as a block of that kind takes it."""

    def open(self, block: Json) -> None: ...

    def say(self, kind: Kind, text: str) -> None:
        """More text of the block that is open, which is of that kind."""
        ...

    def add(self, delta: Json) -> None: ...

    def close(self) -> None: ...


class Blocks:
    """Turns reply events into blocks, and counts what they say."""

    def __init__(self, writer: BlockWriter, usage: Usage) -> None:
        self._writer = writer
        self._usage = usage
        self._open: Kind | None = None
        self._searches = 0

    def take(self, event: ReplyEvent) -> None:
        """The next event; ReplyFinished closes the last block."""
        match event:
            case TextDelta() | ImageAdded():
                self._say("text", event.text, self._usage.text)
            case ReasoningDelta():
                self._say("thinking", event.text, self._usage.reasoning)
            case ThoughtText():
                self._say("text", event.text, self._usage.reasoning)
            case CitedText():
                self._cite(event)
            case ToolCalled() | PagesFound() | ReplyFinished():
                self.close()
                self._show(event)
            case ReplyStarted() | UpstreamCall():
                pass
            case _:
                assert_never(event)

    def tell(self, words: str) -> None:
        """Words of our own, as thinking; not counted."""
        self._say("thinking", words, TokenEstimate())

    def _show(self, event: ToolCalled | PagesFound | ReplyFinished) -> None:
        """What is a whole block of its own, or none."""
        if isinstance(event, ToolCalled):
            self._call(event)
        elif isinstance(event, PagesFound):
            self._show_search(event)

    def _say(self, kind: Kind, text: str, estimate: TokenEstimate) -> None:
        estimate.add(text)
        if self._open != kind:
            self.close()
            self._open = kind
            empty: Json = {"text": ""} if kind == "text" else {"thinking": "", "signature": ""}
            self._writer.open({"type": kind, **empty})
        self._writer.say(kind, text)

    def _cite(self, event: CitedText) -> None:
        """The link stays in the text, as in every format; the upstream does not say what it quotes."""
        self._say("text", event.text, self._usage.text)
        page = {"url": event.url, "title": event.title, "cited_text": "", "encrypted_index": ""}
        citation = {"type": "web_search_result_location", **page}
        self._writer.add({"type": "citations_delta", "citation": citation})

    def _call(self, event: ToolCalled) -> None:
        """The whole input at once: no client has to put it together."""
        self._usage.text.add(event.name)
        self._usage.text.add(event.arguments)
        name = f"{event.namespace}__{event.name}" if event.namespace else event.name
        call_id = f"toolu_{event.id.removeprefix('call_')}"
        self._writer.open({"type": "tool_use", "id": call_id, "name": name, "input": {}})
        self._writer.add({"type": "input_json_delta", "partial_json": event.arguments})
        self._writer.close()

    def _show_search(self, event: PagesFound) -> None:
        self._searches += 1
        search_id = f"srvtoolu_{secrets.token_hex(12)}"
        query = msgspec.json.encode({"query": "; ".join(event.queries)}).decode()
        self._writer.open({"type": "server_tool_use", "id": search_id, "name": "web_search", "input": {}})
        self._writer.add({"type": "input_json_delta", "partial_json": query})
        self._writer.close()
        pages = [
            {
                "type": "web_search_result",
                "url": page.url,
                "title": page.title,
                "encrypted_content": "",
                "page_age": None,
            }
            for page in event.pages
        ]
        self._writer.open({"type": "web_search_tool_result", "tool_use_id": search_id, "content": pages})
        self._writer.close()

    def close(self) -> None:
        """The block that is open, if one is."""
        if self._open == "thinking":
            self._writer.add({"type": "signature_delta", "signature": SIGNATURE})
        if self._open is not None:
            self._open = None
            self._writer.close()

    def build_usage(self) -> Json:
        """Anthropic's `usage` at the end."""
        usage: Json = {**build_usage(self._usage), "output_tokens": self._usage.completion_tokens}
        if self._searches:
            usage["server_tool_use"] = {"web_search_requests": self._searches, "web_fetch_requests": 0}
        return usage


def build_usage(usage: Usage) -> Json:
    """Anthropic's `usage` before a word is said; nothing is cached here."""
    return {
        "input_tokens": usage.prompt.tokens,
        "output_tokens": 0,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
    }


def build_stop(finish: ReplyFinished) -> Json:
    """Why the answer ended."""
    reason = _STOP_REASONS[finish.reason]
    if finish.stop_sequence is not None:
        reason = "stop_sequence"
    return {"stop_reason": reason, "stop_sequence": finish.stop_sequence}
