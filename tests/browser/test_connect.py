"""What to give to a client, to be copied, under the names that each one with a recipe has for its fields."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from demo.gateway import GatewayProcess
from tests.browser.conftest import TOKEN, enter

RECIPES = Path(__file__).parents[2] / "docs" / "clients"
# Pages about no client of its own.
OTHERS = {"README", "browser", "glm-free-api", "nginx", "troubleshooting"}
OURS = {"Model", "模型"}


@pytest.fixture
def connecting(page: Page) -> Page:
    page.evaluate("() => { navigator.clipboard.writeText = async (text) => { window.copied = text; }; }")
    page.locator("#tab-connect").click()
    return page


def copy(page: Page, field: str) -> str:
    page.get_by_role("button", name=f"Copy: {field}", exact=True).click()
    text: str = page.evaluate("window.copied")
    return text


def test_address_key_and_model_are_copied(connecting: Page, gateway: GatewayProcess) -> None:
    assert copy(connecting, "Base address") == f"{gateway.url}/v1"
    assert copy(connecting, "API key") == TOKEN
    assert copy(connecting, "Model") == "glm"
    assert TOKEN not in connecting.content()


def test_each_client_gets_what_it_needs(connecting: Page, gateway: GatewayProcess) -> None:
    connecting.evaluate("sessionStorage.setItem('glm-api credentials', 'demo-first,demo-second')")
    menu = connecting.locator("#client")
    menu.select_option("cherry-studio")
    assert copy(connecting, "API Key") == "demo-first"
    menu.select_option("nextchat")
    assert copy(connecting, "OpenAI Endpoint") == gateway.url
    assert copy(connecting, "OpenAI API Key") == "demo-first,demo-second"
    menu.select_option("dify")
    assert (
        copy(connecting, "API Base URL") == gateway.url.replace("127.0.0.1", "host.docker.internal") + "/v1"
    )
    menu.select_option("litellm")
    assert copy(connecting, "Model") == "openai/glm"


@pytest.mark.parametrize(("locale", "ending"), [("en", ".md"), ("zh-CN", ".zh-CN.md")])
def test_every_recipe_is_there_with_the_names_that_it_gives(
    browser: Browser, gateway: GatewayProcess, locale: str, ending: str
) -> None:
    context = browser.new_context(locale=locale)
    page = context.new_page()
    enter(page, gateway)
    page.locator("#tab-connect").click()
    clients = page.locator("#client option").evaluate_all(
        "(options) => options.map((option) => option.value)"
    )
    assert (
        set(clients) - {""} == {path.stem for path in RECIPES.glob("*.md") if "." not in path.stem} - OTHERS
    )
    for client in filter(None, clients):
        page.locator("#client").select_option(client)
        recipe = (RECIPES / f"{client}{ending}").read_text()
        names = page.locator("#client-fields .field").all_inner_texts()
        assert [name for name in names if name not in OURS and name not in recipe] == []
    expect(page.locator("#client-fields code").first).to_be_visible()
    context.close()
