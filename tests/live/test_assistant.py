"""Assistants: the model names one, and a wrong id is told as such."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from openai import InternalServerError, NotFoundError, OpenAI

from demo.gateway import GatewayProcess
from tests.live.asking import ask
from tests.live.conftest import list_states
from upstream_emulator.emulator import UpstreamEmulator

BOTH = pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
UNKNOWN = "0123456789abcdef01234567"


@pytest.fixture
def strict(upstream: UpstreamEmulator) -> Iterator[UpstreamEmulator]:
    upstream.configure(assistants="known")
    yield upstream
    upstream.configure(assistants="any")


@BOTH
@pytest.mark.parametrize("model", [UNKNOWN, f"{UNKNOWN}-silent"])
def test_a_wrong_id_is_a_wrong_model(
    client: OpenAI,
    gateway: GatewayProcess,
    account: str,
    strict: UpstreamEmulator,
    model: str,
    *,
    stream: bool,
) -> None:
    with pytest.raises(NotFoundError) as raised:
        ask(client, "你好", stream=stream, model=model)
    assert (raised.value.code, raised.value.param) == ("model_not_found", "model")
    assert UNKNOWN in raised.value.message
    # The account is as good as before.
    assert set(list_states(gateway, account)) == {"ready"}
    assert ask(client, "你好", stream=stream, model="65c046a531d3fcb034918abe").finish == "stop"


def test_every_account_is_asked(strict: UpstreamEmulator, client: OpenAI, account: str) -> None:
    several = client.with_options(api_key=f"{account},{account}-other")
    with pytest.raises(NotFoundError):
        ask(several, "你好", stream=False, model=UNKNOWN)
    asked = [sent for sent in strict.requests() if sent["path"].endswith("/assistant/stream")]
    assert len(asked) == 2


@pytest.mark.parametrize("fault", ["validation", "no-assistant"])
def test_the_words_of_either_refusal_count(
    client: OpenAI, upstream: UpstreamEmulator, account: str, fault: str
) -> None:
    upstream.account(account.removeprefix("demo-"), next=[fault, fault])
    with pytest.raises(NotFoundError):
        ask(client, "你好", stream=False, model=UNKNOWN)
    # The assistant that everybody has is nobody's mistake.
    with pytest.raises(InternalServerError) as raised:
        ask(client, "你好", stream=False)
    assert raised.value.code == "upstream_invalid"
