"""Protocol notes 9: a deletion must name the right conversation, account and assistant."""

from __future__ import annotations

from typing import Any

import pytest

from tests.upstream_emulator.client import (
    ASSISTANT,
    BULK_DELETE,
    DELETE,
    DELETE_2024,
    STREAM,
    Client,
    Reply,
    chat_body,
)
from upstream_emulator.emulator import UpstreamEmulator

OTHER_ASSISTANT = "65a232c082ff90a2ad2f15e2"


@pytest.fixture(params=[DELETE_2024, DELETE, BULK_DELETE])
def path(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def delete(client: Client, path: str, conversation_id: str, assistant_id: str = ASSISTANT) -> Reply:
    fields: dict[str, Any] = {"conversation_id": conversation_id}
    if path == BULK_DELETE:
        fields = {"conversation_ids": [conversation_id]}
    return client.post(path, fields | {"assistant_id": assistant_id})


def begun(client: Client) -> str:
    conversation_id = client.chat("[[text]]").frames[0]["conversation_id"]
    assert isinstance(conversation_id, str)
    return conversation_id


def test_deleting(client: Client, upstream: UpstreamEmulator, path: str) -> None:
    conversation_id = begun(client)
    assert upstream.state()["undeleted"] == 1
    reply = delete(client, path, conversation_id)
    assert (reply.status, reply.json["status"]) == (200, 0)
    state = upstream.state()
    assert (state["undeleted"], state["refused_deletions"]) == (0, 0)
    assert state["conversations"] == [
        {
            "id": conversation_id,
            "account": "ann",
            "assistant_id": ASSISTANT,
            "turns": 1,
            "deleted": True,
            "deleted_while_in_use": False,
        }
    ]
    assert client.chat("你好", conversation_id).body == b""


def test_what_is_not_there_cannot_be_deleted(client: Client, upstream: UpstreamEmulator, path: str) -> None:
    conversation_id = begun(client)
    assert delete(client, path, "0" * 24).json["status"] != 0
    assert delete(client, path, conversation_id, OTHER_ASSISTANT).json["status"] != 0
    assert delete(client.logged_in("demo-bob"), path, conversation_id).json["status"] != 0
    state = upstream.state()
    assert (state["undeleted"], state["refused_deletions"]) == (1, 3)


def test_a_second_deletion_is_refused(client: Client, upstream: UpstreamEmulator, path: str) -> None:
    conversation_id = begun(client)
    delete(client, path, conversation_id)
    assert delete(client, path, conversation_id).json["status"] != 0
    assert upstream.state()["refused_deletions"] == 1


def test_many_are_deleted_together_or_not_at_all(client: Client, upstream: UpstreamEmulator) -> None:
    ids = [begun(client) for _ in range(3)]
    client.post(BULK_DELETE, {"conversation_ids": [*ids, "0" * 24], "assistant_id": ASSISTANT})
    assert upstream.state()["undeleted"] == 3
    client.post(BULK_DELETE, {"conversation_ids": ids, "assistant_id": ASSISTANT})
    assert upstream.state()["undeleted"] == 0


@pytest.mark.parametrize("body", [None, [], {}, {"conversation_id": 1}, {"conversation_id": ""}])
def test_nonsense_is_refused(client: Client, body: Any) -> None:
    for path in (DELETE_2024, DELETE):
        assert client.post(path, body).json["status"] != 0


@pytest.mark.parametrize(
    "fields", [{"conversation_ids": [], "assistant_id": ASSISTANT}, {"conversation_ids": ["x"]}, {}]
)
def test_a_bulk_deletion_that_names_none_takes_all(
    client: Client, upstream: UpstreamEmulator, fields: dict[str, Any]
) -> None:
    begun(client)
    assert client.post(BULK_DELETE, fields).json["status"] == 0
    assert (upstream.state()["undeleted"], upstream.state()["wiped"]) == (0, 1)


def test_deleting_a_conversation_in_use_is_counted(client: Client, upstream: UpstreamEmulator) -> None:
    client.send("POST", STREAM, chat_body("[[stall at=1]]"))
    reply = client.read_head()
    reply.pieces.append(next(client.read_pieces(reply)))
    with Client(upstream.url) as other:
        other.token = client.token
        delete(other, BULK_DELETE, reply.frames[0]["conversation_id"])
    state = upstream.state()
    assert state["deleted_while_in_use"] == 1
    assert state["conversations"][0]["deleted_while_in_use"] is True


def test_a_deletion_can_be_made_to_fail(client: Client, upstream: UpstreamEmulator, path: str) -> None:
    conversation_id = begun(client)
    upstream.account("ann", delete_next=["http500"])
    assert delete(client, path, conversation_id).status == 500
    assert delete(client, path, conversation_id).json["status"] == 0


def test_2024_has_one_call_alone(client: Client, upstream: UpstreamEmulator) -> None:
    upstream.configure(era="2024")
    for path in (BULK_DELETE, DELETE):
        assert delete(client, path, "0" * 24).status == 404
