"""A recorded call: what is noted of it, in which bounds, and what is never written."""

from __future__ import annotations

import json
from contextlib import closing, suppress
from typing import Any

import pytest

from app.core.errors import GatewayError
from app.redaction import Redactor
from app.upstream.client import UpstreamAddress
from app.upstream.recording import Recording, RecordingClient, SecretFound
from tests.app.upstream.connected import SECRET, TOKEN, ask, stream
from tests.app.upstream.scripted import Play, ScriptedServer, answer

HOSTILE = (
    b'{"secret-access":{"secret-access":"secret-access"},"status":"secret-access","parts":[{"secret-access":1}]}',
    b'{"parts":{"content":"secret-access"},"id":["secret-access"],"status":7}',
    b'{"parts":[{"content":{"type":"text","text":"secret-access"}}]}',
    b'{"parts":[{"content":[{"type":["secret-access"],"text":"secret-access","code":"secret-access"}]}]}',
    b"secret-access",
    b"[" * 100_000 + b"secret-access",
    b'"secret-access"',
    b'{"status":"\\ud800secret-access"}',
    b'{"n":' + b"9" * 5000 + b"}",
)


def record(*plays: Play, max_bytes: int = 4096 * 1024) -> Recording:
    """One question asked and read to its end, good or bad."""
    recording = Recording(max_bytes)
    with ScriptedServer(plays) as server:
        client = RecordingClient(UpstreamAddress(server.url, SECRET, None, 5), recording)
        try:
            with suppress(GatewayError), closing(ask(client)) as opened:  # any end of an answer will do
                while not opened.ended:
                    opened.read(5)
        finally:
            client.close()
    return recording


def rows(recording: Recording) -> list[dict[str, Any]]:
    return [json.loads(line) for line in recording.build_text("1.0", Redactor()).splitlines()]


def test_a_call_in_its_order() -> None:
    head, sent, answered, event, end = rows(record(stream()))
    assert head == {"recording": 1, "version": "1.0", "truncated": False}
    assert sent["sent"]["path"] == "/chatglm/backend-api/assistant/stream"
    assert "你好" not in json.dumps(sent, ensure_ascii=False)
    assert answered["answered"] == {"status": 200, "content_type": "text/event-stream"}
    assert event["event"]["status"] == "finish"
    assert end["end"] == "whole"
    assert [row["ms"] for row in (sent, answered, event, end)] == sorted(
        row["ms"] for row in (sent, answered, event, end)
    )


@pytest.mark.parametrize("document", HOSTILE)
def test_hostile_answers_become_lines_without_what_they_said(document: bytes) -> None:
    assert TOKEN.value == "secret-access"
    for play in (stream(b"data: " + document + b"\n\n"), answer(document)):
        text = record(play).build_text("1.0", Redactor())
        assert "secret" not in text
        assert all(isinstance(json.loads(line), dict) for line in text.splitlines())
        assert len(text) < 50_000


def test_a_cut_answer_is_told() -> None:
    frame = b'data: {"conversation_id":"c","status":"init","parts":[]}\n\n'
    recording = record(answer(frame[:-20], b"Content-Type: text/event-stream", b"Connection: close"))
    assert rows(recording)[-1]["end"] in ("whole", "cut")


def test_a_body_without_an_end_is_held_in_bounds() -> None:
    frame = b'data: {"conversation_id":"c","status":"init","parts":[]}\n\n'
    recording = record(stream(frame * 3000), max_bytes=5000)
    told = rows(recording)
    assert told[0]["truncated"] is True
    assert len(told) < 200


def test_nothing_is_written_with_a_known_secret_in_it() -> None:
    redactor = Redactor()
    recording = record(stream())
    recording.build_text("1.0", redactor)
    redactor.keep("event-stream")
    with pytest.raises(SecretFound):
        recording.build_text("1.0", redactor)


def test_a_bearer_counts_as_known() -> None:
    recording = record(stream())
    recording.begin("POST", "/x", "backend-api", b"{}")
    with pytest.raises(SecretFound):
        recording.build_text("1.0", Redactor())
