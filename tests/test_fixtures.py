"""The fixtures themselves: complete, well-formed, and captured frames still as they were captured."""

from __future__ import annotations

import hashlib
import json
import re
from random import Random

import pytest

from tests.fixture_table import FRAMES, Fixture, cuttings, load_expectations, load_fixture, load_fixtures

FIXTURES = load_fixtures()
KEYS = {"conversation_id", "text", "reasoning", "finish", "error", "note"}
ERRORS = {"cut", "empty", "busy", "auth", "blocked", "upstream_error", "invalid"}
SMALL_BYTES = 8192

# These are about data that is not JSON, or is not JSON line by line.
NOT_JSON = {
    "end-cut-first-event",
    "end-cut-in-character",
    "end-cut-in-event",
    "end-garbage-after-finish",
    "end-not-json-after-finish",
    "error-not-json",
    "unicode-half-character-in-frame",
    "unicode-invalid-utf8",
    "wire-crlf-many-lines",
    "wire-data-many-lines",
    "wire-done",
    "wire-empty-data",
}
# Deep enough that every supported Python refuses it, which takes its bytes.
LARGE = {"error-deep-nesting"}

# Transcribed a second time from the protocol notes (4.4, 4.9 h), apart from the fixtures.
LAST_FRAME_2024 = "e5b2b6a04793f684013de34b87e5c4cd750e51b224d15e29fd11a3c6ad9e527d"
FIRST_FRAME_2025 = "1b32181da8b4c6478737f2fa2588fd3027b818c389a60d515a5a422c980e411f"
TEXT_2026 = "664180b20711deb14bc9d23f68cd68464faf616e1e1570881fda6f588cf67c94"
THINK_2026 = "c7f522849cef8777fc4122297577798726a8b9e7fac61f7f554879b8a6d0306a"
TOOL_2026 = "af2f62e3464bbf92ff52b3fadaedf953290f35b56d70790acdad71385334c6ff"
HEAD_2026 = "1c1102f0b358c075bd9442f4953e1166a5cfe5bd7405f874fb2bf7ea66d8bacf"
BUSY_2026 = "853374a9d640250c00c5d354a0bbb4674a95c801b581e05a9d14d2515b64d80a"
REAL_FRAMES = {
    "real-2024-03-text-finish": [LAST_FRAME_2024],
    "real-2025-04-first": [FIRST_FRAME_2025],
    "real-2026-02-text-finish": [TEXT_2026],
    "real-2026-02-think": [THINK_2026],
    "real-2026-02-tool-finish": [TOOL_2026],
    "real-2026-02-sequence": [THINK_2026, TOOL_2026, TEXT_2026],
    "real-2026-09-head": [HEAD_2026],
    "real-2026-09-busy": [HEAD_2026, BUSY_2026],
    "transcript-h": [HEAD_2026, BUSY_2026],
}
REAL_BODIES = {
    "real-body-guest": "e706913398711bad5576e55010413aaafb3073d3ce0f2f4d05087227f479aa1d",
    "real-body-too-long": "2d6ebbbf2b28a0f4612a4f01b5692789b68af7a8a71a548bb3ee5f551ccfcd9e",
    "real-body-validation-error": "5986486437d1eac5b9f701291d1b727649fa830d7a4aeca691d1d7ffa3675760",
}
REAL_METADATA_ITEM = "a73e946f054c0758fdbfbeed1fd42edd253414301ef5969382d1a7d2a9c70c68"


def data_lines(data: bytes) -> list[bytes]:
    lines = re.split(rb"\r\n|\r|\n", data.removeprefix(b"\xef\xbb\xbf"))
    return [line.removeprefix(b"data:").lstrip(b" ") for line in lines if line.startswith(b"data:")]


def checksum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_every_stream_has_an_expectation_and_the_other_way_round() -> None:
    assert {path.stem for path in FRAMES.glob("*.sse")} == set(load_expectations())


def test_nothing_else_lies_there() -> None:
    assert {path.suffix for path in FRAMES.iterdir() if path.name != "expected.json"} == {".sse"}


def test_expectations_stand_in_order() -> None:
    names = list(load_expectations())
    assert names == sorted(names)


@pytest.mark.parametrize("fixture", FIXTURES, ids=str)
def test_expectation_is_whole(fixture: Fixture) -> None:
    assert set(load_expectations()[fixture.name]) == KEYS
    assert re.fullmatch(r"[a-z0-9-]+", fixture.name)
    assert (fixture.finish is None) == (fixture.error is not None)
    assert fixture.finish in {None, "stop", "content_filter"}
    assert fixture.error is None or fixture.error in ERRORS
    assert fixture.note.endswith(".")


@pytest.mark.parametrize("fixture", FIXTURES, ids=str)
def test_stream_is_small(fixture: Fixture) -> None:
    assert len(fixture.data) <= SMALL_BYTES or fixture.name in LARGE


@pytest.mark.parametrize("fixture", FIXTURES, ids=str)
def test_conversation_id_stands_in_the_bytes(fixture: Fixture) -> None:
    if fixture.conversation_id is not None:
        assert re.fullmatch(r"[0-9a-f]{24}", fixture.conversation_id)
        assert fixture.conversation_id.encode() in fixture.data


@pytest.mark.parametrize("fixture", [f for f in FIXTURES if f.name not in NOT_JSON | LARGE], ids=str)
def test_data_is_json(fixture: Fixture) -> None:
    for line in data_lines(fixture.data):
        json.loads(line)


@pytest.mark.parametrize("name", sorted(NOT_JSON))
def test_the_exceptions_are_exceptions(name: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT012 - any line may be the one
        for line in data_lines(load_fixture(name).data):
            json.loads(line)


@pytest.mark.parametrize(("name", "checksums"), REAL_FRAMES.items())
def test_captured_frames_are_untouched(name: str, checksums: list[str]) -> None:
    assert [checksum(line) for line in data_lines(load_fixture(name).data)] == checksums


@pytest.mark.parametrize(("name", "expected"), REAL_BODIES.items())
def test_captured_bodies_are_untouched(name: str, expected: str) -> None:
    assert checksum(load_fixture(name).data) == expected


def test_captured_search_result_is_untouched() -> None:
    items = re.findall(rb'\{"type":"webpage"[^}]*\}', load_fixture("real-metadata-list-item").data)
    assert [checksum(item) for item in items] == [REAL_METADATA_ITEM]


def test_every_real_fixture_has_a_checksum() -> None:
    named = {fixture.name for fixture in FIXTURES if fixture.name.startswith("real-")}
    assert named <= {*REAL_FRAMES, *REAL_BODIES, "real-metadata-list-item"}


def test_cuttings_keep_every_byte() -> None:
    data = bytes(range(256))
    pieces = list(cuttings(data, Random(1)))
    assert pieces[0] == [data]
    assert len(pieces[1]) == len(data)
    assert len(pieces) > 2
    assert all(b"".join(cutting) == data for cutting in pieces)
