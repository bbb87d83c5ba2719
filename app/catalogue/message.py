"""The same words in both languages, and which of them are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "zh"]

_MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Message:
    """`zh` is empty where nobody wrote it. Both have the same places for values, such as `{count}`."""

    en: str
    zh: str

    def __str__(self) -> str:
        return self.en

    def fill(self, **values: object) -> Message:
        """With the values in their places; a value may be a message itself. Braces in them mean nothing."""
        return Message(self.say("en", values), self.say("zh", values))

    def then(self, *others: Message) -> Message:
        """These sentences behind it. Without Chinese there is none behind it either."""
        messages = (self, *others)
        return Message(
            " ".join(message.en for message in messages if message.en),
            "".join(message.zh for message in messages) if self.zh else "",
        )

    def say(self, language: Language, values: Mapping[str, object] | None = None) -> str:
        words = self.zh if language == "zh" else self.en
        if values is None:
            return words
        said = {
            name: value.say(language) if isinstance(value, Message) else value
            for name, value in values.items()
        }
        return words.format_map(said)


@dataclass(frozen=True, slots=True)
class Code:
    """What one `code` of an error means."""

    name: Message
    """A few words, as for a table."""
    situation: Message
    """When it happens: a clause without a full stop."""
    advice: Message
    """What to do, and where: whole sentences."""

    @property
    def summary(self) -> Message:
        """Name and advice as sentences, for whoever was told nothing better."""
        name = self.name
        return Message(
            f"{name.en[:1].upper()}{name.en[1:]}. {self.advice.en}", f"{name.zh}：{self.advice.zh}"
        )


class _Told:
    """Of the process, as its log is: the server answers before any request knows its settings."""

    with_chinese = True


def tell_in(language: Language) -> None:
    """From now on failures are told in English alone, or in English and then in Chinese."""
    _Told.with_chinese = language == "zh"


def tell(message: Message) -> str:
    """What callers are told: the English sentences first, so that programs may match them."""
    return f"{message.en} {message.zh}" if _Told.with_chinese and message.zh else message.en


def say_size(size_bytes: int) -> str:
    """`48 MiB`; small ones in bytes."""
    return f"{size_bytes / _MEBIBYTE:.4g} MiB" if size_bytes >= _MEBIBYTE else f"{size_bytes} bytes"
