"""GET /v1/models: what is always there, and what the upstream offers who asks (protocol notes 10)."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from openai.types import Model

from app.core.model_name import MODELS
from tests.app.routes.conftest import Connect
from tests.app.routes.test_door import ADMIN, CHAT, KEY, QUESTION, bearer, check_error
from upstream_emulator.account import Account
from upstream_emulator.emulator import UpstreamEmulator
from upstream_emulator.fault import FAULTS

STATIC = list(MODELS)
OFFERED = [*STATIC, "glm-5.2"]
LISTS = (
    "/chatglm/agent-api/operation/detail",
    "/chatglm/feed-api/assistant_top/v4/recent_list",
    "/chatglm/operation-api/assistant_top/v4/recent_list",
)
STREAM = "/chatglm/backend-api/assistant/stream"
ANTHROPIC = {"anthropic-version": "2023-06-01"}


def log_in(client: FlaskClient, name: str) -> dict[str, str]:
    """Headers of an account that the upstream has accepted."""
    token = f"demo-{name}"
    assert client.post("/token/check", json={"token": token}).get_json()["live"]
    return bearer(token)


def list_models(client: FlaskClient, headers: dict[str, str]) -> list[str]:
    listed = client.get("/v1/models", headers=headers).get_json()
    for model in listed["data"]:
        Model.model_validate(model, strict=True)
    ids = [model["id"] for model in listed["data"]]
    assert (listed["object"], listed["has_more"], listed["models"]) == ("list", False, [])
    assert (listed["first_id"], listed["last_id"]) == (ids[0], ids[-1])
    return ids


def model_of(name: str) -> str:
    account = Account(name)
    return f"{account.assistant_name}-{account.assistant_id}"


def ask(client: FlaskClient, headers: dict[str, str], model: str) -> Any:
    return client.post(CHAT, json=QUESTION | {"model": model}, headers=headers)


def find_asked(upstream: UpstreamEmulator) -> str:
    """The assistant of the last question."""
    body = [sent["body"] for sent in upstream.requests() if sent["path"] == STREAM][-1]
    return str(body["assistant_id"])


def count_lists(upstream: UpstreamEmulator) -> int:
    return sum(upstream.state()["requests"].get(path, 0) for path in LISTS)


def test_what_the_upstream_offers_this_caller(client: FlaskClient, upstream: UpstreamEmulator) -> None:
    for name in ("lists-ann", "lists-bob"):
        assert list_models(client, log_in(client, name)) == [*OFFERED, model_of(name)]
    assert count_lists(upstream) == 4
    for name in ("lists-ann", "lists-bob"):
        list_models(client, bearer(f"demo-{name}"))
    assert count_lists(upstream) == 4, "what is known is not asked again"


def test_of_a_token_that_was_never_accepted_nothing_is_asked(
    client: FlaskClient, upstream: UpstreamEmulator
) -> None:
    assert list_models(client, bearer("demo-stranger,dead-stranger,rubbish")) == STATIC
    assert upstream.state()["requests"] == {}


def test_without_credentials_nothing_is_told(client: FlaskClient, upstream: UpstreamEmulator) -> None:
    log_in(client, "lists-door")
    for path in ("/v1/models", "/v1/models/glm", f"/v1/models/{model_of('lists-door')}"):
        check_error(client.get(path), 401, "invalid_api_key")
    assert count_lists(upstream) == 0


def test_one_model(client: FlaskClient, upstream: UpstreamEmulator) -> None:
    headers, name = log_in(client, "lists-one"), model_of("lists-one")
    assert client.get("/v1/models/glm-think", headers=headers).get_json()["id"] == "glm-think"
    assert count_lists(upstream) == 0, "what is always there is told at once"
    told = client.get(f"/v1/models/{name}", headers=headers).get_json()
    assert (told["id"], told["display_name"]) == (name, "lists-one的助手")
    assert client.get("/v1/models/glm-5.2", headers=headers).get_json()["id"] == "glm-5.2"
    error = check_error(client.get("/v1/models/nothing", headers=headers), 404, "not_found")
    assert "的助手" not in error["message"]
    check_error(client.get(f"/v1/models/{name}", headers=bearer("demo-other")), 404, "not_found")


def test_readers_of_anthropic_hear_of_offered_models_behind_claude_too(client: FlaskClient) -> None:
    headers = log_in(client, "lists-anthropic") | ANTHROPIC
    ids = list_models(client, headers)
    assert {"glm-5.2", "claude-glm-5.2", "claude-glm-5.3", model_of("lists-anthropic")} <= set(ids)
    told = client.get("/v1/models/claude-glm-5.2", headers=headers).get_json()
    assert (told["type"], told["display_name"]) == ("model", "glm-5.2")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT00:00:00Z", told["created_at"])


@pytest.mark.parametrize("lists", ["no-lists", *sorted(FAULTS), "empty", "hangup"])
def test_what_is_always_there_stays_whatever_the_upstream_does(
    client: FlaskClient, upstream: UpstreamEmulator, lists: str
) -> None:
    headers = log_in(client, f"lists-{lists}")
    upstream.configure(lists=lists)
    assert list_models(client, headers) == STATIC
    # Nothing is held against the account, and no new token was got for a list.
    with ask(client, headers, "glm") as answer:
        assert answer.status_code == 200
    assert upstream.state()["accounts"][f"lists-{lists}"]["refreshes"] == 1


@pytest.mark.parametrize("lists", ["moved", "nested"])
def test_other_places_and_shapes(client: FlaskClient, upstream: UpstreamEmulator, lists: str) -> None:
    upstream.configure(lists=lists)
    assert list_models(client, log_in(client, f"lists-{lists}")) == [*OFFERED, model_of(f"lists-{lists}")]


def test_an_upstream_that_has_nothing(client: FlaskClient, upstream: UpstreamEmulator) -> None:
    upstream.configure(lists="empty-lists")
    assert list_models(client, log_in(client, "lists-none")) == STATIC


def test_hostile_names(
    client: FlaskClient, upstream: UpstreamEmulator, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever made an assistant chose its name."""
    upstream.configure(lists="hostile")
    headers = log_in(client, "lists-hostile")
    ids = list_models(client, headers)
    assert ids[: len(STATIC)] == STATIC
    assert len(set(ids)) == len(ids) < 200
    assert all(name.isprintable() and len(name) < 100 and "/" not in name for name in ids)
    for name in ids:
        assert (
            client.get(f"/v1/models/{name}", headers=headers).status_code == 200 or "?" in name or "#" in name
        )
    assert "glm-4.7" in ids
    assert "glm-5.3-think" not in ids
    for name in ("glm-think", "gpt-4o", "同名"):
        with ask(client, headers, name) as answer:
            assert answer.status_code == 200
        assert find_asked(upstream) == "65940acff94777010aa6b796", name
    for name, digit in (("写作助手", "7"), (f"glm-think-{'c' * 24}", "c"), (f"x-{'5' * 24}", "5")):
        with ask(client, headers, name) as answer:
            assert answer.status_code == 200
        assert find_asked(upstream) == digit * 24
    assert "写作助手" not in caplog.text


