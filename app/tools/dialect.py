"""How a call is written in the model's text, all in one object: another dialect is another class like this.

    <call-k3x9 name="read_file">{"path": "a.txt"}</call-k3x9>

The word after `call-` is random per process. Nothing that the model reads - files, results, documentation of
this form - can forge a call then, and nothing that the agent reads needs altering. The name comes first, so
that an undeclared one is text at once; the body is typed and ends by itself, so that a wrong closer does no
harm; and it is not GLM's own markup, which the server takes for itself (protocol notes 0.2 row 9).
"""

from __future__ import annotations

import re

WORD_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
WORD_CHARS = 4

_WORD = re.compile(rf"[a-z0-9]{{{WORD_CHARS}}}")
_NAME = re.compile(r"""\s*(?:name\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'/]+))\s*)?/?""")


class Dialect:
    """Writes rules, past calls and results, and knows an opener and a closer."""

    def __init__(self, word: str) -> None:
        """`word` is WORD_CHARS characters of WORD_ALPHABET, drawn once per process."""
        if not _WORD.fullmatch(word):
            raise ValueError("the dialect's word has the wrong form")
        self.opener = f"<call-{word}"
        self.closer = f"</call-{word}>"

    def write_call(self, name: str, arguments: str) -> str:
        """A call as the model should write it, and as the history shows past ones."""
        return f'{self.opener} name="{name}">{arguments}{self.closer}'

    def write_rules(self, example: str) -> str:
        """How to call, with `example` made by write_call."""
        return (
            "To call a function, write its name and one JSON object with its parameters in this form:\n"
            f"{example}\n"
            "Text may stand before a call, and several calls may follow one another. "
            "The turn ends with the last call; the results come in the next turn.\n"
            "需要使用函数时，请直接按上面的格式写出调用，结果会在下一轮给出。"
        )

    def write_result(self, name: str, number: int, text: str, *, has_failed: bool) -> str:
        """What came of a call, as a turn of the history. `number` counts the results from 1."""
        state = " failed" if has_failed else ""
        return f"[Result of {name} #{number}{state}]\n{text if text.strip() else '(no output)'}"

    def read_name(self, tag: str) -> str | None:
        """The name in an opening tag without its `>`; "" where there is none, None if it is no opener."""
        match = _NAME.fullmatch(tag, len(self.opener))
        return None if match is None else match[1] or match[2] or match[3] or ""
