"""The other views: drawing, accounts, watching; language and scheme."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Page, expect

from demo.gateway import GatewayProcess
from tests.browser.conftest import enter, send, wait_for_end
from upstream_emulator.account import Account
from upstream_emulator.emulator import UpstreamEmulator


def test_drawing_shows_pictures(page: Page) -> None:
    page.locator("#tab-draw").click()
    page.locator("#prompt").fill("a cat")
    page.locator("#draw-go").click()
    page.locator("figure img").first.wait_for()
    for image in page.locator("figure img").all():
        image.evaluate("(image) => image.decode()")


def test_filming_waits_with_seconds_and_shows_the_video(page: Page) -> None:
    page.locator("#tab-draw").click()
    page.locator("#kind").select_option("video")
    expect(page.locator("#size")).not_to_be_visible()
    page.locator("#prompt").fill("a cat [[video looks=2]]")
    page.locator("#draw-go").click()
    expect(page.locator("#pictures")).to_contain_text(re.compile(r"Filming.* \d"))
    expect(page.locator("#pictures progress")).to_be_visible()
    address = page.locator("figure figcaption a")
    expect(address).to_have_attribute("href", re.compile(r"^https?://.*\.mp4$"), timeout=15_000)
    expect(page.locator("#pictures")).to_contain_text(re.compile(r"[\d.]+ s in all"))
    # Its cover is gone at the emulator; the video is there nevertheless.
    expect(page.locator("#pictures .trouble")).to_have_count(0)


def test_accounts_are_shown_checked_and_cleaned(page: Page, upstream: UpstreamEmulator) -> None:
    send(page, "hello")
    wait_for_end(page)
    page.locator("#tab-accounts").click()
    expect(page.locator("#account-list .badge")).to_have_text("ready")
    page.locator("#check").click()
    expect(page.locator(".verdict")).to_have_text("The token is alive.")
    page.locator("#conversation-list button").first.wait_for()
    kept = page.locator("#conversation-list .card").count()
    page.locator("#conversation-list button").first.click()
    expect(page.locator("#conversation-list .card")).to_have_count(kept - 1)
    upstream.wait_until(lambda state: state["undeleted"] == 0)


def test_accounts_are_numbered_as_the_caller_lists_them_and_say_one_thing(
    page: Page, upstream: UpstreamEmulator
) -> None:
    page.evaluate("sessionStorage.setItem('glm-api credentials', 'demo-numbered,dead-numbered')")
    page.locator("#tab-accounts").click()
    cards = page.locator("#account-list .card")
    expect(cards.locator("strong")).to_have_text(["#1", "#2"])
    expect(cards.locator(".badge")).to_have_text(["not used yet", "not used yet"])
    page.locator("#check").click()
    expect(cards.locator(".badge")).to_have_text(["ready", "expired"])
    expect(cards.last).to_contain_text("The token is not alive.")
    assert cards.last.locator(".good").count() == 0


def test_accounts_say_what_is_left_and_what_the_web_chat_says(page: Page, upstream: UpstreamEmulator) -> None:
    """In words and in the colour of trouble, both with enough contrast to be read."""
    upstream.account("standing", is_barred=True)
    page.evaluate("sessionStorage.setItem('glm-api credentials', 'demo-standing')")
    send(page, "hello")
    wait_for_end(page)
    page.locator("#tab-accounts").click()
    lines = page.locator("#account-list .card dl")
    expect(lines).to_contain_text(re.compile(r"Points left\s*20\s*The web chat says\s*blocked"))
    expect(lines.locator(".bad")).to_have_text("blocked")


def test_the_menu_offers_what_the_account_has(page: Page, upstream: UpstreamEmulator) -> None:
    """An assistant by what its maker calls it; the switches become fields, and a reload keeps the choice."""
    own = Account("browser-secret")
    menu = page.locator("#model")
    expect(menu.locator("option", has_text=own.assistant_name)).to_have_count(1)
    menu.select_option(label=own.assistant_name)
    page.locator("#think").click()
    send(page, "hello")
    wait_for_end(page)
    asked = [sent["body"] for sent in upstream.requests() if sent["path"].endswith("/assistant/stream")]
    assert (asked[0]["assistant_id"], asked[0]["meta_data"]["chat_mode"]) == (own.assistant_id, "thinking")
    page.reload()
    expect(menu).to_have_value(f"{own.assistant_name}-{own.assistant_id}")


def test_watching_shows_what_happens(page: Page) -> None:
    page.evaluate("sessionStorage.setItem('glm-api credentials', 'demo-watched')")
    send(page, "hello")
    wait_for_end(page)
    page.locator("#tab-watch").click()
    expect(page.locator("#plots")).to_contain_text("1 in 15 minutes")
    expect(page.locator("#watch-state")).to_have_text("Live")
    page.evaluate(
        """() => fetch("/v1/chat/completions", {method: "POST", body: '{"messages": 1}',
        headers: {Authorization: "Bearer " + sessionStorage.getItem("glm-api credentials")}})"""
    )
    expect(page.locator("#plots")).to_contain_text("2 in 15 minutes")
    expect(page.locator("#plots")).to_contain_text("1 × wrong request")
    page.locator("#span").select_option("60")
    expect(page.locator("#plots")).to_contain_text("2 in 60 minutes")
    page.locator("#span").select_option("5")
    # The two requests lie in one half minute or in two.
    bar = page.locator(".plot").first.locator('.bars:not([height="0"])').first
    bar.hover()
    expect(page.locator(".plot .axis").first).to_contain_text(re.compile(r"\d:\d\d:[03]0.*: [12]"))
    box = bar.bounding_box()
    assert box is not None
    assert box["width"] > 10
    page.evaluate("sessionStorage.setItem('glm-api credentials', 'demo-other')")
    page.locator("#tab-try").click()
    page.locator("#tab-watch").click()
    expect(page.locator("#plots")).to_contain_text("Nothing yet.")


def test_accounts_say_in_words_what_is_wrong(page: Page, upstream: UpstreamEmulator) -> None:
    upstream.account("worded", next=["throttled429"])
    page.evaluate("sessionStorage.setItem('glm-api credentials', 'demo-worded,dead-token')")
    send(page, "hello")
    wait_for_end(page)
    page.locator("#tab-accounts").click()
    cards = page.locator("#account-list .card")
    expect(cards.filter(has_text="cooling").first).to_contain_text("asked to slow down")
    expect(cards.filter(has_text="cooling").first).to_contain_text("Cooling until")
    expect(cards.filter(has_text="expired").last).to_contain_text("token expired")


def test_a_drawing_that_failed_is_tried_again(page: Page, upstream: UpstreamEmulator) -> None:
    upstream.account("browser-secret", next=["filter at=0"])
    page.locator("#tab-draw").click()
    page.locator("#prompt").fill("a cat [[draw n=0]]")
    page.locator("#draw-go").click()
    expect(page.locator("#pictures .trouble")).to_contain_text("Content filter. Ask for something else.")
    page.locator("#prompt").fill("a cat [[draw n=0]]")
    page.locator("#draw-go").click()
    expect(page.locator("#pictures .trouble")).to_contain_text("No picture. Try again")
    page.locator("#prompt").fill("a cat")
    page.get_by_role("button", name="Try again").click()
    page.locator("figure img").first.wait_for()


def test_tabs_by_keyboard(page: Page) -> None:
    page.locator("#tab-try").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#tab-watch")).to_be_focused()
    expect(page.locator("#view-watch")).to_be_visible()
    expect(page.locator("#view-try")).not_to_be_visible()


def test_it_speaks_chinese_and_the_language_that_is_chosen(
    browser: Browser, gateway: GatewayProcess, upstream: UpstreamEmulator
) -> None:
    context = browser.new_context(locale="zh-CN")
    page = context.new_page()
    enter(page, gateway)
    expect(page.locator("#send")).to_have_text("发送")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    send(page, "hello")
    wait_for_end(page)
    page.get_by_role("button", name="English").click()
    expect(page.locator("#send")).to_have_text("Send")
    expect(page.locator(".answer")).to_contain_text("hello")
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    context.close()


def test_light_and_dark_are_chosen(page: Page) -> None:
    read = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(read)
    page.locator("#scheme").click()
    dark = page.evaluate(read)
    assert dark != light
    page.reload()
    assert page.evaluate(read) == dark
    page.locator("#scheme").click()
    assert page.evaluate(read) == light
    assert page.evaluate("localStorage.length") == 0


def test_the_words_of_a_failure_are_said_once_and_the_gateways_own_are_folded(
    page: Page, upstream: UpstreamEmulator
) -> None:
    upstream.account("browser-secret", next=["cut at=3"])
    send(page, "hello")
    trouble = page.locator(".trouble")
    expect(trouble.get_by_text("Answer cut off. Ask again.")).to_be_visible()
    expect(trouble.get_by_text("(answer_cut)")).not_to_be_visible()
    trouble.get_by_text("In the gateway's words").click()
    expect(trouble.get_by_text("(answer_cut)")).to_be_visible()
