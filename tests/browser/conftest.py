"""The page in Debian's Chromium, before a real gateway. A missing browser is a failure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect, sync_playwright

from demo.gateway import GatewayProcess
from upstream_emulator.emulator import UpstreamEmulator

CHROMIUM = Path("/usr/bin/chromium")
TOKEN = "demo-browser-secret"
PACE_MILLISECONDS = 30
TINY_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154"
    "789c6360f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)


@pytest.fixture(scope="session")
def shared_upstream() -> Iterator[UpstreamEmulator]:
    with UpstreamEmulator(pace=PACE_MILLISECONDS) as upstream:
        yield upstream


@pytest.fixture
def upstream(shared_upstream: UpstreamEmulator) -> UpstreamEmulator:
    shared_upstream.reset()
    return shared_upstream


@pytest.fixture(scope="session")
def gateway(
    shared_upstream: UpstreamEmulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GatewayProcess]:
    settings = {
        # The pictures of the upstream emulator lie on this machine.
        "GLM_FILES_ALLOW_PRIVATE": "1",
        "GLM_FILES_PORTS": str(urlsplit(shared_upstream.url).port),
        "GLM_QUEUE_SECONDS": "5",
    }
    with GatewayProcess(shared_upstream.url, tmp_path_factory.mktemp("gateway"), **settings) as gateway:
        yield gateway


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    assert CHROMIUM.exists(), "install the browser: apt-get install --no-install-recommends chromium"
    with sync_playwright() as playwright:
        # As root, as in containers, Chromium has no sandbox of its own to offer.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 800})
    context.set_default_timeout(10_000)
    yield context
    context.close()


@pytest.fixture
def outside(context: BrowserContext, gateway: GatewayProcess) -> list[str]:
    """Everything the browser asked of another origin, which must be nothing."""
    asked: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith((gateway.url, "data:", "blob:")):
            asked.append(request.url)

    context.on("request", note)
    return asked


@pytest.fixture
def blank(context: BrowserContext, upstream: UpstreamEmulator, outside: list[str]) -> Iterator[Page]:
    """A page on which no script may fail or be kept from anything, and that asks nothing of anybody else."""
    page = context.new_page()
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.on("console", lambda message: failures.append(message.text) if "Security" in message.text else None)
    yield page
    assert failures == []
    assert outside == []


@pytest.fixture
def page(blank: Page, gateway: GatewayProcess) -> Page:
    """The page with a token given."""
    enter(blank, gateway)
    return blank


def enter(page: Page, gateway: GatewayProcess, token: str = TOKEN) -> None:
    page.goto(f"{gateway.url}/")
    page.locator("#credentials").fill(token)
    page.locator("#door button").click()
    page.locator("#message").wait_for()


def send(page: Page, text: str) -> None:
    page.locator("#message").fill(text)
    page.locator("#send").click()


def wait_for_end(page: Page) -> None:
    page.locator(".answer").last.wait_for()
    expect(page.locator(".answer[aria-busy]")).to_have_count(0, timeout=10_000)


def wait_until(page: Page, condition: str) -> None:
    """Look once a frame; Playwright's own way is an eval, which the page's policy forbids."""
    page.evaluate(
        f"""() => new Promise((resolve) => {{
        const look = () => ({condition}) ? resolve() : requestAnimationFrame(look);
        look(); }})"""
    )
