"""`--record`: one question as shapes in a new file, or a line that says why there is none."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from app.command import main as call_command
from app.exchange.recorder import SMALL_QUESTION
from tests.app.doctor.conftest import SECRETS, CallDoctor
from upstream_emulator.emulator import UpstreamEmulator


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "shapes.jsonl"


@pytest.mark.parametrize("era", ["2024", "2026", "both"])
def test_one_question_of_the_first_account(
    call: CallDoctor, upstream: UpstreamEmulator, file: Path, era: str
) -> None:
    upstream.configure(era=era, rotate="soft")
    visit = call("--record", str(file), given="demo-annabella\ndemo-bob", GLM_LANGUAGE="en")
    assert visit.code == 0, visit.text
    assert "shapes, no words" in visit.line("record")
    text = file.read_text("utf-8")
    assert [secret for secret in (*SECRETS, "annabella", SMALL_QUESTION) if secret in text] == []
    paths = [row["sent"]["path"] for row in map(json.loads, text.splitlines()) if "sent" in row]
    assert any(path.endswith("user/refresh") for path in paths)
    assert any(path.endswith("assistant/stream") for path in paths)
    assert set(upstream.state()["accounts"]) == {"annabella"}
    assert upstream.state()["undeleted"] == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_refusal_is_recorded_too(call: CallDoctor, upstream: UpstreamEmulator, file: Path) -> None:
    upstream.account("annabella", next=["error-frame"])
    visit = call("--record", str(file), given="demo-annabella", GLM_LANGUAGE="en")
    assert visit.code == 1
    assert "not answered" in visit.line("record")
    assert '"last_error"' in file.read_text("utf-8")


def test_nothing_is_asked_of_nobody(call: CallDoctor, file: Path) -> None:
    visit = call("--record", str(file), GLM_LANGUAGE="en")
    assert "nothing to record" in visit.line("record")
    assert not file.exists()


def test_no_file_is_written_over(call: CallDoctor, upstream: UpstreamEmulator, file: Path) -> None:
    file.write_text("mine")
    with pytest.raises(SystemExit):
        call("--record", str(file), given="demo-annabella")
    assert file.read_text() == "mine"
    assert upstream.state()["requests"] == {}


@pytest.mark.parametrize("other", [["--tools"], ["--url", "http://127.0.0.1:9"]])
def test_what_would_not_be_recorded_is_refused(call: CallDoctor, file: Path, other: list[str]) -> None:
    with pytest.raises(SystemExit):
        call("--record", str(file), *other, given="demo-annabella")
    assert not file.exists()


def test_a_place_that_is_not_there(call: CallDoctor, tmp_path: Path) -> None:
    visit = call("--record", str(tmp_path / "no" / "x"), given="demo-annabella", GLM_LANGUAGE="en")
    assert visit.code == 1
    assert "No such file" in visit.line("record")


def test_a_known_secret_keeps_it_from_being_written(call: CallDoctor, file: Path) -> None:
    """As far as is known nothing lets one in; should a word of the format be one, there is no file."""
    visit = call("--record", str(file), given="demo-annabella", GLM_SIGN_SECRET="conversation_id")
    assert visit.code == 1
    assert not file.exists()


def test_the_command_wants_a_file_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert call_command(["record", "--tokens"]) == 2
    assert "expected FILE" in capsys.readouterr().err
