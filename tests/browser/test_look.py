"""How it looks at every width, light and dark, in both languages; and what of it is read aloud."""

from __future__ import annotations

import os
from itertools import combinations
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FloatRect, Page, expect

from demo.gateway import GatewayProcess
from tests.browser.conftest import enter, send, wait_for_end
from upstream_emulator.emulator import UpstreamEmulator

SCREENSHOTS = os.environ.get("SCREENSHOTS")
SAY = (
    "%23%23%20Streams,%20briefly%0A%0AA%20**stream**%20sends%20an%20answer%20while%20it%20is%20made:%0A%0A"
    "-%20words%20appear%20at%20once%0A-%20stopping%20frees%20the%20account%0A%0A"
    "```python%0Afor%20chunk%20in%20stream:%0A%20%20%20%20print(chunk)%0A```%0A%0A"
    "See%20%5Bthe%20notes%5D(https://example.org)."
)

# What has to be there before a view is looked at.
VIEWS = {
    "try": ".answer",
    "draw": "#pictures",
    "connect": "#client-fields code",
    "accounts": "#conversation-list .item",
    "watch": ".plot",
}


@pytest.mark.parametrize("width", [390, 640, 700, 860, 1000, 1280])
def test_the_head_holds_what_is_in_it(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    head, *parts = (page.locator(name).bounding_box() for name in ("header", "nav", ".aside", ".brand h1"))
    assert head is not None
    for part in parts:
        assert part is not None
        assert part["y"] + part["height"] <= head["y"] + head["height"]
        assert head["x"] <= part["x"]
        assert part["x"] + part["width"] <= head["x"] + head["width"]


def lie_apart(one: FloatRect, other: FloatRect) -> bool:
    is_beside = one["x"] + one["width"] <= other["x"] or other["x"] + other["width"] <= one["x"]
    return is_beside or one["y"] + one["height"] <= other["y"] or other["y"] + other["height"] <= one["y"]


@pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
@pytest.mark.parametrize("width", [390, 640, 768, 864, 1000, 1280, 1440])
def test_nothing_of_the_head_lies_on_anything_else(
    browser: Browser, gateway: GatewayProcess, width: int, locale: str
) -> None:
    """Before the door, where the line about the product is shown, and behind it."""
    context = browser.new_context(locale=locale, viewport={"width": width, "height": 800})
    page = context.new_page()
    page.goto(f"{gateway.url}/")
    for is_inside in (False, True):
        if is_inside:
            enter(page, gateway)
        parts = [
            box
            for name in (".brand h1", ".brand span", "nav", ".aside")
            if (box := page.locator(name).bounding_box()) is not None
        ]
        head = page.locator("header").bounding_box()
        assert head is not None
        assert head["height"] < 130
        for first, second in combinations(parts, 2):
            assert lie_apart(first, second), (width, parts)
    context.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_what_is_told_in_passing_lies_on_nothing_that_is_written(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.evaluate("() => { navigator.clipboard.writeText = async () => {}; }")
    send(page, "hello")
    wait_for_end(page)
    page.get_by_role("button", name="Copy answer").click()
    expect(page.locator("#status")).to_have_class("shown")
    told, composer = (page.locator(name).bounding_box() for name in ("#status", "#composer"))
    assert told is not None
    assert composer is not None
    assert told["y"] + told["height"] <= composer["y"]


def test_seconds_are_seen_and_not_read_aloud(page: Page) -> None:
    page.evaluate(
        """() => { window.said = [];
        const note = (records) => { for (const { target } of records) {
          const node = target.nodeType === Node.TEXT_NODE ? target.parentElement : target;
          const region = node?.closest('[aria-live], [role=status], [role=alert]');
          if (region) window.said.push(region.textContent); } };
        new MutationObserver(note).observe(document.body,
          {childList: true, subtree: true, characterData: true}); }"""
    )
    page.locator("#think").click()
    send(page, "[[think thought=slowly%20considered say=openly pace=300 delay=2000]]")
    wait_for_end(page)
    page.locator("#tab-draw").click()
    page.locator("#kind").select_option("video")
    page.locator("#prompt").fill("a cat [[video looks=1]]")
    page.locator("#draw-go").click()
    page.locator("figure figcaption a").wait_for()
    page.locator("#tab-watch").click()
    page.locator(".plot").first.wait_for()
    assert page.evaluate("window.said") == [
        "Asked; waiting for the first words",
        "Answer complete",
        "At work",
        "Done.",
        "Live",
    ]


@pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 1280, 768, 390])
def test_nothing_is_wider_than_the_window(
    browser: Browser,
    gateway: GatewayProcess,
    upstream: UpstreamEmulator,
    width: int,
    scheme: str,
    locale: str,
) -> None:
    """SCREENSHOTS=directory keeps what was seen."""
    upstream.account("browser-secret", next=[f"think thought=briefly say={SAY}"])
    context = browser.new_context(
        locale=locale,
        viewport={"width": width, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = context.new_page()
    enter(page, gateway)
    send(page, "What is a stream?")
    wait_for_end(page)
    for view, what in VIEWS.items():
        page.locator(f"#tab-{view}").click()
        page.locator(what).first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), view
        if SCREENSHOTS:
            page.screenshot(path=Path(SCREENSHOTS) / f"{view}-{width}-{scheme}-{locale[:2]}.png")
    context.close()
