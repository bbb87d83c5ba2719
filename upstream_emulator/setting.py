"""How the emulator behaves as a whole; tests change it through the control API."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from upstream_emulator.fault import FAULTS, SILENT_FAULTS

CHOICES = {
    "era": ("2024", "2026", "both"),
    "style": ("", "snapshot", "delta", "mixed"),
    "rotate": ("none", "soft", "hard"),
    "fault": ("", *FAULTS, *SILENT_FAULTS),
    "assistants": ("any", "known"),
    "edits": ("drawn", "refused"),
    "lists": ("", "moved", "nested", "empty-lists", "no-lists", "hostile", *FAULTS, *SILENT_FAULTS),
}

# What may be negative.
SIGNED = {"clock_offset_seconds"}


class InvalidSetting(ValueError):
    """The message names the setting that is wrong."""


@dataclass(slots=True)
class Setting:
    """`era`: which endpoints exist ("2024" also means: nothing is signed). `style`: of answers that do
    not choose one themselves; empty means the era's own. `rotate`: whether a refresh gives a new refresh
    token, and whether the old one dies ("hard"). `down`: every call but the control API's finds its
    connection reset. `assistants`: whether ids that the protocol notes do not name are refused ("known").
    `edits`: what becomes of a picture's (edit.py). `lists`: what is answered where models and assistants
    are listed (`upstream_emulator.listing`), after `list_delay_seconds`. `pace` is the pause in
    milliseconds between the frames of an answer without a directive. `fault`: what every call gets
    instead of an answer. `clock_offset_seconds`: how far its clock is ahead of ours: its `Date` tells,
    and signatures are held against it."""

    era: str = "both"
    style: str = ""
    rotate: str = "none"
    assistants: str = "any"
    edits: str = "drawn"
    lists: str = ""
    list_delay_seconds: float = 0
    access_life_seconds: float = 86400
    refresh_delay_seconds: float = 0
    pace: float = 10
    down: bool = False
    fault: str = ""
    clock_offset_seconds: float = 0

    def apply(self, changes: dict[str, Any]) -> None:
        """Takes over all the changes or none. Raises InvalidSetting."""
        known = {field.name: getattr(self, field.name) for field in fields(self)}
        for name, value in changes.items():
            if name not in known:
                raise InvalidSetting(f"there is no setting {name!r}")
            _check(name, known[name], value)
        for name, value in changes.items():
            setattr(self, name, value)

    @property
    def default_style(self) -> str:
        return self.style or ("snapshot" if self.era == "2024" else "delta")


def _check(name: str, current: Any, value: Any) -> None:
    if name in CHOICES:
        good = value in CHOICES[name]
    elif isinstance(current, bool):
        good = isinstance(value, bool)
    else:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        good = is_number and (value >= 0 or name in SIGNED)
    if not good:
        raise InvalidSetting(f"{value!r} is no value for {name}")
