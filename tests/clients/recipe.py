"""The code blocks of docs/clients/, found as a reader finds them: by page, language and heading."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

PAGES = Path(__file__).parents[2] / "docs/clients"
_PLACE = re.compile(
    r"^#+ (?P<heading>[^\n]*)$|^```(?P<language>\w+)\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL
)


class Block(NamedTuple):
    page: str
    heading: str
    language: str
    text: str


def list_pages() -> list[str]:
    """The English ones; a test of the house says that the Chinese ones show the same code."""
    return sorted(path.stem for path in PAGES.glob("*.md") if not path.name.endswith(".zh-CN.md"))


def read_blocks(page: str) -> list[Block]:
    heading, blocks = "", []
    for place in _PLACE.finditer((PAGES / f"{page}.md").read_text("utf-8")):
        if place["language"] is None:
            heading = place["heading"]
        else:
            blocks.append(Block(page, heading, place["language"], place["text"]))
    return blocks


def read_code(page: str, language: str, *headings: str) -> str:
    """What stands in this language below these headings, one after the other."""
    blocks = [block for block in read_blocks(page) if block.language == language]
    found = [[block.text for block in blocks if block.heading == heading] for heading in headings]
    assert all(found), f"{page}.md lacks {language} below one of {headings}"
    return "\n".join(text for texts in found for text in texts)
