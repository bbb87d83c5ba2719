"""An upstream that keeps what was said in its conversations, and looks at whoever goes on in one of them.

What is said is words such as `u1` (a user), `s1` (a system) and `a1` (an answer), so that what a conversation
holds and what a client's history says can be compared word by word, whatever stands around them in a prompt.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from app.auth_token import AccessToken
from app.core.errors import GatewayError
from app.core.request import Question, TextPart, Turn
from app.upstream.request import StreamRequest
from app.upstream.stream import AnswerStream

WORDS = re.compile(r"\b[usa]\d+\b")

Ending = Literal["finish", "intervene", "cut"]


def list_words(turns: Sequence[Turn]) -> list[str]:
    """What a history says, without what was thought (`t1`)."""
    return [
        word
        for turn in turns
        for part in turn.parts
        if isinstance(part, TextPart)
        for word in WORDS.findall(part.text)
    ]


@dataclass(frozen=True, slots=True)
class Asking:
    """The request that is being opened: who asks, with which accounts, and what."""

    caller: str
    tokens: frozenset[str]
    question: Question


@dataclass(slots=True)
class Held:
    """A conversation as the upstream has it. Mutable: `words` grow, `open` is how many answer in it now."""

    id: str
    account: str
    begun_by: Asking
    mode: tuple[object, ...]
    words: list[str] = field(default_factory=list)
    open: int = 0


class ConversingUpstream:
    """Stands for the upstream's client. Every question is checked against what its conversation holds."""

    def __init__(self) -> None:
        self.held: dict[str, Held] = {}
        self.asking: Asking | None = None
        self.ending: Ending = "finish"
        self.thinks = False
        self.failures: dict[str, list[GatewayError]] = {}
        self.begun = self.gone_on = 0
        self._number = 0

    def open_stream(self, token: AccessToken, request: StreamRequest, **_: float) -> AnswerStream:
        account, asking = token.value, self.asking
        assert asking is not None
        assert account in asking.tokens, "an account of somebody else's is asked"
        if self.failures.get(account):
            raise self.failures[account].pop(0)
        mode = (request.assistant_id, request.chat_mode, request.selected_model, request.web_search)
        if request.conversation_id:
            found = self.held.get(request.conversation_id)
            if found is None:  # deleted on the site itself
                return _play(iter(()))
            assert found.account == account, "an account that does not own the conversation"
            check_goes_on(found, asking, request, mode)
            self.gone_on += 1
        else:
            assert WORDS.findall(request.prompt) == list_words(asking.question.turns)
            found = self._begin(account, asking, mode)
            self.begun += 1
        answer = answer_to(request.prompt)
        found.words += WORDS.findall(request.prompt) + WORDS.findall(answer)
        found.open += 1

        def close(reusable: bool) -> None:
            found.open -= 1

        return _play(_write(found.id, answer, self.ending, thinks=self.thinks), close)

    def _begin(self, account: str, asking: Asking, mode: tuple[object, ...]) -> Held:
        self._number += 1
        name = f"{self._number:024x}"
        self.held[name] = Held(name, account, asking, mode)
        return self.held[name]

    def stop_answer(self, token: AccessToken, answer_id: str) -> None:
        """All of it counts as said, as nobody knows where it was stopped."""

    def delete(self, conversation_id: str) -> None:
        assert not self.held[conversation_id].open, "deleted while it answers"
        del self.held[conversation_id]


def check_goes_on(found: Held, asking: Asking, request: StreamRequest, mode: tuple[object, ...]) -> None:
    """What is asked, behind what the conversation holds, is what the client says was said."""
    question = asking.question
    assert found.begun_by.caller == asking.caller, "a conversation of another caller's"
    assert not found.open, "two questions in one conversation at a time"
    if question.continued_id is not None:
        assert found.id == question.continued_id
        assert WORDS.findall(request.prompt) == list_words(question.turns[-1:])
        return
    assert found.begun_by.tokens == asking.tokens, "a conversation of other accounts"
    assert found.mode == mode, "a conversation of another mode"
    assert found.words + WORDS.findall(request.prompt) == list_words(question.turns)


def answer_to(prompt: str) -> str:
    """The same to everybody who asks the same, so that histories meet: three words behind the last one."""
    number = WORDS.findall(prompt)[-1][1:]
    return f"It is a{number}, a{number}1 and\n\na{number}2."


def _write(conversation_id: str, answer: str, ending: Ending, *, thinks: bool) -> Iterator[bytes]:
    texts = {"think": "Let me think of t1."} if thinks else {}
    for number, (kind, text) in enumerate({**texts, "text": answer}.items()):
        for size in (len(text) // 2, len(text)):
            status = "finish" if size == len(text) and ending != "cut" else "init"
            item = {"type": kind, kind: text[:size]}
            part = {"logic_id": f"part-{number}", "content": [item], "status": status}
            yield _frame(conversation_id, [part], "init")
    if ending != "cut":
        yield _frame(conversation_id, [], ending)


def _frame(conversation_id: str, parts: list[dict[str, Any]], status: str) -> bytes:
    meta = {"if_increase_push": False}
    frame = {"id": "b" * 24, "conversation_id": conversation_id, "status": status, "parts": parts}
    return b"event:message\ndata: " + json.dumps(frame | {"meta_data": meta}).encode() + b"\n\n"


class _Body:
    """Stands for a BodyReader: pieces that have all come."""

    complete = True

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces

    def read(self, seconds: float) -> bytes:
        return next(self._pieces, b"")

    def close(self) -> None:
        self._pieces = iter(())


def _play(pieces: Iterator[bytes], release: Any = lambda reusable: None) -> AnswerStream:
    body: Any = _Body(pieces)
    return AnswerStream(body, release)
