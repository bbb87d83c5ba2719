"""The renderer of the page: a growing text costs what is new in it, and ends as if it had come at once."""

from __future__ import annotations

from playwright.sync_api import Page

from demo.upstream import DemoUpstream
from tests.browser.conftest import send, wait_for_end

TEXT = """# Title #

A *paragraph* with `code`, https://example.org/a. And
two lines.
- one
  - inner
- two
1. first

---
| a | b |
|---|--:|
| 1 | 2 |
text after a table
```python
for x in y:
    print("```")

```
~~~
open **fence**
- no list
"""
GROW = """async (text) => {
  const { MarkdownView } = await import("/page/markdown.js");
  const show = (pieces) => {
    const node = document.createElement("div"), view = new MarkdownView(node);
    for (const piece of pieces) view.show(piece);
    node.normalize();
    return node.innerHTML;
  };
  const count = (step) => ({ length: Math.ceil(text.length / step) });
  const prefixes = (step) => Array.from(count(step), (_, i) => text.slice(0, (i + 1) * step));
  const whole = show([text]);
  return [whole, ...[1, 2, 7, 40].map((step) => show(prefixes(step)) === whole)];
}"""


def test_a_growing_text_ends_as_if_it_had_come_at_once(page: Page) -> None:
    for text in (TEXT, TEXT.replace("\n", "\r\n"), TEXT + "~~~\n\nthe end"):
        whole, *same = page.evaluate(GROW, text)
        assert "<h2>Title</h2>" in whole
        assert 'href="https://example.org/a"' in whole
        assert '<td class="right">2</td>' in whole
        assert same == [True] * 4


def test_what_is_settled_is_not_drawn_again(page: Page, upstream: DemoUpstream) -> None:
    page.evaluate(
        """() => { window.added = 0;
        const count = (changes) => changes.forEach((change) => { window.added += change.addedNodes.length; });
        const turns = document.querySelector("#turns");
        new MutationObserver(count).observe(turns, {childList: true, subtree: true}); }"""
    )
    paragraphs = 80
    text = "%0A%0A".join(f"paragraph%20{number}" for number in range(paragraphs))
    send(page, f"[[text say={text} pace=5]]")
    page.locator(".text p").nth(2).wait_for()
    page.locator(".text p").first.evaluate("(node) => { window.first = node; }")
    wait_for_end(page)
    assert page.locator(".text p").count() == paragraphs
    assert page.evaluate("window.first.isConnected")
    # Each paragraph as often as it grew; all of them each time would be more by far.
    assert page.evaluate("window.added") < paragraphs**2 / 4


def test_a_hostile_text_does_not_hold_the_tab_up(page: Page) -> None:
    seconds = page.evaluate(
        """async () => {
        const { MarkdownView } = await import("/page/markdown.js");
        const begun = performance.now();
        for (const piece of ["[", "![", "[[a]", "`a", "**a", "[a]((b)", "# #", "- ", "<", "|", "a\\n\\n"])
          new MarkdownView(document.createElement("div")).show(piece.repeat(300000 / piece.length));
        return (performance.now() - begun) / 1000; }"""
    )
    # A second where it should be; one that grows with the square of the text takes thirty.
    assert seconds < 10
