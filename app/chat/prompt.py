"""Turns to prompt: the upstream reads one text, so a history is merged into it (protocol notes 3.5)."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from msgspec.structs import replace

from app.catalogue.request import PROMPT_TOO_LONG
from app.chat.attachment import describe
from app.chat.offer import Offer
from app.core.errors import InvalidRequest, PromptTooLong
from app.core.request import Call, Part, TextPart, Turn
from app.core.usage import estimate_tokens

_ROLE_MARKS = {
    "system": "[System]",
    "user": "[User]",
    "assistant": "[Assistant]",
    "tool": "[Tool result]",
}
_CLOSING = "[Assistant]"
_OPENING = (
    "The conversation so far stands below, each turn after its mark. "
    "Reply to the last turn only, as the assistant, and write no marks.\n"
    "以下是按标记排列的对话，请以助手身份直接回复最后一条，不要输出标记。"
)
_TASK_OPENING = (
    "The conversation so far stands below, each turn after its mark. "
    "Go on with the task as the assistant, and write no marks.\n"
    "以下是按标记排列的对话，请以助手身份继续完成任务，不要输出标记。"
)

# Bounded and without overlap, so that no text makes them slow.
_PICTURE = re.compile(r"!\[[^\[\]\n]{0,300}\]\([^()\s]{0,2000}\)")
# Pictures as clients keep them in what was said: a run of base64 of any length, lines of it, a short end.
# Shorter ones than a picture can be are somebody's example. Where one stands right behind another, the run of
# the first goes on over its `data`.
_BASE64_FILE = (
    r":(?:[\w.+-]{0,80}+/)?+[\w.+-]{0,80}+(?:;[\w=.+-]{1,80}){0,4}?;base64,\s{0,2}"
    r"[A-Za-z0-9+/_=%-]{60,}(?:\r?\n[A-Za-z0-9+/_-]{60,})*(?:\r?\n[A-Za-z0-9+/_-]{0,76}={1,2})?"
)
_BASE64_DATA = re.compile(rf"data(?:{_BASE64_FILE})+", re.IGNORECASE)
_DROPPED_DATA = "data:,"
_DROPPED_PICTURE = re.compile(r"!\[[^\[\]\n]{0,300}\]\(\s{0,4}<?data:,[^()\n]{0,400}\)")
_SANDBOX_LINK = re.compile(r"\[([^\[\]\n]{0,300})\]\(sandbox:[^()\s]{0,2000}\)")
_SANDBOX_PATH = re.compile(r"(?:sandbox:/|/)mnt/data/[^\s)\]\"'`]{1,2000}")


def build_prompt(
    turns: Sequence[Turn],
    *,
    continues: bool,
    are_all_new: bool = False,
    max_chars: int,
    has_files: bool = False,
    offer: Offer | None = None,
    place: str = "messages",
) -> str:
    """The text to send. A continued conversation gets its new turns alone; the upstream knows the others.

    What `offer` says of tools and JSON stands around the turns: schemas first, rules last.
    With `has_files` the text may be empty: the files that go along say enough. Merged turns name them.
    Raises InvalidRequest where nothing is said, PromptTooLong beyond `max_chars`.
    """
    sent = _choose_new(turns) if continues and not are_all_new else turns
    history = _History(turns, offer)
    has_tools = offer is not None and offer.has_tools
    is_plain = len(sent) == 1 and (continues or sent[0].role == "user") and not has_tools
    said = [history.write(sent[0], names_files=not has_files)] if is_plain else history.merge(sent)
    if not has_files and not any(map(str.strip, said)):
        raise InvalidRequest(f"`{place}` holds no text to answer.", param=place)
    if offer is not None:
        said = [text for text in (offer.section.schemas, *said, offer.section.rules) if text]
    if not is_plain:
        said = [_TASK_OPENING if has_tools else _OPENING, *said, _CLOSING]
    prompt = "\n\n".join(said)
    if len(prompt) > max_chars:
        error = PromptTooLong(
            PROMPT_TOO_LONG.fill(chars=len(prompt), max_chars=max_chars),
            param=place,
        )
        error.tokens = _estimate_excess(prompt, max_chars)
        raise error
    return prompt


def _estimate_excess(prompt: str, max_chars: int) -> tuple[int, int]:
    """How many tokens the prompt has, and how many of them would be allowed; what is too much is not read."""
    allowed = estimate_tokens(prompt[:max_chars])
    return math.ceil(allowed * len(prompt) / max_chars), allowed


def _choose_new(turns: Sequence[Turn]) -> Sequence[Turn]:
    """The last turn; results of one answer's calls belong together."""
    count = 1
    while count < len(turns) and turns[-count].role == "tool" == turns[-count - 1].role:
        count += 1
    return turns[-count:]


