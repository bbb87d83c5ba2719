"""Going on without ids: clients that send their history, as they send it, on real gunicorn."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, cast

import pytest
import requests
from openai import APIError, OpenAI

from demo.gateway import GatewayProcess
from tests.live.asking import Heard, ask_messages, note
from tests.live.conftest import StartGateway, connect
from upstream_emulator.emulator import UpstreamEmulator

STREAM = "/chatglm/backend-api/assistant/stream"


def user(text: Any) -> dict[str, Any]:
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


def list_asked(upstream: UpstreamEmulator) -> list[tuple[str, str]]:
    """(conversation, text) of every question, in order."""
    bodies = [one["body"] for one in upstream.requests() if one["path"] == STREAM]
    return [(body["conversation_id"], body["messages"][0]["content"][-1]["text"]) for body in bodies]


def list_new(upstream: UpstreamEmulator) -> list[bool]:
    """Of every question, whether it began a conversation."""
    return [not conversation for conversation, _ in list_asked(upstream)]


class Chat:
    """A client that keeps the history. `keep` is what it makes of an answer."""

    def __init__(self, client: OpenAI, *, stream: bool = True, system: str = "", **more: Any) -> None:
        self._client = client
        self._stream = stream
        self._more = more
        self.messages: list[dict[str, Any]] = [{"role": "system", "content": system}] if system else []

    def say(self, content: Any, keep: Any = lambda text: text) -> str:
        self.messages.append(user(content))
        heard = ask_messages(self._client, self.messages, stream=self._stream, **self._more)
        self.messages.append(assistant(keep(heard.text)))
        return heard.text


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("system", ["", "Be brief."])
def test_each_turn_is_sent_alone(
    client: OpenAI, upstream: UpstreamEmulator, system: str, *, stream: bool
) -> None:
    chat = Chat(client, stream=stream, system=system)
    for number in range(4):
        assert f"第 {number + 1} 轮" in chat.say(f"question {number}")
    asked = list_asked(upstream)
    assert [text for _, text in asked[1:]] == ["question 1", "question 2", "question 3"]
    assert len({conversation for conversation, _ in asked[1:]}) == 1
    state = upstream.state()
    assert (state["undeleted"], state["violations"]) == (1, 0)
    (conversation,) = state["conversations"]
    assert conversation["turns"] == 4


def open_webui(text: str) -> str:
    """What was thought stands before the answer in a details element."""
    thought = (
        '<details type="reasoning" done="true" duration="2">\n<summary>Thought</summary>\n> x\n</details>'
    )
    return f"{thought}\n{text}"


CLIENTS = {
    "as it came": lambda text: text,
    "LangChain: no change": lambda text: text,
    "Open WebUI (constructed): thoughts in front": open_webui,
    "LobeChat (constructed): stripped": str.strip,
    "NextChat (constructed): thinking tags in front": lambda text: f"<think>\nhm\n</think>\n\n{text}",
    "Cherry Studio (constructed): other white space": lambda text: text.replace("\n\n", "\n").rstrip() + "\n",
}


@pytest.mark.parametrize("keep", CLIENTS.values(), ids=CLIENTS)
@pytest.mark.parametrize("question", ["[[text say=%20a%0A%0Ab%20]]", "[[think]]", "plain"])
def test_what_clients_make_of_an_answer(
    client: OpenAI, upstream: UpstreamEmulator, keep: Any, question: str
) -> None:
    chat = Chat(client)
    chat.say(question, keep)
    chat.say("and then?")
    assert list_new(upstream) == [True, False]


@pytest.mark.parametrize("question", ["[[think]]", "plain"])
def test_thoughts_quoted_in_front_of_answers(
    client: OpenAI, upstream: UpstreamEmulator, question: str
) -> None:
    """NextChat (constructed) keeps what was thought as a quotation, marked where a paragraph begins."""
    messages: list[Any] = []
    for said in (question, "second", question):
        messages.append(user(said))
        heard = ask_messages(client, messages, stream=True, model="glm-think")
        quoted = "> " + heard.reasoning.replace("\n\n", "\n\n> ") + "\n\n" if heard.reasoning else ""
        messages.append(assistant(quoted + heard.text))
    assert list_new(upstream) == [True, False, False]


@pytest.mark.parametrize("strips", [False, True])
def test_citations_may_be_stripped(client: OpenAI, upstream: UpstreamEmulator, *, strips: bool) -> None:
    link = "[1](https://www.weather.com.cn/weather/101010100.shtml)"
    chat = Chat(client)
    said = chat.say("[[search]]", lambda text: text.replace(link, "") if strips else text)
    assert link in said
    chat.say("and then?")
    assert list_new(upstream) == [True, False]


def edit(messages: list[Any]) -> list[Any]:
    return [user("first, edited"), *messages[1:]]


CHANGES: dict[str, Any] = {
    "an edited question": edit,
    "an edited answer": lambda messages: [messages[0], assistant("I said something else."), *messages[2:]],
    "an earlier turn trimmed": lambda messages: messages[2:],
    "a system text in front": lambda messages: [{"role": "system", "content": "x"}, *messages],
    "regenerated": lambda messages: messages[:-2],
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_changed_history_begins_anew(client: OpenAI, upstream: UpstreamEmulator, change: Any) -> None:
    chat = Chat(client)
    chat.say("first")
    chat.say("second")
    chat.messages = change(chat.messages)
    if chat.messages[-1]["role"] == "user":
        chat.messages.pop()
    chat.say("third")
    assert list_new(upstream) == [True, False, True]


def test_another_model_or_mode_begins_anew(client: OpenAI, upstream: UpstreamEmulator) -> None:
    chat = Chat(client)
    chat.say("first")
    for more in ({"model": "glm-think"}, {"model": "glm-5.3"}, {"extra_body": {"web_search": True}}):
        heard = ask_messages(client, [*chat.messages, user("second")], stream=True, **more)
        assert heard.finish == "stop"
    assert list_new(upstream) == [True] * 4


def test_parallel_copies_begin_anew(client: OpenAI, upstream: UpstreamEmulator) -> None:
    chat = Chat(client)
    chat.say("first")
    for _ in range(2):
        ask_messages(client, [*chat.messages, user("second")], stream=True)
    assert list_new(upstream) == [True, False, True]


def test_never_across_callers_or_accounts(
    gateway: GatewayProcess, client: OpenAI, upstream: UpstreamEmulator, account: str
) -> None:
    chat = Chat(client)
    chat.say("first")
    for credentials in (f"{account}-other", f"{account},{account}-other"):
        with connect(gateway, credentials) as other:
            ask_messages(other, [*chat.messages, user("second")], stream=True)
    assert list_new(upstream) == [True] * 3


@pytest.mark.parametrize("ending", ["filter", "cut at=6"])
def test_what_came_to_no_good_end_is_not_gone_on_with(
    client: OpenAI, upstream: UpstreamEmulator, account: str, ending: str
) -> None:
    messages = [user("a"), assistant("b"), user("c")]
    upstream.account(account.removeprefix("demo-"), next=[ending])
    heard, sent = Heard(), cast(Any, messages)
    with suppress(APIError):
        made: Any = client.chat.completions.create(model="glm", messages=sent, stream=True)
        for chunk in made:
            note(heard, chunk)
    assert heard.text
    ask_messages(client, [*messages, assistant(heard.text), user("d")], stream=True)
    assert list_new(upstream) == [True, True]


def test_an_answer_that_was_cut_short_is_not_gone_on_with(client: OpenAI, upstream: UpstreamEmulator) -> None:
    messages = [user("a"), assistant("b"), user("[[chunks n=30]]")]
    short = ask_messages(client, messages, stream=True, max_tokens=10)
    ask_messages(client, [*messages, assistant(short.text), user("c")], stream=True)
    assert list_new(upstream) == [True, True]
    upstream.wait_until(lambda state: state["undeleted"] == 1)


FAILURES = [["busy429"], ["html502"], ["empty", "empty"], ["http500"], ["no-assistant"]]


@pytest.mark.parametrize("failures", FAILURES, ids=str)
def test_an_owner_that_fails_is_no_failure_of_the_chat(
    gateway: GatewayProcess, upstream: UpstreamEmulator, account: str, failures: list[str]
) -> None:
    with connect(gateway, f"{account},{account}-2") as client:
        chat = Chat(client)
        chat.say("first")
        (owner,) = [one["account"] for one in upstream.state()["conversations"]]
        upstream.account(owner, next=failures)
        chat.say("second")
    new = list_new(upstream)
    assert (new[:2], new[-1]) == ([True, False], True)
    assert "first" in list_asked(upstream)[-1][1]
    # The old one is due, the new one is kept.
    upstream.wait_until(lambda state: state["undeleted"] == 1)


def test_an_owner_that_is_busy_is_not_waited_for(
    gateway: GatewayProcess, upstream: UpstreamEmulator, account: str
) -> None:
    with connect(gateway, f"{account},{account}-2") as client:
        chat = Chat(client)
        chat.say("first")
        (owner,) = [one["account"] for one in upstream.state()["conversations"]]
        headers = {"Authorization": f"Bearer demo-{owner}"}
        body = {"messages": [user("[[chunks n=100 pace=50]]")], "stream": True}
        with requests.post(
            f"{gateway.url}/v1/chat/completions", json=body, headers=headers, stream=True, timeout=10
        ):
            chat.say("second")
    assert list_new(upstream)[0] is True
    assert any(new and "first" in text for (text, new) in [(t, not c) for c, t in list_asked(upstream)][1:])


@pytest.mark.parametrize("settings", [{"GLM_CONTINUE": "off"}, {"GLM_CONVERSATION_TTL": "0"}])
def test_it_can_be_turned_off(
    start_gateway: StartGateway, upstream: UpstreamEmulator, account: str, settings: dict[str, str]
) -> None:
    with connect(start_gateway(**settings), account) as client:
        chat = Chat(client)
        for number in range(3):
            chat.say(f"question {number}")
    assert list_new(upstream) == [True] * 3
    kept = 0 if "GLM_CONVERSATION_TTL" in settings else 1
    upstream.wait_until(lambda state: state["undeleted"] == kept)


def test_they_are_listed_and_go_at_a_shutdown(
    start_gateway: StartGateway, upstream: UpstreamEmulator, account: str
) -> None:
    gateway = start_gateway()
    with connect(gateway, account) as client:
        chat = Chat(client)
        chat.say("first")
        chat.say("second")
        headers = {"Authorization": f"Bearer {account}"}
        listed = requests.get(f"{gateway.url}/v1/conversations", headers=headers, timeout=10).json()["data"]
    assert [one["id"] for one in listed] == [one["id"] for one in upstream.state()["conversations"]]
    assert upstream.state()["undeleted"] == 1
    gateway.stop()
    assert upstream.state()["undeleted"] == 0


def test_an_answer_by_id_in_between_begins_anew(client: OpenAI, upstream: UpstreamEmulator) -> None:
    messages = [user("first")]
    heard = ask_messages(client, messages, stream=True)
    messages.append(assistant(heard.text))
    (conversation_id,) = heard.ids
    ask_messages(client, [user("by id")], stream=True, extra_body={"conversation_id": conversation_id})
    ask_messages(client, [*messages, user("second")], stream=True)
    asked = list_asked(upstream)
    assert asked[-1][0] == ""
