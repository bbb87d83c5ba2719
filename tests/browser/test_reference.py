"""The API reference: everything that is described, by files of this gateway alone, and tried from there."""

from __future__ import annotations

import pytest
import requests
from playwright.sync_api import Page, expect

from demo.gateway import GatewayProcess
from tests.browser.conftest import TOKEN


@pytest.mark.parametrize("width", [1280, 390])
def test_everything_that_is_described_is_shown(blank: Page, gateway: GatewayProcess, width: int) -> None:
    blank.set_viewport_size({"width": width, "height": 800})
    blank.goto(f"{gateway.url}/docs")
    paths = requests.get(f"{gateway.url}/openapi.json", timeout=5).json()["paths"]
    expect(blank.locator(".opblock")).to_have_count(
        sum(len(methods.keys() - {"parameters"}) for methods in paths.values())
    )
    assert blank.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(blank.locator(".servers select option")).to_have_text([gateway.url])


def test_a_request_is_tried_with_a_token_that_stays_in_the_tab(blank: Page, gateway: GatewayProcess) -> None:
    urls: list[str] = []
    blank.on("request", lambda request: urls.append(request.url))
    blank.goto(f"{gateway.url}/docs#/chat/createChatCompletion")
    blank.locator(".btn.authorize").click()
    door = blank.locator(".auth-container").first
    door.locator("input").fill(TOKEN)
    door.locator("button[type=submit]").click()
    blank.locator(".close-modal").click()
    blank.locator(".try-out__btn").click()
    blank.locator(".execute").click()
    answer = blank.locator(".live-responses-table")
    expect(answer.locator(".response .response-col_status")).to_contain_text("200")
    expect(answer).to_contain_text('"chat.completion"')
    assert TOKEN not in "".join(urls) + blank.url + gateway.log()
    assert blank.evaluate("[localStorage.length, document.cookie, sessionStorage.length]") == [0, "", 0]
