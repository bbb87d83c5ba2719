"""Chatting in the page: word by word, stopped, thinking folded, with files, and going on."""

from __future__ import annotations

import time

from playwright.sync_api import FilePayload, Page, expect

from demo.gateway import GatewayProcess
from tests.browser.conftest import TINY_PNG, TOKEN, send, wait_for_end, wait_until
from upstream_emulator.emulator import UpstreamEmulator


def test_words_come_one_by_one(page: Page) -> None:
    page.evaluate(
        """() => { window.seen = new Set();
        const note = () => window.seen.add(document.querySelector('.text')?.textContent ?? '');
        new MutationObserver(note).observe(document.querySelector('#turns'),
          {childList: true, subtree: true, characterData: true}); }"""
    )
    send(page, "[[chunks n=30 pace=40 size=12]]")
    wait_for_end(page)
    lengths = page.evaluate("[...window.seen].map((text) => text.length)")
    assert len(lengths) > 10
    assert lengths == sorted(lengths)


def test_stopping_frees_the_account_within_a_second(page: Page, upstream: UpstreamEmulator) -> None:
    send(page, "[[chunks n=2000 pace=30]]")
    page.locator(".text").wait_for()
    assert upstream.state()["open_streams"] == 1
    begun = time.monotonic()
    page.locator("#stop").click()
    upstream.wait_until(lambda state: state["open_streams"] == 0, seconds=5)
    assert time.monotonic() - begun < 1
    expect(page.locator(".answer").last).to_contain_text("Stopped")
    send(page, "again")
    wait_for_end(page)
    expect(page.locator(".answer").last).to_contain_text("again")
    assert upstream.state()["violations"] == 0


def test_citations_are_links(page: Page) -> None:
    send(page, "[[search]]")
    wait_for_end(page)
    link = page.locator(".sources a").first
    expect(link).to_have_attribute("href", "https://www.weather.com.cn/weather/101010100.shtml")
    expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")


def test_a_conversation_goes_on(page: Page) -> None:
    for number in (1, 2):
        send(page, "hello")
        wait_for_end(page)
        expect(page.locator(".answer").last).to_contain_text(f"第 {number} 轮")


def test_files_and_pictures_are_attached(page: Page) -> None:
    files: list[FilePayload] = [
        {"name": "note.txt", "mimeType": "text/plain", "buffer": b"what is in it"},
        {"name": "dot.png", "mimeType": "image/png", "buffer": TINY_PNG},
        {"name": "other.txt", "mimeType": "text/plain", "buffer": b"taken out again"},
    ]
    page.locator("#files").set_input_files(files)
    page.get_by_role("button", name="Remove other.txt").click()
    expect(page.locator("#attachments")).to_contain_text("note.txt")
    send(page, "read this")
    wait_for_end(page)
    expect(page.locator(".answer")).to_contain_text("note.txt")
    expect(page.locator(".answer")).to_contain_text(f"（{len(TINY_PNG)} 字节")
    expect(page.locator(".answer")).not_to_contain_text("other.txt")
    expect(page.locator("#attachments li")).to_have_count(0)


def test_an_expired_token_is_told_how_to_be_replaced_and_replaced(page: Page) -> None:
    page.evaluate("sessionStorage.setItem('glm-api credentials', 'dead-token')")
    send(page, "hello")
    trouble = page.locator(".trouble")
    expect(trouble).to_contain_text(
        "press F12, open Application > Cookies, and copy the value of chatglm_refresh_token"
    )
    trouble.get_by_role("button", name="Use another token").click()
    expect(page.locator("#credentials")).to_be_focused()
    page.locator("#credentials").fill(TOKEN)
    page.keyboard.press("Enter")
    expect(page.locator("#door")).not_to_be_visible()
    send(page, "hello again")
    wait_for_end(page)
    expect(page.locator(".answer").last).to_contain_text("hello again")


def test_what_failed_is_asked_again(page: Page, upstream: UpstreamEmulator) -> None:
    upstream.account("browser-secret", next=["cut at=3"])
    send(page, "[[text say=whole]]")
    expect(page.locator(".trouble")).to_contain_text("Answer cut off.")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".answer .text")).to_have_text("whole")
    expect(page.locator(".trouble")).to_have_count(0)
    expect(page.locator(".mine")).to_have_count(1)


def test_the_end_of_an_answer_is_in_sight_and_whoever_reads_above_stays_there(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 600})
    send(page, "[[chunks n=3000 pace=5 size=60]]")
    wait_until(page, "document.documentElement.scrollHeight > 3 * innerHeight")
    expect(page.locator("#stop")).to_be_in_viewport(ratio=1)
    page.evaluate("scrollTo(0, 100)")
    length = len(page.locator(".text").inner_text())
    wait_until(page, f"document.querySelector('.text').innerText.length > {length}")
    assert page.evaluate("scrollY") == 100
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    page.locator("#stop").click()
    wait_for_end(page)
    expect(page.get_by_role("button", name="JavaScript")).to_be_in_viewport(ratio=1)


def test_the_keyboard_is_never_lost(page: Page) -> None:
    page.locator("#message").fill("[[chunks n=2000 pace=30]]")
    page.locator("#send").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#stop")).to_be_focused()
    page.locator(".text").wait_for()
    page.keyboard.press("Enter")
    wait_for_end(page)
    expect(page.locator("#send")).to_be_focused()


def test_the_token_stays_in_this_tab(page: Page, gateway: GatewayProcess) -> None:
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    send(page, "hello")
    wait_for_end(page)
    page.locator("#tab-accounts").click()
    page.locator("#account-list .card").wait_for()
    assert urls
    assert TOKEN not in "".join(urls) + page.url + gateway.log()
    assert page.evaluate("[localStorage.length, document.cookie]") == [0, ""]
    kept = page.evaluate("Object.entries(sessionStorage)")
    assert [name for name, value in kept if TOKEN in value] == ["glm-api credentials"]
    page.locator("#forget").click()
    assert page.evaluate("sessionStorage.length") == 0
