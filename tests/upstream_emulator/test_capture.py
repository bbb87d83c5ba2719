"""The captured frames: there, unharmed, and played byte for byte."""

from __future__ import annotations

import hashlib

import pytest

from tests.upstream_emulator.client import ASSISTANT, BULK_DELETE, Client, parse_frames
from upstream_emulator.capture import CAPTURES, capture_names, read_capture
from upstream_emulator.emulator import UpstreamEmulator

# A captured byte never changes: whoever changes a file has to mean it.
DIGESTS = {
    "2024-03-11-drawing-finish": "07dc3e50726beaaa",
    "2025-04-23-first": "69173d24af8d7847",
    "2026-02-10-hello": "9d2cbc815228fa9b",
    "2026-09-28-busy": "8b082efd994aa393",
    "2026-09-30-drawing": "3214571cf681ad0a",
}


def test_every_capture_is_known_and_described() -> None:
    assert set(capture_names()) == set(DIGESTS)
    readme = (CAPTURES / "README.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in readme for name in DIGESTS)


@pytest.mark.parametrize("name", DIGESTS)
def test_a_capture_is_unchanged(name: str) -> None:
    assert hashlib.sha256((CAPTURES / f"{name}.sse").read_bytes()).hexdigest()[:16] == DIGESTS[name]


@pytest.mark.parametrize("name", DIGESTS)
def test_a_capture_is_played_byte_for_byte(client: Client, name: str) -> None:
    reply = client.chat(f"[[replay {name}]]")
    assert reply.is_whole
    assert reply.body == (CAPTURES / f"{name}.sse").read_bytes()
    assert len(reply.pieces) == len(reply.frames)


def test_what_the_captures_hold() -> None:
    frames = {name: parse_frames(b"".join(read_capture(name) or [])) for name in DIGESTS}
    assert {name: len(found) for name, found in frames.items()} == {
        "2024-03-11-drawing-finish": 1,
        "2025-04-23-first": 1,
        "2026-02-10-hello": 3,
        "2026-09-28-busy": 2,
        "2026-09-30-drawing": 6,
    }
    assert frames["2024-03-11-drawing-finish"][0]["parts"][0]["content"][0]["text"].startswith(
        "这是我为您创作的"
    )
    assert frames["2025-04-23-first"][0]["meta_data"]["if_increase_push"] is False
    kinds = [frame["parts"][0]["content"][0]["type"] for frame in frames["2026-02-10-hello"]]
    assert kinds == ["think", "tool_calls", "text"]
    assert frames["2026-09-28-busy"][1]["last_error"]["code"] == "1301"


def test_a_captured_conversation_belongs_to_who_saw_it(client: Client, upstream: UpstreamEmulator) -> None:
    conversation_id = client.chat("[[replay 2026-02-10-hello]]").frames[0]["conversation_id"]
    assert client.chat("[[text say=weiter]]", conversation_id).text == "weiter"
    client.post(BULK_DELETE, {"conversation_ids": [conversation_id], "assistant_id": ASSISTANT})
    assert upstream.state()["undeleted"] == 0
    client.chat("[[replay 2026-02-10-hello]]")
    assert upstream.state()["undeleted"] == 1


@pytest.mark.parametrize("name", ["", "nothing", "../README", "2026-02-10-hello.sse"])
def test_an_unknown_capture_is_told(client: Client, name: str) -> None:
    assert "2026-02-10-hello" in client.chat(f"[[replay {name}]]").text
