"""Asking the gateway, streamed and whole, and reading what came as a user would."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from openai import OpenAI


@dataclass
class Heard:
    """What a client has at the end of an answer."""

    text: str = ""
    reasoning: str = ""
    finish: str | None = None
    ids: set[str] = field(default_factory=set)
    models: set[str] = field(default_factory=set)
    pieces: int = 0
    usage: Any = None


def ask(client: OpenAI, question: str, *, stream: bool, model: str = "glm", **more: Any) -> Heard:
    """One user message. Raises what the client raises."""
    return ask_messages(client, [{"role": "user", "content": question}], stream=stream, model=model, **more)


def ask_messages(client: OpenAI, messages: Any, *, stream: bool, model: str = "glm", **more: Any) -> Heard:
    heard = Heard()
    if not stream:
        answer: Any = client.chat.completions.create(model=model, messages=messages, **more)
        choice = answer.choices[0]
        return Heard(
            text=choice.message.content,
            reasoning=getattr(choice.message, "reasoning_content", None) or "",
            finish=choice.finish_reason,
            ids={answer.id},
            models={answer.model},
            pieces=1,
            usage=answer.usage,
        )
    for chunk in client.chat.completions.create(model=model, messages=messages, stream=True, **more):
        note(heard, chunk)
    return heard


def note(heard: Heard, chunk: Any) -> None:
    """Add one chunk of the official client."""
    heard.ids.add(chunk.id)
    heard.models.add(chunk.model)
    heard.usage = chunk.usage or heard.usage
    for choice in chunk.choices:
        heard.text += choice.delta.content or ""
        heard.reasoning += getattr(choice.delta, "reasoning_content", None) or ""
        heard.finish = choice.finish_reason or heard.finish
        heard.pieces += 1
