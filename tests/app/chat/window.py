"""Chats as clients have them, and what clients do to them before they ask again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from app.accounts.authenticator import Caller
from app.core.request import TextPart, Turn
from app.keys import GatewayKey


def build_caller(label: str, tokens: str) -> Caller:
    """With a gateway key where there is a label; else the tokens are the caller's own."""
    key = GatewayKey(label.encode() * 32, label) if label else None
    return Caller(key.id if key else "", label or tokens, tuple(tokens), key)


CALLERS = [
    build_caller("a", "xy"),
    build_caller("b", "xy"),
    build_caller("", "xy"),
    build_caller("", "x"),
    build_caller("", "z"),
]
KEPT_AS: list[Callable[[str, str], str]] = [
    lambda thought, text: text,
    lambda thought, text: f" {text.strip()}\n",
    lambda thought, text: f"<think>\n{thought}\n</think>\n\n{text}",
    lambda thought, text: f"> {thought}\n\n{text}" if thought else text,
]
"""What clients make of an answer."""


def say(role: Any, text: str) -> Turn:
    return Turn(role, (TextPart(text),))


@dataclass(frozen=True, slots=True)
class Window:
    """A chat as one client has it: who it is, how it asks, and what was said."""

    caller: Caller
    history: tuple[Turn, ...] = ()
    model: str = "glm"
    searches: bool = False
    conversation_id: str | None = None


def change_system(window: Window, place: int, word: int) -> Window:
    spoken = tuple(turn for turn in window.history if turn.role != "system")
    return replace(window, history=(say("system", f"s{word}"), *spoken) if place % 2 else spoken)


def edit(window: Window, place: int, word: int) -> Window:
    history = list(window.history)
    if history:
        role = history[place % len(history)].role
        history[place % len(history)] = say(role, f"{role[0]}{word}")
    return replace(window, history=tuple(history))


def regenerate(window: Window, place: int, word: int) -> Window:
    return replace(window, history=window.history[:-2])


def trim(window: Window, place: int, word: int) -> Window:
    return replace(window, history=window.history[1 + place % 2 :])


def change_caller(window: Window, place: int, word: int) -> Window:
    return replace(window, caller=CALLERS[place % len(CALLERS)])


def change_accounts(window: Window, place: int, word: int) -> Window:
    """Some leave, others come; the order means nothing."""
    tokens = ("x", "y", "yx", "xy", "xyz", "z")[place % 6]
    return replace(window, caller=replace(window.caller, refresh_tokens=tuple(tokens)))


def change_mode(window: Window, place: int, word: int) -> Window:
    return replace(window, model=("glm", "glm-think", "glm-5.3")[place % 3], searches=word == 1)


def begin_anew(window: Window, place: int, word: int) -> Window:
    return replace(window, history=())


CHANGES: list[Callable[[Window, int, int], Window]] = [
    change_system,
    edit,
    regenerate,
    trim,
    change_caller,
    change_accounts,
    change_mode,
    begin_anew,
]
