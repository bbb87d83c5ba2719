"""Code and outputs as fenced blocks that nothing inside can end."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from app.upstream.code import CodeBlock, Notebook, OutputBlock
from app.upstream.held_bytes import HeldBytes

pieces = st.lists(
    st.sampled_from(["`", "``", "```", "\n", " ", "x", "    ", "````\n", "\n```\n"]), max_size=10
)


def write(code: list[str]) -> str:
    block = CodeBlock(Notebook(HeldBytes()))
    said = [text for piece in code for text in block.feed(piece)]
    return "".join(said + block.finish("") + block.finish(""))


def read_blocks(markdown: str) -> list[str]:
    """The contents of fenced blocks, as CommonMark finds them; an open block is a mistake."""
    blocks: list[str] = []
    fence, lines = "", list[str]()
    for line in markdown.split("\n"):
        if not fence:
            opening = re.fullmatch(r"(`{3,})(python|text)", line)
            assert opening or not line, f"outside of a block: {line!r}"
            fence, lines = (opening[1] if opening else ""), []
        elif re.fullmatch(rf" {{0,3}}`{{{len(fence)},}}[ \t]*", line):
            blocks.append("\n".join(lines))
            fence = ""
        else:
            lines.append(line)
    assert not fence
    return blocks


def list_lines(text: str) -> list[str]:
    """Lines that hold something: a block that must end at once is an empty one."""
    return [line for line in text.split("\n") if line.strip()]


@given(pieces)
def test_code_stays_inside_of_its_blocks(code: list[str]) -> None:
    shown = "\n".join(read_blocks(write(code)))
    assert list_lines(shown) == list_lines("".join(code))


@given(pieces)
def test_an_output_stays_inside_of_its_block(output: list[str]) -> None:
    block = OutputBlock(Notebook(HeldBytes()))
    text = "".join(output)
    blocks = read_blocks("".join(block.finish(text)))
    assert blocks == ([text.strip("\r\n")] if text.strip() else [])


def test_ordinary_code_streams_line_by_line() -> None:
    block = CodeBlock(Notebook(HeldBytes()))
    assert block.feed("a =") == ["```python\na ="]
    assert block.feed(" 1\n") == [" 1"]
    assert block.feed("b") == ["\nb"]
    assert block.finish("") == ["\n```"]


def test_code_that_goes_on_after_its_end_gets_another_block() -> None:
    block = CodeBlock(Notebook(HeldBytes()))
    assert [*block.feed("a"), *block.finish("")] == ["```python\na", "\n```"]
    assert block.feed("b") == ["\n\n```python\nb"]


def test_an_output_is_said_once() -> None:
    notebook = Notebook(HeldBytes())
    first = OutputBlock(notebook)
    assert first.feed("1") == []
    assert first.finish("\n12") == ["```text\n12\n```"]
    assert first.finish("\n12") == []
    assert OutputBlock(notebook).finish("12\n") == []
    CodeBlock(notebook).feed("print(12)")
    assert OutputBlock(notebook).finish("12\n") == ["```text\n12\n```"]


def test_an_output_that_is_left_is_said_as_far_as_it_came() -> None:
    block = OutputBlock(Notebook(HeldBytes()))
    block.feed("a")
    block.feed("b")
    assert block.leave() == ["```text\nab\n```"]
    block.feed("c")
    assert block.finish("abc") == ["\n\n```text\nc\n```"]
