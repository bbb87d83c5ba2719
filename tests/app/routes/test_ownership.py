"""Callers of one pool neither see, continue nor delete what is not theirs, however they spell its id."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.app.routes.conftest import Connect
from tests.app.routes.test_door import ADMIN, CHAT, KEY, QUESTION, bearer, check_error
from upstream_emulator.emulator import UpstreamEmulator

ONE, TWO = KEY, ADMIN
KEYS = {"GLM_REFRESH_TOKENS": "demo-one,demo-two", "GATEWAY_API_KEYS": f"x={ONE},y={TWO};admin"}
STREAM_PATH = "/chatglm/backend-api/assistant/stream"
UNKNOWN = "0123456789abcdef01234567"


def ask(client: FlaskClient, caller: str, conversation_id: str | None = None) -> Any:
    return client.post(CHAT, json=QUESTION | {"conversation_id": conversation_id}, headers=bearer(caller))


def begin(client: FlaskClient, caller: str) -> str:
    name: str = ask(client, caller).get_json()["id"]
    assert len(name) == 24
    return name


SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "upper case": str.upper,
    "mixed case": lambda name: name[:12] + name[12:].upper(),
    "a space within": lambda name: f"{name[:5]} {name[5:]}",
    "NUL behind": lambda name: f"{name}\0",
    "a line feed behind": lambda name: f"{name}\n2026-11-27T00:00:00Z ERROR app.state forged",
    "a zero-width space": lambda name: f"{name}\u200b",
    "full-width digits": lambda name: name.translate({code: code + 0xFEE0 for code in range(48, 58)}),
    "Arabic digits": lambda name: name.translate({code: code + 0x630 for code in range(48, 58)}),
    "quotes": lambda name: f'"{name}"',
    "a path": lambda name: f"../{name}",
    "URL-encoded": lambda name: f"%{ord(name[0]):x}{name[1:]}",
    "twice": lambda name: f"{name},{name}",
    "more behind": lambda name: f"{name}0",
    "very long": lambda name: name * 1000,
    "an object": lambda name: f'{{"$oid": "{name}"}}',
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_nobody_elses_conversation_is_asked_for(
    connect: Connect, upstream: UpstreamEmulator, spelling: str
) -> None:
    client = connect(**KEYS)
    theirs = SPELLINGS[spelling](begin(client, ONE))
    asked = upstream.state()["requests"].copy()
    check_error(ask(client, TWO, theirs), 404, "conversation_not_found")
    answer = client.delete(f"/v1/conversations/{theirs}", headers=bearer(TWO))
    assert answer.status_code == 404
    assert upstream.state()["requests"] == asked, "the upstream was asked"


def test_what_the_ledger_does_not_know_is_not_asked_for_with_a_key(
    connect: Connect, upstream: UpstreamEmulator
) -> None:
    """The operator's own conversations in the web chat, and everybody's after the state file was lost."""
    client = connect(**KEYS)
    name = begin(client, ONE)
    client.application.extensions["glm-api"].ledger.forget(name)
    asked = upstream.state()["requests"].copy()
    for caller in (ONE, TWO):
        for wanted in (name, UNKNOWN):
            check_error(ask(client, caller, wanted), 404, "conversation_not_found")
            assert client.delete(f"/v1/conversations/{wanted}", headers=bearer(caller)).status_code == 404
    assert upstream.state()["requests"] == asked


@pytest.mark.parametrize("keys", [{}, KEYS])
def test_the_owner_may_spell_it_either_way(
    connect: Connect, upstream: UpstreamEmulator, keys: dict[str, str]
) -> None:
    client, caller = connect(**keys), ONE if keys else "demo-one"
    name = begin(client, caller)
    assert ask(client, caller, f" {name.upper()} ").get_json()["id"] == name
    sent = [request["body"] for request in upstream.requests() if request["path"] == STREAM_PATH]
    assert [body["conversation_id"] for body in sent] == ["", name]
    deleted = client.delete(f"/v1/conversations/{name.upper()}", headers=bearer(caller)).get_json()
    assert (deleted["id"], deleted["deleted"]) == (name, True)


def test_with_a_token_of_ones_own_an_unknown_id_is_asked_for(
    connect: Connect, upstream: UpstreamEmulator
) -> None:
    """The account is the caller's: it may have been begun in a browser. What can be no id is not."""
    client = connect()
    check_error(ask(client, "demo-one", UNKNOWN.upper()), 404, "conversation_not_found")
    sent = [request["body"] for request in upstream.requests() if request["path"] == STREAM_PATH]
    assert {body["conversation_id"] for body in sent} == {UNKNOWN}
    asked = upstream.state()["requests"].copy()
    for odd in (f"{UNKNOWN}\n", f"{UNKNOWN}\0x", "a b", "\u4f60\u597d", "x" * 65, "../x"):
        if odd.strip() != UNKNOWN:
            check_error(ask(client, "demo-one", odd), 404, "conversation_not_found")
    assert upstream.state()["requests"] == asked


def test_an_assistants_id_is_folded_too(connect: Connect, upstream: UpstreamEmulator) -> None:
    client = connect()
    for model in ("65940ACFF94777010AA6B796", "65940acff94777010aa6b796"):
        client.post(CHAT, json=QUESTION | {"model": model}, headers=bearer("demo-one"))
    sent = [request["body"] for request in upstream.requests() if request["path"] == STREAM_PATH]
    assert {body["assistant_id"] for body in sent} == {"65940acff94777010aa6b796"}


def test_videos_are_their_callers_in_every_spelling(connect: Connect, upstream: UpstreamEmulator) -> None:
    client = connect(**KEYS)
    order = {"prompt": "\u732b", "async": True}
    ordered = client.post("/v1/videos/generations", json=order, headers=bearer(ONE)).get_json()
    asked = upstream.state()["requests"].copy()
    for spelling in SPELLINGS.values():
        answer = client.get(f"/v1/videos/{spelling(ordered['id'])}", headers=bearer(TWO))
        assert answer.status_code == 404
    assert upstream.state()["requests"] == asked
    mine = client.get(f"/v1/videos/{ordered['id'].upper()}", headers=bearer(ONE))
    assert mine.get_json()["id"] == ordered["id"]
