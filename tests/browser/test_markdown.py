"""The renderer of the page: a growing text costs what is new in it, and ends as if it had come at once."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.browser.conftest import send, wait_for_end
from upstream_emulator.emulator import UpstreamEmulator

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
# Text -> what it becomes, where that is not words alone (what is read as what: tests/markdown).
NODES = {
    "***a** b*": "<p><em><strong>a</strong> b</em></p>",
    "a\nb": "<p>a<br>b</p>",
    "> - a\n>\n>   b": "<blockquote><ul><li><p>a</p><p>b</p></li></ul></blockquote>",
    "3. a\n4. b": '<ol start="3"><li>a</li><li>b</li></ol>',
    "- [ ] a": '<ul><li class="task"><input type="checkbox" disabled="" aria-label="to do"> a</li></ul>',
    "a | b\n--|:-:\n1": (
        '<div class="table" tabindex="0"><table><thead><tr><th>a</th><th class="center">b</th></tr></thead>'
        '<tbody><tr><td>1</td><td colspan="1"></td></tr></tbody></table></div>'
    ),
    r"\(a_1\) <b>": r'<p><code class="math">\(a_1\)</code> &lt;b&gt;</p>',
    "$$\na\n$$": '<pre class="math" tabindex="0"><code>$$\na\n$$</code></pre>',
    "[a ![b](https://c.d/e.png)](javascript:f)": "<p><span>a <span>b</span></span></p>",
    "######## a": "<p>######## a</p>",
    "###### a": "<h6>a</h6>",
}
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


def test_every_kind_of_markdown_has_its_nodes(page: Page) -> None:
    nodes = page.evaluate(
        """async (texts) => {
        const { MarkdownView } = await import("/page/markdown.js");
        return texts.map((text) => {
          const node = document.createElement("div");
          new MarkdownView(node).show(text);
          return node.innerHTML;
        }); }""",
        list(NODES),
    )
    assert dict(zip(NODES, nodes, strict=True)) == NODES


def test_what_is_settled_is_not_drawn_again(page: Page, upstream: UpstreamEmulator) -> None:
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
        const marks = ["[", "![", "[[a]", "`", "`a", "**a ", "*a _b ", "[a]((b)", "<", "$", "\\\\(", "https://"];
        const lines = ["# #", "- ", "> ", "|", "a|b\\n-|-\\n", "- [ ] a\\n", "```\\n", "a\\n\\n"];
        for (const piece of [...marks, ...lines])
          new MarkdownView(document.createElement("div")).show(piece.repeat(200000 / piece.length));
        return (performance.now() - begun) / 1000; }"""
    )
    # A second where it should be; one that grows with the square of the text takes thirty.
    assert seconds < 10
