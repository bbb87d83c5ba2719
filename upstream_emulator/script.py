"""Directives: how a test says, in the text of its message, what the upstream shall play.

`[[NAME key=value ...]]`, or `[[NAME ARGUMENT key=value ...]]` where a scenario takes one (`[[replay NAME]]`).
The last one in a text counts. Values are URL-decoded, so that `say=%5B%5D` can hold anything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

_DIRECTIVE = re.compile(r"\[\[\s*([a-z0-9][a-z0-9-]*)((?:\s+[^\s\[\]]+)*)\s*\]\]")


@dataclass(frozen=True, slots=True)
class Script:
    """A scenario's name and its parameters. An empty name asks for the ordinary friendly answer."""

    name: str = ""
    argument: str = ""
    values: Mapping[str, str] = field(default_factory=dict)

    def text(self, key: str, default: str = "") -> str:
        return self.values.get(key, default)

    def number(self, key: str, default: float) -> float:
        """A non-negative number; nonsense counts as absent, since directives stand in what people type."""
        try:
            value = float(self.values.get(key, default))
        except ValueError:
            return default
        return value if 0 <= value < 1e9 else default

    def count(self, key: str, default: int) -> int:
        return int(self.number(key, default))

    def is_set(self, key: str) -> bool:
        return self.values.get(key, "0") not in ("", "0")


def find_script(text: str) -> Script:
    """The last directive in a text, or the empty script."""
    found = _DIRECTIVE.findall(text)
    return _build(*found[-1]) if found else Script()


def parse_script(line: str) -> Script:
    """A directive without its brackets, as the control API takes it: `busy429`, `chunks n=3 pace=5`."""
    name, _, rest = line.strip().removeprefix("[[").removesuffix("]]").strip().partition(" ")
    return _build(name, rest)


def _build(name: str, rest: str) -> Script:
    words = [word.partition("=") for word in rest.split()]
    values = {key: unquote(value) for key, equals, value in words if equals}
    arguments = [key for key, equals, _ in words if not equals]
    return Script(name, arguments[0] if arguments else "", values)
