"""A recording made from the upstream emulator in each era, played again: the same to whoever reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.errors import GatewayError
from app.core.event import CitedText, ReasoningDelta, ReplyEvent, ReplyFinished, TextDelta
from app.redaction import Redactor
from app.upstream.client import UpstreamAddress, UpstreamClient
from app.upstream.recording import Recording, RecordingClient
from app.upstream.request import StreamRequest
from tests.app.upstream.connected import SECRET
from upstream_emulator.emulator import UpstreamEmulator
from upstream_emulator.replay import BadRecording, Replay, read_recording

SCENARIOS = [
    "text",
    "think",
    "search",
    "search-e1",
    "code",
    "repeat",
    "alternate",
    "filter",
    "final-differs",
    "error-frame",
    "cut",
    "think style=snapshot",
    "search style=snapshot",
    "search style=mixed",
    "text flag=0 style=delta",
    "text flag=2",
    "text style=snapshot flag=1 dialect=2026",
    "replay 2026-09-28-busy",
    "replay 2026-02-10-hello",
]


def read_events(client: UpstreamClient, question: str) -> tuple[list[ReplyEvent], str]:
    """All events of an answer, and the code of the error that ended it."""
    tokens = client.refresh("demo-annabella")
    events: list[ReplyEvent] = []
    stream = client.open_stream(tokens.access_token, StreamRequest(question), timeout_seconds=5)
    try:
        while not stream.ended:
            events += stream.read(5) or ()
        if not stream.finished:
            stream.read(0)  # what came with the last events
    except GatewayError as error:
        return events, error.code
    finally:
        stream.close()
    return events, ""


def measure(events: list[ReplyEvent]) -> dict[str, object]:
    """What must not change: kinds, lengths in characters and bytes, citations, the finish."""
    said = "".join([event.text for event in events if isinstance(event, TextDelta | CitedText)])
    thought = "".join([event.text for event in events if isinstance(event, ReasoningDelta)])
    return {
        "kinds": [type(event).__name__ for event in events],
        "said": (len(said), len(said.encode())),
        "thought": (len(thought), len(thought.encode())),
        "cited": [event.text.partition("]")[0] for event in events if isinstance(event, CitedText)],
        "urls": len({event.url for event in events if isinstance(event, CitedText)}),
        "finish": [event.reason for event in events if isinstance(event, ReplyFinished)],
    }


@pytest.mark.parametrize("era", ["2024", "2026", "both"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_recording_replays_to_the_same(scenario: str, era: str, tmp_path: Path) -> None:
    recording = Recording()
    with UpstreamEmulator(era=era) as upstream:
        client = RecordingClient(UpstreamAddress(upstream.url, SECRET, None, 5), recording)
        events, code = read_events(client, f"[[{scenario}]]")
        client.close()
    file = tmp_path / "recording.jsonl"
    file.write_text(recording.build_text("1.0", Redactor()), "utf-8")
    said = "".join([event.text for event in events if isinstance(event, TextDelta)])
    assert not said or said not in file.read_text("utf-8")
    with UpstreamEmulator(replay=Replay(read_recording(file), paced=False)) as replayed:
        again = UpstreamClient(UpstreamAddress(replayed.url, SECRET, None, 5))
        events_again, code_again = read_events(again, "[[text]]")
        again.close()
    assert code_again == code
    assert measure(events_again) == measure(events)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"recording": 2}', '{"recording": 1}\n{"call": 1, "ms": 0, "end": "whole"}', "x"],
)
def test_what_is_no_recording_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "recording.jsonl"
    file.write_text(text, "utf-8")
    with pytest.raises(BadRecording):
        read_recording(file)
