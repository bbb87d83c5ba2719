"""What the upstream says of live accounts: points left, blocked or not (protocol notes 0.2 row 20)."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.doctor import messages
from app.doctor.finding import note, ok
from app.doctor.standing import judge_standing
from tests.app.doctor.conftest import CallDoctor, Start
from upstream_emulator.emulator import UpstreamEmulator

PROFILE = "/chatglm/user-api/user/info"


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line[6:].startswith("standing ")]


def test_points_and_blocked(call: CallDoctor, upstream: UpstreamEmulator) -> None:
    """Neither makes a verdict: such an account may still answer."""
    upstream.account("bob", is_barred=True)
    visit = call(given="demo-ann,demo-ann.again,demo-bob,dead-cat")
    assert [line.split("  ")[-1] for line in lines(visit.text)] == [
        "20 points left",
        "the web chat says that it is blocked",
        "20 points left",
    ]
    assert visit.verdict.startswith("expired")
    assert upstream.state()["requests"][PROFILE] == 2, "once a login, and never of one that is dead"


def test_a_running_gateway_tells_what_it_was_told(
    call: CallDoctor, start: Start, upstream: UpstreamEmulator
) -> None:
    upstream.account("ann", is_barred=True)
    visit = call("--url", start(), given="demo-ann")
    assert len(lines(visit.text)) == 2
    assert visit.verdict == "well"


def test_an_upstream_that_does_not_say_is_no_trouble(call: CallDoctor, upstream: UpstreamEmulator) -> None:
    upstream.configure(era="2024")  # which has no such call
    assert lines(call(given="demo-ann").text) == []


def test_it_is_no_part_of_a_recording(call: CallDoctor, upstream: UpstreamEmulator, tmp_path: Path) -> None:
    call("--record", str(tmp_path / "shapes.jsonl"), given="demo-ann")
    assert PROFILE not in upstream.state()["requests"]


@pytest.mark.parametrize("points", [0, -5.0])
def test_no_points(points: float) -> None:
    """Protocol notes 0.2 row 3."""
    found = list(judge_standing("x", points, is_blocked=None))
    assert found == [note(messages.STANDING, messages.STANDING_NO_POINTS, "x")]


def test_what_nobody_knows_is_not_said() -> None:
    assert list(judge_standing("x", None, is_blocked=None)) == []
    assert list(judge_standing("x", 0.5, is_blocked=False)) == [
        ok(messages.STANDING, messages.STANDING_POINTS, "x", points=0.5)
    ]
