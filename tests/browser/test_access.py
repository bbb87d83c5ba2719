"""Nobody is kept out: names, roles, order and contrast as axe-core judges them, in every view."""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from demo.gateway import GatewayProcess
from tests.browser.conftest import enter, send, wait_for_end
from upstream_emulator.emulator import UpstreamEmulator

ANSWER = """## Title

1. one **bold** [link](https://example.org)

| a | b |
|---|---|
| 1 | `2` |

```python
print(1)
```

> quoted

![cat](https://example.org/cat.png)"""


def find_faults(page: Page, view: str) -> list[tuple[str, str, object]]:
    violations = Axe().run(page).response["violations"]
    return [(view, fault["id"], [node["target"] for node in fault["nodes"]]) for fault in violations]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_fault(
    browser: Browser, gateway: GatewayProcess, upstream: UpstreamEmulator, scheme: Literal["light", "dark"]
) -> None:
    context = browser.new_context(locale="en-US", color_scheme=scheme, reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{gateway.url}/")
    faults = find_faults(page, "door")
    # Accounts of its own: they come to rest, which no other test must meet.
    account = f"access-{scheme}"
    enter(page, gateway, f"demo-{account},dead-token")
    faults += find_faults(page, "empty")
    upstream.account(account, next=[f"think thought=hm say={quote(ANSWER)}", "throttled429"])
    for _ in range(2):
        send(page, "hello")
        wait_for_end(page)
    page.locator(".trouble").wait_for()
    faults += find_faults(page, "try")
    page.locator("#tab-draw").click()
    faults += find_faults(page, "draw")
    page.locator("#tab-connect").click()
    faults += find_faults(page, "connect")
    page.locator("#tab-accounts").click()
    page.locator("#account-list .card").first.wait_for()
    page.locator("#check").click()
    expect(page.locator(".verdict.bad")).to_have_count(1)
    faults += find_faults(page, "accounts")
    page.locator("#tab-watch").click()
    page.locator(".plot").first.wait_for()
    faults += find_faults(page, "watch")
    context.close()
    assert faults == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_fault_while_one_waits(
    browser: Browser, gateway: GatewayProcess, scheme: Literal["light", "dark"]
) -> None:
    context = browser.new_context(locale="en-US", color_scheme=scheme, reduced_motion="reduce")
    page = context.new_page()
    enter(page, gateway, f"demo-waiting-{scheme}")
    page.locator("#think").click()
    send(page, "[[think thought=hm say=so pace=400 delay=9000]]")
    expect(page.locator(".answer .hint")).to_contain_text("Asked")
    faults = find_faults(page, "waiting")
    page.locator("#stop").click()
    wait_for_end(page)
    page.locator("#tab-draw").click()
    page.locator("#kind").select_option("video")
    page.locator("#prompt").fill("a cat [[video looks=3]]")
    page.locator("#draw-go").click()
    page.locator("#pictures progress").wait_for()
    faults += find_faults(page, "filming")
    context.close()
    assert faults == []
