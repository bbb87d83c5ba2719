"""The conversation survives a reload of its tab, and nothing of it outlives the key."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import send, wait_for_end
from upstream_emulator.emulator import UpstreamEmulator


def test_a_conversation_survives_a_reload_and_goes_on(page: Page) -> None:
    page.locator("#think").click()
    send(page, "[[think thought=secretly say=**openly**]]")
    wait_for_end(page)
    page.reload()
    expect(page.locator(".mine")).to_contain_text("[[think")
    expect(page.locator(".answer .text strong")).to_have_text("openly")
    expect(page.locator("details.thinking summary")).to_have_text(re.compile("Thought for"))
    expect(page.locator(".answer .foot").first).to_have_text(re.compile(r"^glm-think · .* tokens$"))
    expect(page.locator("#think")).to_have_attribute("aria-pressed", "true")
    page.locator("#think").click()
    send(page, "hello")
    wait_for_end(page)
    expect(page.locator(".answer").last).to_contain_text("第 2 轮")
    page.reload()
    page.get_by_role("button", name="Ask again").click()
    wait_for_end(page)
    expect(page.locator(".answer")).to_have_count(2)
    expect(page.locator(".answer").last).to_contain_text("hello")


def test_an_answer_that_was_on_its_way_ends_where_it_was(page: Page, upstream: UpstreamEmulator) -> None:
    send(page, "[[chunks n=2000 pace=30]]")
    page.locator(".text").wait_for()
    page.reload()
    expect(page.locator(".answer .text")).not_to_be_empty()
    expect(page.locator(".answer")).to_contain_text("The page was loaded anew")
    upstream.wait_until(lambda state: state["open_streams"] == 0, seconds=5)
    send(page, "hello")
    wait_for_end(page)
    expect(page.locator(".answer").last).to_contain_text("hello")


def test_thoughts_that_were_on_their_way_are_folded(page: Page) -> None:
    page.locator("#think").click()
    send(page, "[[think thought=secretly%20considered%20at%20length say=openly pace=1500]]")
    page.locator("details.thinking div").wait_for()
    page.reload()
    expect(page.locator("details.thinking summary")).to_have_text(re.compile(r"^Thought for \d"))
    expect(page.locator("details.thinking div")).not_to_be_visible()
    expect(page.locator(".answer")).to_contain_text("The page was loaded anew")


def test_a_failure_is_told_again_and_can_still_be_mended(page: Page, upstream: UpstreamEmulator) -> None:
    upstream.account("browser-secret", next=["cut at=3"])
    send(page, "[[text say=whole]]")
    expect(page.locator(".trouble")).to_contain_text("Answer cut off.")
    page.reload()
    expect(page.locator(".trouble")).to_contain_text("Answer cut off.")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".answer .text")).to_have_text("whole")


def test_what_is_too_large_to_keep_leaves_the_rest(page: Page) -> None:
    size = 400_000
    for number, name in enumerate(("first", "last"), start=1):
        page.locator("#files").set_input_files(
            {"name": f"{name}.txt", "mimeType": "text/plain", "buffer": name.encode() * (size // len(name))}
        )
        send(page, name)
        expect(page.locator(".answer")).to_have_count(number)  # reading the file comes first
        wait_for_end(page)
    page.reload()
    expect(page.locator(".mine").last).to_contain_text("📎 last.txt")
    expect(page.locator(".answer").last).to_contain_text("last")
    expect(page.get_by_role("button", name="Ask again")).to_have_count(0)
    assert page.evaluate("sessionStorage.getItem('glm-api conversation').length") < size


def test_a_new_chat_and_a_forgotten_key_leave_nothing(page: Page) -> None:
    for button in ("#new-chat", "#forget"):
        send(page, "hello")
        wait_for_end(page)
        page.locator(button).click()
        page.reload()
        expect(page.locator(".answer")).to_have_count(0)
        assert page.evaluate("sessionStorage.getItem('glm-api conversation')") is None


def test_the_end_is_a_click_away_and_the_bar_stays(page: Page) -> None:
    send(page, "[[chunks n=400 pace=0 size=60]]")
    wait_for_end(page)
    expect(page.locator("#to-end")).not_to_be_visible()
    page.evaluate("scrollTo(0, 0)")
    expect(page.locator("#new-chat")).to_be_in_viewport(ratio=1)
    page.locator("#to-end").click()
    expect(page.locator("#to-end")).not_to_be_visible()
    expect(page.locator("#new-chat")).to_be_in_viewport(ratio=1)
    expect(page.locator("#model")).to_be_in_viewport(ratio=1)
