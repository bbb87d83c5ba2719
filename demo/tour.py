"""`make demo`: a real conversation through the official client, told in words."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import requests
from openai import OpenAI, OpenAIError

from demo.command import say
from demo.gateway import GatewayProcess
from upstream_emulator.emulator import UpstreamEmulator

ACCOUNTS = "demo-anna,demo-bert"


class StepFailed(Exception):
    """A step of the tour did not show what it promised."""


def require(holds: object, otherwise: str) -> None:
    if not holds:
        raise StepFailed(otherwise)


class Tour:
    """Each step shows one thing and raises StepFailed or the error of a client where it does not work."""

    def __init__(self, gateway_url: str) -> None:
        self._url = gateway_url
        self._client = OpenAI(base_url=f"{gateway_url}/v1", api_key=ACCOUNTS, max_retries=0, timeout=30)

    def run(self) -> None:
        steps: list[Callable[[], None]] = [
            self.stream,
            self.think,
            self.answer_whole,
            self.continue_conversation,
            self.check_tokens,
        ]
        for number, step in enumerate(steps, 1):
            say(f"\n{number}. {step.__doc__}")
            step()

    def stream(self) -> None:
        """A streamed answer: the words come one by one."""
        question = "请用一句话介绍你自己。"
        say(f"   You:  {question}")
        stream = self._client.chat.completions.create(model="glm", messages=_ask(question), stream=True)
        pieces, finish = self._show(stream)
        require(len(pieces) > 1, "the answer came in one piece")
        require(finish == "stop", f"the answer ended with {finish}")
        say(f"   {len(pieces)} pieces, finish_reason {finish}")

    def think(self) -> None:
        """A thinking answer: the thoughts come apart from the text."""
        question = "三加四等于几？"
        say(f"   You:  {question}")
        answer = self._client.chat.completions.create(model="glm-think", messages=_ask(question))
        message = answer.choices[0].message
        reasoning = getattr(message, "reasoning_content", None)
        require(reasoning, "no reasoning_content came")
        require(message.content, "no text came")
        say(f"   Thoughts (reasoning_content):  {reasoning}")
        say(f"   GLM:  {message.content}")

    def answer_whole(self) -> None:
        """The same without streaming: one JSON answer, with an estimate of its tokens."""
        question = "今天天气怎么样？"
        say(f"   You:  {question}")
        answer = self._client.chat.completions.create(model="glm", messages=_ask(question))
        require(answer.choices[0].message.content, "no text came")
        usage = answer.usage
        require(usage is not None and usage.completion_tokens > 1, "no estimate of the tokens came")
        say(f"   GLM:  {answer.choices[0].message.content}")
        if usage is not None:
            say(f"   Usage: {usage.prompt_tokens} + {usage.completion_tokens} tokens")

    def continue_conversation(self) -> None:
        """A conversation that goes on: the id of an answer, passed as conversation_id."""
        beginning, question = "记住数字 42。", "我让你记住什么？"
        say(f"   You:  {beginning}")
        first = self._client.chat.completions.create(model="glm", messages=_ask(beginning))
        say(f"   GLM:  {first.choices[0].message.content}")
        say(f"   (id {first.id})")
        say(f"   You:  {question}   (conversation_id {first.id})")
        second = self._client.chat.completions.create(
            model="glm", messages=_ask(question), extra_body={"conversation_id": first.id}
        )
        require(second.id == first.id, "the conversation did not go on")
        say(f"   GLM:  {second.choices[0].message.content}")

    def check_tokens(self) -> None:
        """A look at tokens: one that lives, one that does not."""
        for token, expected in (("demo-anna", True), ("dead-carl", False)):
            answer = requests.post(f"{self._url}/token/check", json={"token": token}, timeout=30).json()
            require(answer == {"live": expected}, f"{token}: {answer}")
            say(f"   {token}: {'alive' if expected else 'not alive'}")

    def _show(self, stream: Any) -> tuple[list[str], str | None]:
        pieces: list[str] = []
        finish = None
        say("   GLM:  ", end="")
        for chunk in stream:
            piece = chunk.choices[0].delta.content
            if piece:
                pieces.append(piece)
                say(piece, end="")
            finish = chunk.choices[0].finish_reason or finish
        say()
        return pieces, finish


def _ask(question: str) -> Any:
    return [{"role": "user", "content": question}]


def tour() -> int:
    """Start everything, show it, stop everything. Returns the exit code."""
    say("This is glm-api with a stand-in for chatglm.cn. Nothing leaves this machine.")
    with UpstreamEmulator(pace=40) as upstream, GatewayProcess(upstream.url) as gateway:
        say(f"The gateway answers at {gateway.url}, as it will for you on port 8000.")
        code = _guide(gateway)
        if code == 0:
            say("Everything stops now.\n")
    if code == 0:
        say("For real use: make run, then give your client http://127.0.0.1:8000/v1 and your refresh token.")
    return code


def _guide(gateway: GatewayProcess) -> int:
    begun = time.monotonic()
    try:
        Tour(gateway.url).run()
    except (StepFailed, OpenAIError, requests.RequestException) as error:
        say(f"\nThis did not work: {error!r}\nThe log of the gateway:\n{gateway.log()}")
        return 1
    say(f"\nAll of it worked, in {time.monotonic() - begun:.1f} seconds.")
    return 0