def choose_spoken(turns: Sequence[Turn]) -> Sequence[Turn]:
    """What the drawing assistant gets: the last thing that the user said, word for word.

    It draws what it reads, so a merged history would come into the picture; and it is asked as browsers ask,
    without the "please draw" that gateways of 2024 put before a prompt (docs/decisions/0008).
    """
    spoken = [turn for turn in turns if turn.role == "user"]
    return spoken[-1:] or turns[-1:]


def has_history(turns: Sequence[Turn]) -> bool:
    """More than one turn means that the client keeps the history itself."""
    return len(turns) > 1


def _name_results(turns: Sequence[Turn]) -> dict[int, str]:
    """The tool of each result, by the `id()` of its turn: of the last call before it that has its id.

    Some clients number calls anew in every turn. Only a result without such a call is one of a later call.
    """
    called = {call.id: call.name for turn in reversed(turns) for call in turn.calls if call.id}
    names: dict[int, str] = {}
    for turn in turns:
        called |= {call.id: call.name for call in turn.calls if call.id}
        if turn.role == "tool":
            names[id(turn)] = turn.name or called.get(turn.call_id, "")
    return names


class _History:
    """Writes turns. Results are known by their number and, where a call has their id, by its tool."""

    def __init__(self, turns: Sequence[Turn], offer: Offer | None) -> None:
        self._offer = offer
        results = [turn for turn in turns if turn.role == "tool"]
        self._numbers = {id(turn): number for number, turn in enumerate(results, start=1)} if results else {}
        self._names = _name_results(turns) if results else {}

    def merge(self, turns: Sequence[Turn]) -> list[str]:
        """Each turn that says something, behind its mark."""
        written = []
        for turn in turns:
            text = self.write(turn).strip()
            if turn.role == "tool" and self._has_tools:
                written.append(text)
            elif text:
                written.append(f"{_ROLE_MARKS[turn.role]}{self._name(turn)}\n{text}")
        return written

    def write(self, turn: Turn, *, names_files: bool = True) -> str:
        said = [_say(part, names_files=names_files) for part in turn.parts]
        text = _drop_data("\n".join([words for words in said if words is not None]))
        if turn.role != "assistant" and "data:," in text:
            text = _DROPPED_PICTURE.sub("[image]", text)
        if turn.role == "tool" and self._offer is not None and self._offer.has_tools:
            name = self._names.get(id(turn), "")
            return self._offer.write_result(turn, name, self._numbers.get(id(turn), 1), text)
        if turn.role == "assistant":
            text = _clean(text) + "".join(f"\n{self._write_call(call)}" for call in turn.calls)
        return text

    @property
    def _has_tools(self) -> bool:
        return self._offer is not None and self._offer.has_tools

    def _name(self, turn: Turn) -> str:
        name = self._names.get(id(turn), "")
        return f" {name}" if name else ""

    def _write_call(self, call: Call) -> str:
        call = replace(call, arguments=_drop_data(call.arguments))
        if self._offer is not None and self._has_tools:
            return self._offer.write_call(call)
        return f"(called {call.name} with {call.arguments})"


def _drop_data(text: str) -> str:
    return _BASE64_DATA.sub(_DROPPED_DATA, text) if "64," in text else text


def _say(part: Part, *, names_files: bool) -> str | None:
    if isinstance(part, TextPart):
        return part.text
    return describe(part) if names_files else None


def _clean(text: str) -> str:
    """Links that only the answering conversation could open mislead the next one.

    Patterns are slow, and most of a history holds nothing for them: what each needs is looked for first.
    """
    if "![" in text:
        text = _PICTURE.sub("", text)
    if "](sandbox:" in text:
        text = _SANDBOX_LINK.sub(r"\1", text)
    return _SANDBOX_PATH.sub("", text) if "/mnt/data/" in text else text
