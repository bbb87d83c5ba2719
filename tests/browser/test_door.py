"""The door takes tokens as people paste them."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from app.pasted_token import parse_tokens
from demo.gateway import GatewayProcess
from tests.app.test_pasted_token import AROUND, COOKIES
from tests.browser.conftest import TOKEN, enter, send, wait_for_end
from upstream_emulator.emulator import UpstreamEmulator

SEPARATORS = [",", "，", "、", ";", "；", "%2C", "%2c", "%3B", "\n", "\r\n", " , ", "%0A", ",,\n"]


@pytest.mark.parametrize(
    ("pasted", "kept"),
    [
        ("a=1,2; chatglm_token=x; chatglm_refresh_token=demo-ann; b=2", "demo-ann"),
        ("Bearer demo-ann", "demo-ann"),
        ('"demo-ann"，demo-bob；demo-eve', "demo-ann,demo-bob,demo-eve"),
        ("demo-ann demo-bob", "demo-ann,demo-bob"),
        ("“demo-ann”", "demo-ann"),
    ],
)
def test_what_is_pasted_is_mended(blank: Page, gateway: GatewayProcess, pasted: str, kept: str) -> None:
    enter(blank, gateway, pasted)
    assert blank.evaluate("sessionStorage.getItem('glm-api credentials')") == kept


def test_what_no_token_holds_stays_outside(blank: Page, gateway: GatewayProcess) -> None:
    blank.goto(f"{gateway.url}/")
    blank.locator("#credentials").fill("demo-ann我的账号")
    blank.locator("#door button").click()
    expect(blank.locator("#door .trouble")).to_contain_text("characters in it that no token has")
    expect(blank.locator("#inside")).to_be_hidden()


def knock(page: Page, gateway: GatewayProcess, pasted: str) -> Locator:
    """The trouble that the door tells."""
    page.goto(f"{gateway.url}/")
    page.locator("#credentials").fill(pasted)
    page.locator("#door button").click()
    return page.locator("#door .trouble")


@pytest.mark.parametrize(
    ("pasted", "told"),
    [
        ("dead-token", "Token expired. Log in at https://chatglm.cn on a computer, press F12"),
        ("dead-one,dead-two", "Token expired. Log in"),
        ("sk-0123456789abcdef", "What was given as refresh token is an API key of another service."),
        ("glm-" + "k" * 43, "A gateway key is no refresh token: this gateway has none."),
        ("YOUR_TOKEN", "is the example's word for one"),
    ],
)
def test_what_opens_nothing_stays_outside_and_is_told_why(
    blank: Page, gateway: GatewayProcess, pasted: str, told: str
) -> None:
    trouble = knock(blank, gateway, pasted)
    expect(trouble).to_contain_text(told)
    expect(trouble.get_by_text(told.split(".", maxsplit=1)[0])).to_be_visible()
    expect(blank.locator("#inside")).to_be_hidden()
    expect(blank.locator("#credentials")).to_have_value(pasted)  # to be mended
    assert blank.evaluate("sessionStorage.getItem('glm-api credentials')") is None
    blank.locator("#credentials").fill("demo-ann")
    blank.keyboard.press("Enter")
    blank.locator("#message").wait_for()


def test_one_live_token_of_several_opens_and_the_dead_ones_are_named(
    blank: Page, gateway: GatewayProcess
) -> None:
    enter(blank, gateway, "dead-one,demo-ann,dead-two")
    expect(blank.locator("#status")).to_have_text("Not alive: #1, #3. The others are used.")


def test_an_upstream_that_cannot_be_asked_keeps_nobody_out(
    blank: Page, gateway: GatewayProcess, upstream: UpstreamEmulator
) -> None:
    upstream.configure(down=True)
    try:
        enter(blank, gateway, "demo-nobody-knows-yet")
        expect(blank.locator("#status")).to_contain_text("Web chat overloaded.")
    finally:
        upstream.configure(down=False)


def test_a_conversation_survives_credentials_that_open_nothing(page: Page) -> None:
    send(page, "[[text say=kept]]")
    wait_for_end(page)
    page.evaluate("document.dispatchEvent(new Event('glm-api:other-credentials'))")
    page.locator("#credentials").fill("dead-token")
    page.keyboard.press("Enter")
    expect(page.locator("#door .trouble")).to_contain_text("Token expired.")
    expect(page.locator(".answer .text")).to_have_text("kept")
    assert page.evaluate("sessionStorage.getItem('glm-api credentials')") == TOKEN


def test_a_key_opens_where_keys_are_set_and_a_token_does_not(
    context: BrowserContext, upstream: UpstreamEmulator, tmp_path: Path
) -> None:
    page = context.new_page()
    key = "glm-" + "k" * 43
    settings = {"GATEWAY_API_KEYS": f"laptop={key}", "GLM_REFRESH_TOKENS": "demo-owner"}
    with GatewayProcess(upstream.url, tmp_path, **settings) as gateway:
        token = "eyJhbGciOiJIUzI1NiJ9.eyJ0eXBlIjoicmVmcmVzaCJ9.c2lnbmF0dXJl"
        expect(knock(page, gateway, token)).to_contain_text("this gateway takes its own keys alone")
        expect(knock(page, gateway, "glm-" + "o" * 43)).to_contain_text("This gateway key is not known.")
        page.locator("#credentials").fill(key)
        page.keyboard.press("Enter")
        page.locator("#message").wait_for()


def test_the_page_mends_what_the_gateway_mends(page: Page) -> None:
    """Every way that people paste, read by the page's own reader and by the gateway's."""
    texts = [around.format("demo-ann") for around in AROUND]
    texts += [separator.join(("demo-ann", "demo-bob")) for separator in SEPARATORS] + [COOKIES]
    read = page.evaluate(
        "async (texts) => texts.map((await import('/page/api.js')).readPasted)",
        texts,
    )
    assert dict(zip(texts, read, strict=True)) == {text: ",".join(parse_tokens(text)) for text in texts}


@pytest.mark.parametrize(
    ("locale", "title", "button"),
    [
        ("en-US", "Look around without an account", "Look around with demo-anna"),
        ("zh-CN", "没有账号，先看看", "用 demo-anna 进去看看"),
    ],
)
def test_a_demonstration_offers_its_key(
    browser: Browser, upstream: UpstreamEmulator, tmp_path: Path, locale: str, title: str, button: str
) -> None:
    page = browser.new_page(locale=locale)
    with GatewayProcess(upstream.url, tmp_path, GLM_DEMO_KEY="demo-anna") as gateway:
        page.goto(f"{gateway.url}/")
        expect(page.locator("#door h2")).to_have_text(title)
        expect(page.locator("#door ol")).to_have_count(0)
        expect(page.get_by_role("button", name=button)).to_be_focused()
        page.keyboard.press("Enter")
        page.locator("#message").wait_for()
        assert page.evaluate("sessionStorage.getItem('glm-api credentials')") == "demo-anna"
        page.locator("#forget").click()
        page.locator("#credentials").fill("demo-bert")
        page.keyboard.press("Enter")
        page.locator("#message").wait_for()
        assert page.evaluate("sessionStorage.getItem('glm-api credentials')") == "demo-bert"
    page.close()


def test_a_gateway_that_is_none_offers_nothing(blank: Page, gateway: GatewayProcess) -> None:
    blank.goto(f"{gateway.url}/")
    expect(blank.locator("#credentials")).to_be_focused()
    expect(blank.locator("#door ol")).to_be_visible()
    assert "demo" not in blank.locator("#door").inner_html()