def test_a_name_counts_where_its_list_is_known(client: FlaskClient, upstream: UpstreamEmulator) -> None:
    """And a chat asks for no list."""
    headers, account = log_in(client, "lists-name"), Account("lists-name")
    with ask(client, headers, account.assistant_name) as answer:
        assert answer.status_code == 200
    assert (find_asked(upstream), count_lists(upstream)) == ("65940acff94777010aa6b796", 0)
    list_models(client, headers)
    for name in (account.assistant_name, account.assistant_name.upper(), f"{account.assistant_name}-silent"):
        with ask(client, headers, name) as answer:
            assert answer.get_json()["model"] == name
        assert find_asked(upstream) == account.assistant_id
    with ask(client, log_in(client, "lists-another"), account.assistant_name):
        assert find_asked(upstream) == "65940acff94777010aa6b796", "a name of somebody else's list"


def test_the_listed_id_needs_no_list(client: FlaskClient, upstream: UpstreamEmulator) -> None:
    with ask(client, log_in(client, "lists-restarted"), model_of("lists-restarted")) as answer:
        assert answer.status_code == 200
    assert find_asked(upstream) == Account("lists-restarted").assistant_id
    assert count_lists(upstream) == 0


def test_with_gateway_keys_assistants_are_the_operators(connect: Connect, upstream: UpstreamEmulator) -> None:
    client = connect(GLM_REFRESH_TOKENS="demo-op", GATEWAY_API_KEYS=f"x={KEY},y={ADMIN};admin")
    name = Account("op").assistant_name
    assert list_models(client, bearer(ADMIN)) == [*OFFERED, model_of("op")]
    assert list_models(client, bearer(KEY)) == OFFERED
    check_error(client.get(f"/v1/models/{model_of('op')}", headers=bearer(KEY)), 404, "not_found")
    for key, asked in ((ADMIN, Account("op").assistant_id), (KEY, "65940acff94777010aa6b796")):
        with ask(client, bearer(key), name) as answer:
            assert answer.status_code == 200
        assert find_asked(upstream) == asked


def test_names_are_not_logged(connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    client = connect(LOG_LEVEL="DEBUG")
    caplog.set_level(logging.DEBUG)
    headers = log_in(client, "lists-log")
    assert model_of("lists-log") in list_models(client, headers)
    with ask(client, headers, Account("lists-log").assistant_name) as answer:
        assert answer.status_code == 200
    assert "的助手" not in caplog.text
    assert Account("lists-log").assistant_id not in caplog.text


@pytest.mark.parametrize("path", ["/v1/models/nobody", "/v1/files", "/v1/conversations/x"])
def test_who_sends_anthropics_header_hears_failures_in_its_shape(client: FlaskClient, path: str) -> None:
    answer = client.get(path, headers=ANTHROPIC | bearer("demo-a"))
    told = answer.get_json()
    assert (answer.status_code, told["type"], told["error"]["type"]) == (404, "error", "not_found_error")
    assert told["request_id"] == answer.headers["Request-Id"]
    assert "param" in client.get(path, headers=bearer("demo-a")).get_json()["error"]
