"""Chatting in the page: word by word, stopped, thinking folded, with files, and going on."""

from __future__ import annotations

import time

from playwright.sync_api import Page, expect

from demo.gateway import GatewayProcess
from demo.upstream import DemoUpstream
from tests.browser.conftest import TOKEN, send, wait_for_end

STREAM = "/chatglm/backend-api/assistant/stream"


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


def test_stopping_frees_the_account_within_a_second(page: Page, upstream: DemoUpstream) -> None:
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


def test_thinking_is_folded(page: Page) -> None:
    page.locator("#model").fill("glm-think")
    send(page, "[[think thought=secretly say=openly]]")
    wait_for_end(page)
    expect(page.locator(".text")).to_have_text("openly")
    expect(page.locator("details.thinking div")).not_to_be_visible()
    page.locator("details.thinking summary").click()
    expect(page.locator("details.thinking div")).to_have_text("secretly")


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


def test_a_file_is_attached(page: Page) -> None:
    page.locator("#files").set_input_files(
        {"name": "note.txt", "mimeType": "text/plain", "buffer": b"what is in it"}
    )
    expect(page.locator("#attachments")).to_contain_text("note.txt")
    send(page, "read this")
    wait_for_end(page)
    expect(page.locator(".answer")).to_contain_text("note.txt")
    expect(page.locator("#attachments li")).to_have_count(0)


def test_an_expired_token_is_told_how_to_be_replaced(page: Page) -> None:
    page.evaluate("sessionStorage.setItem('glm-api credentials', 'dead-token')")
    send(page, "hello")
    expect(page.locator(".trouble")).to_contain_text("F12, Application > Cookies > chatglm_refresh_token")


def test_what_is_copied_has_no_token(page: Page) -> None:
    page.evaluate(
        "() => { navigator.clipboard.writeText = async (text) => { (window.copied ??= []).push(text); }; }"
    )
    send(page, "it's true")
    wait_for_end(page)
    for name in ("curl", "Python", "JavaScript"):
        page.get_by_role("button", name=name).click()
    curl, python, javascript = page.evaluate("window.copied")
    assert "curl -N" in curl
    assert "'\\''" in curl
    compile(python, "copied", "exec")
    assert "stream=True" in python
    assert "fetch(" in javascript
    assert all("YOUR_TOKEN" in text and TOKEN not in text for text in (curl, python, javascript))


def test_the_token_stays_in_this_tab(page: Page, gateway: GatewayProcess) -> None:
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    send(page, "hello")
    wait_for_end(page)
    page.locator("#tab-accounts").click()
    page.locator("#account-list .card").wait_for()
    assert urls
    assert TOKEN not in "".join(urls) + page.url + gateway.log()
    assert page.evaluate("[localStorage.length, document.cookie, sessionStorage.length]") == [0, "", 1]
    page.locator("#forget").click()
    assert page.evaluate("sessionStorage.length") == 0
