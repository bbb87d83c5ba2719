"""One reply of the drawing assistant, read for its pictures."""

from __future__ import annotations

import re
from typing import assert_never

from app.core.errors import ContentRefused, GatewayError, NoPicture
from app.core.event import (
    CitedText,
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
from app.exchange.reply import Reply
from app.logs import redactor

_MAX_WORDS_CHARS = 300
# In 2024 a picture could also come as a link in the text (protocol notes 7).
_LINKED_PICTURE = re.compile(
    r"!\[[^\[\]\n]{0,300}\]\((https?://[^\s()<>]{1,2000})\)"
    r"|\[[^\[\]\n]{0,300}\]\((https?://[^\s()<>]{1,2000}\.(?:png|jpe?g|webp))\)"
)


class DrawingAnswer:
    """`account` labels who answered, None where nobody did; `failure` is why there are no (more) pictures."""

    def __init__(self, account: str | None, failure: GatewayError | None = None) -> None:
        self.account = account
        self.failure = failure
        self.pictures: list[ImageAdded] = []
        self._words: list[str] = []
        self._is_refused = False

    def read(self, reply: Reply) -> None:
        """To the end. What came before a cut counts; what came before the content filter does not."""
        try:
            while not reply.finished:
                for event in reply.read() or ():
                    self._take(event)
        except GatewayError as error:
            self.failure = error
            return
        self._conclude()

    def _take(self, event: ReplyEvent) -> None:
        match event:
            case ImageAdded():
                self.pictures.append(event)
            case TextDelta() | CitedText():
                self._words.append(event.text)
            case ReplyFinished():
                self._is_refused = event.reason == "content_filter"
            case ReplyStarted() | ReasoningDelta() | ThoughtText():
                pass
            case UpstreamCall() | PagesFound() | ToolCalled():
                pass
            case _:
                assert_never(event)

    def _conclude(self) -> None:
        words = "".join(self._words)
        if self._is_refused:
            self.pictures.clear()
            self.failure = ContentRefused(_quote("The upstream refuses to draw this.", words), param="prompt")
            return
        if not self.pictures:
            self.pictures = [ImageAdded("", url) for url in _find_links(words)]
        if not self.pictures:
            self.failure = NoPicture(_quote("The upstream answered without a picture.", words))


def _find_links(words: str) -> list[str]:
    return list(dict.fromkeys(found[1] or found[2] for found in _LINKED_PICTURE.finditer(words)))


def _quote(what: str, words: str) -> str:
    said = redactor.quote(words.strip(), _MAX_WORDS_CHARS)
    return f"{what} It says: {said}" if said else what
