"""One answer: what is told while it is waited for, its thoughts, what it took, copied and asked for again."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import FilePayload, Page, Request, expect

from demo.gateway import GatewayProcess
from tests.browser.conftest import TOKEN, send, wait_for_end, wait_until
from upstream_emulator.emulator import UpstreamEmulator

THINKING = "[[think thought=secretly%20considered say=openly pace=400 delay=1500]]"


def test_thoughts_lie_open_while_they_come_and_fold_at_the_first_word(page: Page) -> None:
    page.locator("#think").click()
    send(page, THINKING)
    expect(page.locator(".answer .hint")).to_have_text(re.compile(r"Asked; waiting for the first words… \d"))
    thoughts = page.locator("details.thinking div")
    expect(thoughts).to_be_visible()
    expect(page.locator("details.thinking summary")).to_contain_text("Thinking…")
    wait_for_end(page)
    expect(page.locator(".text")).to_have_text("openly")
    expect(thoughts).not_to_be_visible()
    expect(page.locator("details.thinking summary")).to_have_text(re.compile(r"Thought for \d"))
    page.locator("details.thinking summary").click()
    expect(thoughts).to_have_text("secretly considered")


def test_below_an_answer_is_who_gave_it_in_what_time_at_what_length(page: Page) -> None:
    page.locator("#search").click()
    send(page, "[[text say=hello pace=100]]")
    wait_for_end(page)
    expect(page.locator(".answer .foot").first).to_have_text(
        re.compile(
            r"^glm-search · answered by moe_\w+ · first words after [\d.]+ s"
            r" · [\d.]+ s in all · about \d+ tokens$"
        )
    )


def test_an_answer_is_copied_as_it_came(page: Page) -> None:
    page.evaluate("() => { navigator.clipboard.writeText = async (text) => { window.copied = text; }; }")
    send(page, "[[text say=**a**%20%5C(x%5C)]]")
    wait_for_end(page)
    page.get_by_role("button", name="Copy answer").click()
    assert page.evaluate("window.copied") == r"**a** \(x\)"


def test_a_question_is_asked_again_in_the_place_of_its_answer(page: Page, upstream: UpstreamEmulator) -> None:
    """From where it was asked: the second answer does not follow the first."""
    for _ in range(2):
        send(page, "hello")
        wait_for_end(page)
    expect(page.get_by_role("button", name="Ask again")).to_have_count(1)
    page.locator("#new-chat").click()
    send(page, "hello")
    wait_for_end(page)
    page.get_by_role("button", name="Ask again").click()
    expect(page.locator(".answer[aria-busy]")).to_have_count(1)
    wait_for_end(page)
    expect(page.locator(".answer")).to_have_count(1)
    expect(page.locator(".answer")).to_contain_text("第 1 轮")


@pytest.fixture
def busy_page(page: Page, gateway: GatewayProcess) -> Iterator[Page]:
    """The page while another program of the same caller has the account answering."""
    question = {"role": "user", "content": "[[chunks n=2000 pace=30]]"}
    with requests.post(
        f"{gateway.url}/v1/chat/completions",
        json={"model": "glm", "stream": True, "messages": [question]},
        headers={"Authorization": f"Bearer {TOKEN}"},
        stream=True,
        timeout=20,
    ) as answer:
        assert answer.status_code == 200, answer.text
        pieces = answer.iter_content()
        next(pieces)
        yield page


def test_a_question_that_waits_in_the_queue_says_so(busy_page: Page) -> None:
    send(busy_page, "hello")
    waiting = busy_page.locator(".answer .hint")
    expect(waiting).to_contain_text("Your account is answering another question; this one is number 1")
    expect(waiting).to_contain_text(re.compile(r"… [1-9][\d.]* s$"))
    assert busy_page.locator("details.thinking").count() == 0
    # A reader is told once what is waited for, and not every second.
    expect(busy_page.locator("#status")).to_contain_text("number 1 in the queue")
    busy_page.locator("#stop").click()


def test_what_is_waited_for_is_told_and_is_no_thinking(page: Page) -> None:
    page.evaluate(
        """() => { window.waits = [];
        const note = () => { const wait = document.querySelector('.answer .hint')?.textContent.split('…')[0];
          if (wait && wait !== window.waits.at(-1)) window.waits.push(wait); };
        new MutationObserver(note).observe(document.querySelector('#turns'),
          {childList: true, subtree: true, characterData: true}); }"""
    )
    files: list[FilePayload] = [
        {"name": name, "mimeType": "text/plain", "buffer": name.encode()} for name in ("a.txt", "b.txt")
    ]
    page.locator("#files").set_input_files(files)
    page.locator("#search").click()
    send(page, "[[text say=found]]")
    wait_for_end(page)
    expect(page.locator(".text")).to_have_text("found")
    waits = page.evaluate("window.waits")
    assert waits[-2:] == ["Uploading file 2 of 2", "Searching the web"]
    assert page.locator("details.thinking").count() == 0


def test_a_failure_behind_the_head_says_how_long_to_wait(page: Page, upstream: UpstreamEmulator) -> None:
    upstream.account("browser-throttled", next=["throttled429"])
    page.evaluate("sessionStorage.setItem('glm-api credentials', 'demo-browser-throttled')")
    send(page, "hello")
    expect(page.locator(".trouble")).to_contain_text(re.compile(r"Wait \d+ s\."))


def test_models_have_words_and_switches(page: Page) -> None:
    asked: list[dict[str, object]] = []

    def note(request: Request) -> None:
        if body := request.post_data_json:
            asked.append(body)

    page.on("request", note)
    wait_until(page, "document.querySelectorAll('#model option').length > 3")
    names = page.locator("#model option").evaluate_all("(options) => options.map((option) => option.value)")
    assert "glm" in names
    assert [name for name in names if name.endswith(("think", "-search"))] == []
    page.locator("#think").click()
    page.locator("#search").click()
    send(page, "hello")
    wait_for_end(page)
    page.locator("#model").select_option("")
    page.locator("#assistant").fill("65940acff94777010aa6b796")
    page.locator("#search").click()
    send(page, "hello")
    wait_for_end(page)
    chosen = [
        {name: body.get(name) for name in ("model", "reasoning_effort", "web_search")} for body in asked
    ]
    assert chosen == [
        {"model": "glm-think-search", "reasoning_effort": None, "web_search": None},
        {"model": "65940acff94777010aa6b796", "reasoning_effort": "medium", "web_search": None},
    ]
    page.locator("#model").select_option("cogview-3")
    expect(page.locator("#think")).to_be_disabled()
