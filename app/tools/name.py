"""The names that the model sees: the client's own where they can travel, an alias where they cannot.

chatglm.cn has tools of its own and answers calls of their names itself (protocol notes 0.2 row 9), and the
dialect carries names of letters, digits, `_` and `-`. Whatever else a client calls its tools is mapped there
and back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from app.core.tool import Tool
from app.tools.tool import ToolsRefused, full_name, is_call_of

MAX_NAME_CHARS = 64
SITE_NAMES = frozenset(
    {
        "search", "open_url", "retrieve", "execute_sandbox_code", "finish",
        "browser", "find", "open", "python",
    }
)  # fmt: skip

_TRAVELS = re.compile(r"[A-Za-z0-9_-]{1,64}")
_FOREIGN = re.compile(r"[^A-Za-z0-9_-]+")


class Names:
    """Which tool is offered under which name. No two share one, and no alias is another tool's own name."""

    def __init__(self, tools: Iterable[Tool]) -> None:
        """Raises ToolsRefused for a name that is empty or declared twice in different ways."""
        self._tools = _declare(tools)
        taken = {name for name in self._tools if _can_travel(name)}
        self._aliases: dict[str, str] = {}
        self._offered: dict[str, Tool] = {}
        for name, tool in self._tools.items():
            alias = name if _can_travel(name) else _make_alias(name, taken)
            taken.add(alias)
            self._aliases[name] = alias
            self._offered[alias] = tool
        self._folded = _fold_all(self._offered) | _fold_all(self._tools)

    @property
    def tools(self) -> dict[str, Tool]:
        """Offered name -> tool, in the order of the declaration."""
        return self._offered

    def offer(self, tool: Tool) -> str:
        """The name under which the model knows `tool`."""
        return self._aliases[full_name(tool)]

    def alias(self, name: str) -> str:
        """The same for a name out of the history, whose tool may be declared no more."""
        if name in self._aliases:
            return self._aliases[name]
        return name if _can_travel(name) else _make_alias(name, set(self._offered))

    def find_called(self, call_id: str) -> str | None:
        """The offered name of the tool that a call of ours was one of, None where none of them is it."""
        return next((name for name, tool in self._offered.items() if is_call_of(call_id, tool)), None)

    def resolve(self, written: str) -> Tool | None:
        """The tool that the model means: by its offered name, its own, or either in another case."""
        name = written.strip()
        return self._offered.get(name) or self._tools.get(name) or self._folded.get(_fold(name))

    def resolve_native(self, written: str) -> Tool | None:
        """The same on the native route, where names of the site mean the site's own tools."""
        return None if written.strip() in SITE_NAMES else self.resolve(written)


def _declare(tools: Iterable[Tool]) -> dict[str, Tool]:
    declared: dict[str, Tool] = {}
    for tool in tools:
        name = full_name(tool)
        if not tool.name.strip():
            raise ToolsRefused("A tool needs a name.", tool.place or None)
        known = declared.setdefault(name, tool)
        if (known.kind, known.parameters) != (tool.kind, tool.parameters):
            raise ToolsRefused(
                f"The tool `{name[:64]}` is declared twice in different ways.", tool.place or None
            )
    return declared


def _can_travel(name: str) -> bool:
    return name not in SITE_NAMES and _TRAVELS.fullmatch(name) is not None


def _make_alias(name: str, taken: set[str]) -> str:
    stem = _FOREIGN.sub("_", name).strip("_")
    if not stem or stem in SITE_NAMES:
        stem = f"user_{stem or 'tool'}"
    alias, number = stem[:MAX_NAME_CHARS], 1
    while alias in taken:
        number += 1
        alias = f"{stem[: MAX_NAME_CHARS - 1 - len(str(number))]}_{number}"
    return alias


def _fold(name: str) -> str:
    return name.lower().replace("-", "_")


def _fold_all(tools: dict[str, Tool]) -> dict[str, Tool]:
    """Names without their case, where exactly one tool goes by them."""
    folded: dict[str, list[Tool]] = {}
    for name, tool in tools.items():
        folded.setdefault(_fold(name), []).append(tool)
    return {name: found[0] for name, found in folded.items() if len(found) == 1}
