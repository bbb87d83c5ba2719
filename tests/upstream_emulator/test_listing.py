"""Protocol notes 10: the lists of models and of assistants, as they are known, and oddly."""

from __future__ import annotations

import pytest

from tests.upstream_emulator.client import Client
from upstream_emulator.emulator import UpstreamEmulator

MODELS = "/chatglm/agent-api/operation/detail?tag=available_models"
FEED = "/chatglm/feed-api/assistant_top/v4/recent_list"
OLDER = "/chatglm/operation-api/assistant_top/v4/recent_list"


@pytest.fixture
def client(client: Client) -> Client:
    return client.logged_in("demo-ann")


def test_models_have_the_captured_fields(client: Client) -> None:
    result = client.call("GET", MODELS).json["result"]
    assert set(result["default"]) == {"agent", "am", "guest", "non_vip", "svip", "vip"}
    fields = {
        "display_name",
        "selected_model",
        "display_tag",
        "am_switch",
        "chat_switch",
        "reasoning_efforts",
    }
    assert all(set(model) == fields for model in result["models"])
    assert set(result["models"][0]["reasoning_efforts"][0]) == {"display_name", "effort", "am_effort"}


def test_another_tag_is_something_else(client: Client) -> None:
    assert client.call("GET", MODELS.partition("?")[0]).json["status"] != 0


@pytest.mark.parametrize("path", [FEED, OLDER])
def test_everybody_has_an_assistant_of_their_own(client: Client, path: str) -> None:
    def list_names() -> set[str]:
        return {one["name"] for one in client.call("GET", path).json["result"]["list"]}

    ann = list_names()
    client.logged_in("demo-bob")
    assert ann - list_names() == {"ann的助手"}


def test_the_own_assistant_answers_its_account_alone(client: Client, upstream: UpstreamEmulator) -> None:
    upstream.configure(assistants="known")
    own = client.call("GET", FEED).json["result"]["list"][-1]["assistant_id"]
    assert client.chat("[[text]]", assistant_id=own).text
    assert client.logged_in("demo-bob").chat("[[text]]", assistant_id=own).json["result"] is None


def test_odd_answers(client: Client, upstream: UpstreamEmulator) -> None:
    upstream.configure(lists="moved")
    assert client.call("GET", FEED).status == 404
    assert client.call("GET", OLDER).json["result"]["list"]
    upstream.configure(lists="nested")
    assert client.call("GET", FEED).json["result"][0]["assistant"]["name"]
    upstream.configure(lists="hostile")
    assert len(client.call("GET", FEED).json["result"]["list"]) > 5000
    for lists, status in (("waf405", 405), ("html502", 502)):
        upstream.configure(lists=lists)
        assert [client.call("GET", path).status for path in (MODELS, FEED, OLDER)] == [status] * 3


def test_they_are_signed_and_need_a_login_and_2026(client: Client, upstream: UpstreamEmulator) -> None:
    for path in (MODELS, FEED, OLDER):
        assert client.call("GET", path, headers={"Authorization": f"Bearer {client.token}"}).status == 400
    client.token = "nobody"
    assert client.call("GET", MODELS).status == 401
    upstream.configure(era="2024")
    assert client.call("GET", MODELS).status == 404
