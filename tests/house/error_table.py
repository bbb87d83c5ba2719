"""The tables of docs/errors.md and its twin, made of the catalogue and the errors: `make errors`."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import app
from app.catalogue.code import CODES
from app.catalogue.message import Language, Message
from app.core.errors import GatewayError
from app.formats.openai_error import find_type

DOCS = Path(__file__).parents[2] / "docs"
PAGES: dict[Language, Path] = {"en": DOCS / "errors.md", "zh": DOCS / "errors.zh-CN.md"}
HEADINGS: dict[Language, str] = {
    "en": "| situation | status | type | code | what to do |",
    "zh": "| 情况 | 状态 | type | code | 怎么办 |",
}
TABLE = re.compile(r"^\| \S+ \| \S+ \| type \| code \| .*(?:\n\|.*)*", re.MULTILINE)


def list_errors() -> list[type[GatewayError]]:
    """Every kind of failure there is, whichever module it stands in."""
    for module in pkgutil.walk_packages(app.__path__, "app."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    return [GatewayError, *_walk(GatewayError)]


def _walk(kind: type[GatewayError]) -> Iterator[type[GatewayError]]:
    for child in kind.__subclasses__():
        if child.__module__.startswith("app."):
            yield child
            yield from _walk(child)


def build_table(language: Language) -> str:
    """By status, and then in the order of the catalogue."""
    statuses = {kind.code: kind.status for kind in list_errors()}
    order = list(CODES)
    rows = [
        f"| {_say(CODES[code].situation, language)} | {status} | `{find_type(status)}` | `{code}` "
        f"| {_say(CODES[code].advice, language)} |"
        for code, status in sorted(statuses.items(), key=lambda item: (item[1], order.index(item[0])))
    ]
    return "\n".join([HEADINGS[language], "|---|---|---|---|---|", *rows])


def _say(message: Message, language: Language) -> str:
    return message.say(language).replace("|", "\\|")


if __name__ == "__main__":
    for language, page in PAGES.items():
        table = build_table(language).replace("\\", r"\\")
        page.write_text(TABLE.sub(table, page.read_text("utf-8")), "utf-8")
