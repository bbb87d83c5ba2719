"""The door takes tokens as people paste them."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from demo.gateway import GatewayProcess
from tests.browser.conftest import enter


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
