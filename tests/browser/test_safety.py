"""Model output is hostile: nothing of it runs or leaves for another origin, pictures wait for consent."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import pytest
import requests
from playwright.sync_api import BrowserContext, Page, expect

from demo.gateway import GatewayProcess
from demo.upstream import DemoUpstream
from tests.browser.conftest import TOKEN, send, wait_for_end

HOSTILE = """<script>window.hit = 1</script><img src=x onerror="window.hit = 2">
<svg onload="window.hit = 3"></svg>

[a](javascript:window.hit=4) [b](data:text/html,<script>window.hit=5</script>) [c](vbscript:x)

[d](JaVaScRiPt:window.hit=6) [e](&#106;avascript:x) <javascript:window.hit=7> <iframe src="http://evil.test"></iframe>

![track](https://evil.test/pixel.png?u=1) ![x](data:image/svg+xml,<svg/onload=window.hit=8>)

| <b onclick="window.hit=9">x</b> | [f](javascript:1) |
|---|---|
| `<i>` | **<u>bold</u>** |

[good](https://example.org/page) <style>body { display: none }</style>"""


def test_hostile_markdown_does_nothing(page: Page, upstream: DemoUpstream, outside: list[str]) -> None:
    upstream.account("browser-secret", next=[f"text say={quote(HOSTILE)}"])
    send(page, "be evil")
    wait_for_end(page)
    expect(page.locator(".text")).to_contain_text("<script>window.hit = 1</script>")
    for refused in page.locator(".text span:not(.remote)").all():
        refused.click()
    hrefs = page.locator(".text a").evaluate_all("(links) => links.map((link) => link.href)")
    assert all(href.startswith(("http://", "https://")) for href in hrefs)
    assert "https://example.org/page" in hrefs
    assert page.locator(".text :is(script, img, svg, iframe, style, b, i, u)").count() == 0
    assert page.evaluate("window.hit") is None
    expect(page.locator(".remote")).to_have_count(1)
    assert outside == []


def test_a_picture_waits_for_consent_and_comes_through_the_gateway(
    page: Page, upstream: DemoUpstream, outside: list[str]
) -> None:
    url = f"{upstream.url}/testpath/5e56234b-34ae-593c-ba4e-3f7ba77b5768_0.png"
    upstream.account("browser-secret", next=[f"text say={quote(f'![cat]({url})')}"])
    send(page, "a cat")
    wait_for_end(page)
    assert page.locator(".text img").count() == 0
    page.get_by_role("button", name="Show").click()
    page.locator(".text img").evaluate("(image) => image.decode()")
    assert outside == []


def test_the_policy_is_strict(gateway: GatewayProcess) -> None:
    answer = requests.get(f"{gateway.url}/", timeout=5)
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert " style=" not in answer.text
    assert "<script>" not in answer.text


@pytest.fixture
def other_origin(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "index.html").write_text("<!doctype html><title>elsewhere</title>")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_another_origin_can_stream_and_abort(
    context: BrowserContext, gateway: GatewayProcess, upstream: DemoUpstream, other_origin: str
) -> None:
    page = context.new_page()
    page.goto(other_origin)
    page.evaluate(
        """async ([url, token]) => {
        window.control = new AbortController();
        const answer = await fetch(url + "/v1/chat/completions", {
          method: "POST", signal: window.control.signal,
          headers: {Authorization: "Bearer " + token, "Content-Type": "application/json"},
          body: JSON.stringify({model: "glm", stream: true,
            messages: [{role: "user", content: "[[chunks n=2000 pace=30]]"}]})});
        await answer.body.getReader().read(); }""",
        [gateway.url, TOKEN],
    )
    assert upstream.state()["open_streams"] == 1
    page.evaluate("window.control.abort()")
    upstream.wait_until(lambda state: state["open_streams"] == 0, seconds=1)
