"""What an account may choose from upstream: models, and assistants with names that somebody made up."""

from __future__ import annotations

import unicodedata

import msgspec

from app.core.model_name import strip_silent

MAX_NAME_CHARS = 60
MAX_READ_CHARS = 200
"""Rubbish before the first good character is not passed over for long."""
# They part the names of a list, or the segments of a path.
_PARTING = frozenset(",;/\\")


class Assistant(msgspec.Struct, frozen=True):
    """`name` is cleaned, and may be empty."""

    id: str
    name: str

    @property
    def model(self) -> str:
        """What a client sends to ask this one: for people its name, for the gateway the id at the end."""
        if not self.name or strip_silent(self.name) != self.name:
            return self.id
        return f"{self.name}-{self.id}"


class Listing(msgspec.Struct, frozen=True):
    """`models` are names that a request can select (`glm-<digit>...`). None is what nobody could read."""

    models: tuple[str, ...] | None = None
    assistants: tuple[Assistant, ...] | None = None

    @property
    def is_whole(self) -> bool:
        return self.models is not None and self.assistants is not None

    def fill_up(self, older: Listing) -> Listing:
        """With what was known before where nothing is known now."""
        return Listing(
            older.models if self.models is None else self.models,
            older.assistants if self.assistants is None else self.assistants,
        )


def clean_name(text: str) -> str:
    """One line of what can be seen: no controls, nothing that turns the direction of text, single blanks."""
    kept = [
        " " if character in _PARTING or character.isspace() else character
        for character in unicodedata.normalize("NFC", text[:MAX_READ_CHARS])
        if character.isspace() or not unicodedata.category(character).startswith("C")
    ]
    return " ".join("".join(kept).split())[:MAX_NAME_CHARS].rstrip()


def fold_name(text: str) -> str:
    """The same for all spellings of a name that people take for one."""
    return unicodedata.normalize("NFKC", clean_name(text)).casefold()
