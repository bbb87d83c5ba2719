"""The control API, and what the emulator writes down."""

from __future__ import annotations

from typing import Any

import pytest

from tests.upstream_emulator.client import REFRESH, STREAM, Client, Reply, chat_body
from upstream_emulator.emulator import UpstreamEmulator
from upstream_emulator.record import MAX_RECORDED_REQUESTS
from upstream_emulator.setting import InvalidSetting

STATE_KEYS = {
    "accounts",
    "conversations",
    "open_streams",
    "violations",
    "undeleted",
    "refused_deletions",
    "deleted_while_in_use",
    "stopped_early",
    "tcp_connections",
    "requests",
    "refusals",
}


def control(client: Client, method: str, path: str, body: Any = None) -> Reply:
    return client.call(method, f"/_emulator/{path}", body, headers={})


def test_the_state(client: Client, upstream: UpstreamEmulator) -> None:
    client.chat("[[text]]")
    state = control(client, "GET", "state").json
    assert state.keys() >= STATE_KEYS
    assert state["accounts"] == {
        "ann": {"refreshes": 1, "parallel_refreshes": 0, "answers": 1, "violations": 0, "open_streams": 0}
    }
    assert state["requests"] == {REFRESH: 1, STREAM: 1}
    assert state == upstream.state()


def test_requests_are_recorded_as_sent(client: Client, upstream: UpstreamEmulator) -> None:
    body = chat_body("[[text]]")
    client.call("POST", STREAM + "?refer__991=x", body)
    refresh, stream = control(client, "GET", "requests").json
    assert (refresh["method"], refresh["path"], refresh["account"]) == ("POST", REFRESH, "ann")
    assert refresh["headers"]["authorization"] == "Bearer demo-ann"
    assert (stream["path"], stream["body"], stream["account"]) == (STREAM, body, "ann")
    assert stream["headers"]["authorization"] == f"Bearer {client.token}"
    assert upstream.requests() == [refresh, stream]


@pytest.mark.parametrize(("sent", "kept"), [(b"", None), (b"{", "{"), (b"\xff", "\ufffd"), (b"[1]", [1])])
def test_bodies_are_kept_as_json_or_text(
    client: Client, upstream: UpstreamEmulator, sent: bytes, kept: Any
) -> None:
    client.call("POST", "/elsewhere", sent)
    assert upstream.requests()[-1]["body"] == kept


def test_huge_bodies_are_kept_in_part(client: Client, upstream: UpstreamEmulator) -> None:
    client.chat("x" * 3_000_000 + "[[text]]")
    assert len(upstream.requests()[-1]["body"]) == 1024 * 1024


def test_only_the_last_requests_are_kept(client: Client, upstream: UpstreamEmulator) -> None:
    for _ in range(MAX_RECORDED_REQUESTS + 3):
        client.call("GET", "/elsewhere")
    assert len(upstream.requests()) == MAX_RECORDED_REQUESTS
    assert upstream.state()["requests"]["/elsewhere"] == MAX_RECORDED_REQUESTS + 3


def test_reset(client: Client, upstream: UpstreamEmulator) -> None:
    control(client, "POST", "configure", {"era": "2024"})
    control(client, "POST", "accounts/ann", {"blocked": True})
    assert control(client, "POST", "reset").json == {"ok": True}
    state = upstream.state()
    assert (state["accounts"], state["requests"], state["tcp_connections"]) == ({}, {}, 0)
    assert client.chat("[[text]]").status == 200


def test_a_reset_ends_open_answers(client: Client, upstream: UpstreamEmulator) -> None:
    client.send("POST", STREAM, chat_body("[[stall]]"))
    reply = client.read_head()
    upstream.reset()
    reply.pieces = list(client.read_pieces(reply))
    assert reply.frames[-1]["status"] == "error"
    assert upstream.state()["open_streams"] == 0


def test_a_reset_ends_answers_that_have_not_begun(client: Client, upstream: UpstreamEmulator) -> None:
    client.send("POST", STREAM, chat_body("[[text head=60000]]"))
    upstream.wait_until(lambda state: state["open_streams"] == 1)
    upstream.reset()
    with pytest.raises(ConnectionResetError):
        client.read_head()
    client.close()


def test_configuring(client: Client, upstream: UpstreamEmulator) -> None:
    changes = {"style": "snapshot", "access_life_seconds": 3, "refresh_delay_seconds": 0.5, "rotate": "soft"}
    assert control(client, "POST", "configure", changes).json == {"ok": True}
    setting = upstream._world.setting
    assert {name: getattr(setting, name) for name in changes} == changes


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"ear": "2024"}, "ear"),
        ({"era": "2025"}, "era"),
        ({"style": None}, "style"),
        ({"access_life_seconds": "1"}, "access_life_seconds"),
        ({"refresh_delay_seconds": -1}, "refresh_delay_seconds"),
        ({"pace": True}, "pace"),
        ({"down": 1}, "down"),
        ({"fault": "mood"}, "fault"),
        ({"clock_offset_seconds": "late"}, "clock_offset_seconds"),
        ([], "object"),
        (b"{", "object"),
    ],
)
def test_wrong_settings_are_named(client: Client, upstream: UpstreamEmulator, change: Any, word: str) -> None:
    reply = control(client, "POST", "configure", change)
    assert reply.status == 400
    assert word in reply.json["error"]


def test_settings_are_changed_together_or_not_at_all(upstream: UpstreamEmulator) -> None:
    with pytest.raises(InvalidSetting):
        upstream.configure(era="2024", style="sideways")
    assert upstream._world.setting.era == "both"


@pytest.mark.parametrize("change", [{"nxt": []}, {"next": "busy"}, {"next": [1]}, {"refresh_next": None}])
def test_wrong_account_changes_are_named(client: Client, change: Any) -> None:
    reply = control(client, "POST", "accounts/ann", change)
    assert reply.status == 400
    assert next(iter(change)) in reply.json["error"]


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "nothing"), ("POST", "state"), ("POST", "accounts/"), ("DELETE", "state")]
)
def test_nothing_else_is_there(client: Client, method: str, path: str) -> None:
    assert control(client, method, path).status == 404


def test_down_means_that_nobody_gets_an_answer(client: Client, upstream: UpstreamEmulator) -> None:
    upstream.configure(down=True)
    with pytest.raises(ConnectionResetError):
        client.refresh("demo-ann")
    client.close()
    assert control(client, "POST", "configure", {"down": False}).status == 200
    assert client.refresh("demo-ann").status == 200


def test_waiting_that_is_in_vain_shows_the_state(upstream: UpstreamEmulator) -> None:
    with pytest.raises(TimeoutError, match="open_streams"):
        upstream.wait_until(lambda _: False, seconds=0)
