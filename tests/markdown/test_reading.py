"""The page reads Markdown as markdown-it does, and what people write beyond CommonMark as they mean it."""

from __future__ import annotations

import pytest

from tests.markdown.conftest import SECONDS, Check

pytestmark = pytest.mark.timeout(SECONDS + 20)

# Examples of CommonMark that the page reads otherwise, and why.
OTHERWISE = {
    12: "mathematics between escaped brackets",
    **dict.fromkeys((25, 31, 32, 33, 34, 503, 630), "a named character that is not among the few it knows"),
    **dict.fromkeys((596, 598, 599, 601), "an address in angle brackets that is not of the web and no mail"),
}
# Numbers of generated documents, in pieces that processes beside each other can take.
PIECES = [(start, start + 2500) for start in range(1, 10_000, 2500)]
# Text -> HTML. `<bare>` is a link that stands for itself.
MEANT = {
    # Mathematics stays as it came.
    r"\(a^2 + b_1 * c_1\), $x_1*y_1$": r"<p><math>\(a^2 + b_1 * c_1\)</math>, <math>$x_1*y_1$</math></p>",
    "so:\n\\[\n- a * b * c\n\\]\nand": "<p>so:</p><math>\\[\n- a * b * c\n\\]</math><p>and</p>",
    "$$a * b * c$$": "<math>$$a * b * c$$</math>",
    "in $$a*b*c$$ line": "<p>in <math>$$a*b*c$$</math> line</p>",
    "- so\n  $$\n  = x\n  $$": "<ul><li>so<math>$$\n= x\n$$</math></li></ul>",
    "$$ is not closed\n\n*a*": "<math>$$ is not closed</math><p><em>a</em></p>",
    "it costs $5 and *not* $6": "<p>it costs $5 and <em>not</em> $6</p>",
    r"\(a": "<p>(a</p>",
    # Chinese has no spaces between words.
    "**注意：**请看": "<p><strong>注意：</strong>请看</p>",
    "他说**“好”**了": "<p>他说<strong>“好”</strong>了</p>",
    "见https://a.cn/b。后": "<p>见<bare>https://a.cn/b</bare>。后</p>",
    "5~10元，3~5天": "<p>5~10元，3~5天</p>",
    # Bare links end before what belongs to the sentence.
    "(see https://a.b/c_(d).)": "<p>(see <bare>https://a.b/c_(d)</bare>.)</p>",
    "**https://a.b/x_y_z**": "<p><strong><bare>https://a.b/x_y_z</bare></strong></p>",
    "https:// and xhttps://a": "<p>https:// and xhttps://a</p>",
    # Tables and lists as GitHub has them.
    "a | b\n--|--\n1\\|2 | `3\\|4`": (
        "<table><thead><tr><th>a</th><th>b</th></tr></thead>"
        "<tbody><tr><td>1|2</td><td><code>3|4</code></td></tr></tbody></table>"
    ),
    "text\n| a |\n|---|\n| x<br>y |": (
        "<p>text</p><table><thead><tr><th>a</th></tr></thead><tbody><tr><td>x<br>\ny</td></tr></tbody></table>"
    ),
    "- [x] a\n- [ ] b\n- [c](d)": '<ul><li>[x] a</li><li>[ ] b</li><li><a href="d">c</a></li></ul>',
    "> 1. a\n>\n>    b": "<blockquote><ol><li><p>a</p><p>b</p></li></ol></blockquote>",
    "***x*** __x__ _x_ ~~x~~": ("<p><em><strong>x</strong></em> <strong>x</strong> <em>x</em> <s>x</s></p>"),
    # HTML is text, and so is what leads elsewhere.
    "<b>x</b><script>": "<p>&lt;b&gt;x&lt;/b&gt;&lt;script&gt;</p>",
    "<javascript:x>": "<p>&lt;javascript:x&gt;</p>",
}


def test_the_examples_of_commonmark_are_read_as_by_markdown_it(check: Check) -> None:
    examples = check("examples")
    assert len(examples["numbers"]) > 600
    assert set(examples["differ"]) == set(OTHERWISE)


@pytest.mark.parametrize(("first", "end"), PIECES)
def test_documents_that_nobody_wrote_are_read_as_by_markdown_it(check: Check, first: int, end: int) -> None:
    assert check("generated", first, end) == []


@pytest.mark.parametrize(("first", "end"), PIECES)
def test_a_text_that_grows_is_read_as_if_it_had_come_at_once(check: Check, first: int, end: int) -> None:
    assert check("growing", first, end) == []


def test_what_people_write_is_read_as_they_mean_it(check: Check) -> None:
    assert dict(zip(MEANT, check("render", given=list(MEANT)), strict=True)) == MEANT
