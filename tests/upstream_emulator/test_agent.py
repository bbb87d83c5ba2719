"""The model of agents: it calls what the prompt offers, in the form that the prompt shows, and no other."""

from __future__ import annotations

import json

import pytest

from tests.upstream_emulator.client import Client, items, types

OFFERED = '{"name":"read","description":"Read."}\n{"name":"now"}\n'
EXAMPLE = '<call-ab12 name="read">{"path": "x"}</call-ab12>\n'
ARGS = "args=%7B%22path%22:%22a%22%7D"


def ask(client: Client, directive: str, results: str = "") -> str:
    return client.chat(f"{OFFERED}Please. [[agent {directive}]]\n{results}{EXAMPLE}").text


@pytest.mark.parametrize(
    ("directive", "said"),
    [
        (ARGS, '<call-ab12 name="read">{"path":"a"}</call-ab12>'),
        ("name=now", '<call-ab12 name="now">{}</call-ab12>'),
        ("name=now form=unclosed say=a after=b", 'a<call-ab12 name="now">{}b'),
        ("form=tool-call", '<tool_call>{"name": "read", "arguments": {}}</tool_call>'),
        ("form=prose", "I would rather talk about it."),
    ],
)
def test_it_calls_what_the_prompt_offers(client: Client, directive: str, said: str) -> None:
    assert ask(client, directive) == said


def test_it_writes_long_calls_and_any_text(client: Client) -> None:
    said = ask(client, "name=now fill=1000 step=100")
    arguments = json.loads(said.removeprefix('<call-ab12 name="now">').removesuffix("</call-ab12>"))
    assert len(arguments["content"]) == 1000
    assert ask(client, "written=%3Ccall-word%20name=%22x%22%3E?") == '<call-ab12 name="x">?'


def test_it_answers_with_the_result(client: Client) -> None:
    results = "[Result of read #1]\nhello\n[Result of now #2 failed]\nno clock\n"
    assert ask(client, ARGS, results) == "now #2 failed gave: no clock"


def test_it_calls_what_it_was_told_to_as_long_as_that_has_no_result(client: Client) -> None:
    results = "[Result of read #1]\nhello\n"
    assert ask(client, "name=now", results).startswith('<call-ab12 name="now">')
    assert ask(client, "name=read", results) == "read #1 gave: hello"
    assert ask(client, "name=read again=1", results).startswith('<call-ab12 name="read">')


def test_without_an_example_it_does_not_know_the_form(client: Client) -> None:
    assert client.chat(f"{OFFERED}[[agent]]").text == '<call name="read">{}</call>'


def test_natively_the_sites_own_executor_fails(client: Client) -> None:
    reply = client.chat(f"{OFFERED}[[agent form=native {ARGS}]]\n{EXAMPLE}")
    assert types(reply) == ["tool_calls", "tool_result", "text"]
    assert items(reply)[0]["tool_calls"]["arguments"] == '{"path":"a"}'
    parts = [part for frame in reply.frames for part in frame["parts"]]
    assert [part["role"] for part in parts if part["status"] == "error"] == ["tool"]
    assert reply.is_whole
