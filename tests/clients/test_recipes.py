"""The programs of docs/clients/, as they stand there, hear answers, thoughts and failures."""

from __future__ import annotations

import os
import signal

import pytest

from tests.clients.conftest import RunProgram, StartProgram
from tests.clients.recipe import read_code
from upstream_emulator.emulator import UpstreamEmulator

# Of each page and language: what its client calls a dead token and an answer that was cut.
RECIPES = [
    ("openai", "python", "AuthenticationError account_expired", "APIError answer_cut"),
    ("openai", "javascript", "AuthenticationError account_expired", "APIError answer_cut"),
    ("langchain", "python", "OpenAIAuthenticationError account_expired", "APIError answer_cut"),
    ("langchain", "javascript", "AuthenticationError account_expired", "APIError answer_cut"),
    ("litellm", "python", "AuthenticationError", "MidStreamFallbackError"),
    ("ai-sdk", "javascript", "AI_APICallError account_expired", "error answer_cut"),
]
EACH = pytest.mark.parametrize(("page", "language"), [recipe[:2] for recipe in RECIPES], ids=str)


@EACH
def test_answers(page: str, language: str, run_program: RunProgram) -> None:
    """Whole, streamed with the thoughts apart, and gone on with."""
    headings = ("Set up", "An answer", "Streamed, with the thoughts", "Going on")
    ended = run_program(language, read_code(page, language, *headings))
    assert ended.returncode == 0, ended.stderr
    turns = [turn for turn in ended.stdout.split("你好！") if turn.strip()]
    assert ["第 1 轮" in turn for turn in turns] == [True, True, False], ended.stdout
    assert "第 2 轮" in turns[2]
    assert "我先想一想" in ended.stderr
    assert "我先想一想" not in ended.stdout


@EACH
def test_pieces_are_shown_as_they_come_and_leaving_frees_the_account(
    page: str, language: str, start_program: StartProgram, upstream: UpstreamEmulator, account: str
) -> None:
    """The upstream falls silent in the middle: what is shown by then was not held back."""
    upstream.account(account, next=["stall seconds=40"])
    process = start_program(language, read_code(page, language, "Set up", "Streamed, with the thoughts"))
    assert process.stdout is not None
    assert process.stdout.read(2) == "你好"
    assert upstream.state()["open_streams"] == 1
    os.killpg(process.pid, signal.SIGTERM)
    upstream.wait_until(lambda state: state["open_streams"] == 0, seconds=2)


@pytest.mark.parametrize(("page", "language", "dead", "cut"), RECIPES)
def test_failures(
    page: str,
    language: str,
    dead: str,
    cut: str,
    run_program: RunProgram,
    upstream: UpstreamEmulator,
    account: str,
) -> None:
    """In the client's own words, and never as a success."""
    program = read_code(page, language, "Set up", "When it fails")
    upstream.account(account, next=["cut"])
    for credentials, words, text in ((f"dead-{account}", dead, ""), (f"demo-{account}", cut, "你好，我是")):
        ended = run_program(language, program, credentials)
        assert ended.returncode == 1, ended.stdout
        assert words in ended.stderr
        assert "Traceback" not in ended.stderr
        assert text in ended.stdout
