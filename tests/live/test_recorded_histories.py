"""Chats as programs sent them, turn by turn (tests/fixtures/histories): which of their turns go on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import requests

from demo.gateway import GatewayProcess
from tests.live.test_going_on import list_asked, list_new
from upstream_emulator.emulator import UpstreamEmulator

HISTORIES = sorted((Path(__file__).parents[1] / "fixtures/histories").glob("*.json"))


def load(path: Path) -> dict[str, Any]:
    recorded: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return recorded


def send(gateway: GatewayProcess, credentials: str, recorded: dict[str, Any], number: int) -> None:
    headers = {"Authorization": f"Bearer {credentials}"}
    body = recorded["bodies"][number]
    answer = requests.post(f"{gateway.url}{recorded['path']}", json=body, headers=headers, timeout=20)
    assert answer.status_code == 200, answer.text
    assert answer.content


def last_words(body: dict[str, Any]) -> str:
    """What the last turn says."""
    content = (body.get("messages") or body["input"])[-1]["content"]
    return content if isinstance(content, str) else content[0]["text"]


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
def test_turns_go_on_as_programs_send_them(
    gateway: GatewayProcess, upstream: UpstreamEmulator, account: str, path: Path
) -> None:
    """The upstream gets the new turn alone, and earlier files only once."""
    recorded = load(path)
    for number in range(len(recorded["bodies"])):
        send(gateway, account, recorded, number)
    assert list_new(upstream) == recorded["begins"]
    for (_, text), begins, body in zip(
        list_asked(upstream), recorded["begins"], recorded["bodies"], strict=True
    ):
        assert begins or text == last_words(body)
    assert len(upstream.state()["uploads"]) == json.dumps(recorded["bodies"][-1]).count("base64")
    assert upstream.state()["violations"] == 0


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
def test_turns_of_programs_go_on_with_nobody_else(
    gateway: GatewayProcess, upstream: UpstreamEmulator, account: str, path: Path
) -> None:
    """One caller asks, another sends what would be the next turn, word for word."""
    recorded = load(path)
    send(gateway, account, recorded, 0)
    send(gateway, f"{account}-other", recorded, 1)
    send(gateway, f"{account},{account}-other", recorded, 1)
    assert list_new(upstream) == [True, True, True]
