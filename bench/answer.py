"""What one response said: the text as it arrived, and how it ended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from bench.framing import Reads, Response

Kind = Literal["stream", "whole", "upstream"]
"""Chunks of an OpenAI stream, one whole completion, or the frames of the upstream itself."""


@dataclass(slots=True)
class Answer:
    """`texts` holds every piece of new text and the moment it was read at, in nanoseconds."""

    status: int
    texts: list[tuple[int, str]] = field(default_factory=list)
    finish_reason: str | None = None
    done: bool = False
    """The stream said that it is over (`[DONE]`)."""
    error: str = ""

    @property
    def text(self) -> str:
        return "".join(text for _, text in self.texts)


def read_answer(response: Response, kind: Kind) -> Answer:
    """Raises ValueError, KeyError, IndexError or TypeError where the response is no answer of its kind."""
    answer = Answer(response.status)
    if response.status != 200:
        answer.error = response.body[:200].decode("utf-8", "replace")
    elif kind == "whole":
        _read_completion(answer, response)
    else:
        read_event = read_chunk if kind == "stream" else _read_frame
        for moment, data in list_events(response.pieces):
            read_event(answer, moment, data)
    return answer


def list_events(pieces: Reads) -> Iterator[tuple[int, str]]:
    """The data of every complete server-sent event, each with the moment its last byte was read at."""
    rest = b""
    for moment, piece in pieces:
        *events, rest = (rest + piece.replace(b"\r", b"")).split(b"\n\n")
        for event in events:
            lines = event.decode().split("\n")
            if data := "".join(line[5:].lstrip() for line in lines if line.startswith("data:")):
                yield moment, data


def _read_completion(answer: Answer, response: Response) -> None:
    choice = json.loads(response.body)["choices"][0]
    answer.texts.append((response.pieces[-1][0], choice["message"]["content"]))
    answer.finish_reason = choice["finish_reason"]
    answer.done = True


def read_chunk(answer: Answer, moment: int, data: str) -> None:
    """Add the data of one event of an OpenAI stream."""
    if data == "[DONE]":
        answer.done = True
        return
    chunk: dict[str, Any] = json.loads(data)
    if "error" in chunk:
        answer.error = str(chunk["error"])
    for choice in chunk.get("choices") or ():
        answer.finish_reason = choice.get("finish_reason") or answer.finish_reason
        if text := (choice.get("delta") or {}).get("content"):
            answer.texts.append((moment, text))


def _read_frame(answer: Answer, moment: int, data: str) -> None:
    """Snapshots of one growing part (protocol notes 4.5): what is new is what is longer."""
    frame: dict[str, Any] = json.loads(data)
    known = sum(len(text) for _, text in answer.texts)
    for part in frame["parts"]:
        whole = part["content"][0]["text"]
        if len(whole) > known:
            answer.texts.append((moment, whole[known:]))
    if frame["status"] == "finish":
        answer.finish_reason, answer.done = "stop", True
