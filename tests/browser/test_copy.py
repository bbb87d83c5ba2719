"""What "copy as" gives holds no token, and does what the page did once one is put in."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys

import pytest
from playwright.sync_api import BrowserContext, Page

from demo.gateway import GatewayProcess
from tests.browser.conftest import TINY_PNG, TOKEN, send, wait_for_end

PLACEHOLDER = "YOUR_TOKEN"


@pytest.fixture
def copying(page: Page) -> Page:
    page.evaluate("() => { navigator.clipboard.writeText = async (text) => { window.copied = text; }; }")
    return page


def copy(page: Page, name: str) -> str:
    page.get_by_role("button", name=name, exact=True).last.click()
    text: str = page.evaluate("window.copied")
    assert PLACEHOLDER in text
    assert TOKEN not in text
    return text.replace(PLACEHOLDER, TOKEN)


def run(*command: str) -> str:
    finished = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def test_a_chat_is_repeated_by_curl_and_python(copying: Page) -> None:
    send(copying, "hello")
    wait_for_end(copying)
    send(copying, """it's "$HOME" \\ true\nand null""")
    wait_for_end(copying)
    streamed = run("bash", "-c", copy(copying, "curl"))
    assert '"finish_reason":"stop"' in streamed
    assert streamed.endswith("data: [DONE]\n\n")
    pieces = re.findall(r'"content":("(?:[^"\\]|\\.)*")', streamed)
    assert """it's "$HOME" \\ true\nand null""" in "".join(json.loads(piece) for piece in pieces)
    # What went on in the page goes on there.
    assert "第 4 轮" in run(sys.executable, "-c", copy(copying, "Python"))


def test_a_chat_is_repeated_by_javascript(
    copying: Page, context: BrowserContext, gateway: GatewayProcess
) -> None:
    send(copying, "hello")
    wait_for_end(copying)
    script = copy(copying, "JavaScript")
    elsewhere = context.new_page()
    elsewhere.goto(f"{gateway.url}/ping")
    seen: list[str] = []
    elsewhere.on("console", lambda message: seen.append(message.text))
    elsewhere.evaluate(f"async () => {{ {script} }}")
    assert "data: [DONE]" in "".join(seen)


@pytest.mark.parametrize(
    ("interface", "path", "piece", "end"),
    [
        ("Responses", "/v1/responses", r'"delta":("(?:[^"\\]|\\.)*")', "event: response.completed\n"),
        ("Messages", "/v1/messages", r'"text_delta","text":("(?:[^"\\]|\\.)*")', "event: message_stop\n"),
    ],
)
def test_a_chat_is_repeated_by_the_other_interfaces(
    copying: Page,
    context: BrowserContext,
    gateway: GatewayProcess,
    interface: str,
    path: str,
    piece: str,
    end: str,
) -> None:
    copying.locator("#files").set_input_files(
        {"name": "a.png", "mimeType": "image/png", "buffer": TINY_PNG * 1000}
    )
    send(copying, 'it\'s "true"\nand null')
    wait_for_end(copying)
    copying.get_by_label("By which interface").select_option(path)
    assert len(copy(copying, "curl")) < 1000, "what is attached is cut"
    copying.locator("#new-chat").click()
    send(copying, 'it\'s "true"\nand null')
    wait_for_end(copying)
    copying.get_by_label("By which interface").select_option(label=interface)
    streamed = run("bash", "-c", copy(copying, "curl"))
    assert streamed.count(end) == 1
    assert 'it\'s "true"\nand null' in "".join(map(json.loads, re.findall(piece, streamed)))
    ast.parse(copy(copying, "Python"))
    script = copy(copying, "JavaScript")
    elsewhere = context.new_page()
    elsewhere.goto(f"{gateway.url}/ping")
    seen: list[str] = []
    elsewhere.on("console", lambda message: seen.append(message.text))
    elsewhere.evaluate(f"async () => {{ {script} }}")
    assert end in "".join(seen)


def test_responses_are_repeated_by_python(copying: Page) -> None:
    send(copying, "hello")
    wait_for_end(copying)
    copying.get_by_label("By which interface").select_option("Responses")
    assert "hello" in run(sys.executable, "-c", copy(copying, "Python"))


def test_a_small_file_goes_along_by_every_interface(copying: Page) -> None:
    copying.locator("#files").set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": TINY_PNG})
    send(copying, "what is it?")
    wait_for_end(copying)
    for interface in ("Chat Completions", "Responses", "Messages"):
        copying.get_by_label("By which interface").select_option(interface)
        # The word may come in two events.
        assert re.search("图[^图]*片", run("bash", "-c", copy(copying, "curl"))), interface


def test_a_drawing_is_repeated(copying: Page) -> None:
    copying.locator("#tab-draw").click()
    copying.locator("#prompt").fill("a cat")
    copying.locator("#draw-go").click()
    copying.locator("figure img").first.wait_for()
    assert '"url"' in run("bash", "-c", copy(copying, "curl"))
    assert "url=" in run(sys.executable, "-c", copy(copying, "Python"))
