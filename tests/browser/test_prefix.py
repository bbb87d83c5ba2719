"""The page and the reference below a path of a shared host, which the proxy before them takes off."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from demo.gateway import GatewayProcess
from tests.browser.conftest import TOKEN, send, wait_for_end

PREFIX = "/glm"


class StrippingProxy(ThreadingHTTPServer):
    """`location /glm/ { proxy_pass http://gateway/; }` and 404 for everything else. Notes what it refused."""

    daemon_threads = True

    def __init__(self, gateway_url: str) -> None:
        super().__init__(("127.0.0.1", 0), Relay)
        self.gateway = urlsplit(gateway_url).netloc
        self.url = f"http://127.0.0.1:{self.server_port}{PREFIX}"
        self.outside: list[str] = []


class Relay(BaseHTTPRequestHandler):
    server: StrippingProxy

    def relay(self) -> None:
        if not self.path.startswith(f"{PREFIX}/"):
            self.server.outside.append(self.path)
            return self.send_error(404)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        upstream = http.client.HTTPConnection(self.server.gateway, timeout=30)
        upstream.request(self.command, self.path.removeprefix(PREFIX), body, dict(self.headers.items()))
        answer = upstream.getresponse()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection"):
                self.send_header(name, value)
        self.end_headers()
        with suppress(ConnectionError):  # the browser leaves its watches
            while data := answer.read1(65536):
                self.wfile.write(data)
        upstream.close()
        return None

    do_GET = do_POST = do_DELETE = relay  # noqa: N815 - as http.server wants it

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def proxy(gateway: GatewayProcess) -> Iterator[StrippingProxy]:
    with StrippingProxy(gateway.url) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        yield proxy
        proxy.shutdown()


@pytest.fixture
def outside(proxy: StrippingProxy) -> list[str]:
    """What was asked beside the path; the other origin is the proxy's matter here."""
    return proxy.outside


@pytest.fixture
def below(blank: Page, proxy: StrippingProxy) -> Iterator[Page]:
    """The page through the proxy; no request of it may fail."""
    failed: list[str] = []
    blank.on("response", lambda answer: failed.append(answer.url) if answer.status >= 400 else None)
    blank.goto(f"{proxy.url}/")
    blank.locator("#credentials").fill(TOKEN)
    blank.locator("#door button").click()
    blank.locator("#message").wait_for()
    yield blank
    assert failed == []


def test_the_page_chats_draws_and_lists_accounts(below: Page) -> None:
    send(below, "hello")
    wait_for_end(below)
    expect(below.locator(".answer").last).to_contain_text("hello")
    below.locator("#tab-draw").click()
    below.locator("#prompt").fill("a cat")
    below.locator("#drawing button").last.click()
    expect(below.locator("#view-draw img.picture").first).to_be_visible()
    below.locator("#tab-accounts").click()
    expect(below.locator("#account-list .card").first).to_be_visible()


def test_what_is_copied_names_the_path(below: Page, proxy: StrippingProxy) -> None:
    below.evaluate("() => { navigator.clipboard.writeText = async (text) => { window.copied = text; }; }")
    send(below, "hello")
    wait_for_end(below)
    for name in ("curl", "Python", "JavaScript"):
        below.get_by_role("button", name=name, exact=True).last.click()
        assert f"{proxy.url}/v1" in below.evaluate("window.copied")
    below.locator("#tab-connect").click()
    below.get_by_role("button", name="Copy: Base address", exact=True).click()
    assert below.evaluate("window.copied") == f"{proxy.url}/v1"


def test_the_reference_asks_below_the_path(blank: Page, proxy: StrippingProxy) -> None:
    asked: list[str] = []
    blank.on("request", lambda request: asked.append(request.url))
    blank.goto(f"{proxy.url}/docs#/chat/createChatCompletion")
    expect(blank.locator(".servers select option")).to_have_text([proxy.url])
    blank.locator(".try-out__btn").click()
    blank.locator(".execute").click()
    expect(blank.locator(".live-responses-table .response .response-col_status")).to_contain_text("401")
    assert f"{proxy.url}/v1/chat/completions" in asked
    blank.get_by_role("link", name="glm-api", exact=True).click()
    expect(blank).to_have_url(f"{proxy.url}/")
