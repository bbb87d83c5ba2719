"""Log lines: for people, for machines, and without secrets."""

from __future__ import annotations

import json
import logging

import pytest

from app import logs
from app.logs import redactor

SECRET = "a-refresh-token-that-nobody-may-see"


@pytest.fixture
def log() -> logging.Logger:
    redactor.learn(SECRET)
    return logging.getLogger("app.test")


def fail() -> None:
    raise ValueError(f"bad header: Bearer {SECRET}")


@pytest.mark.parametrize("line_format", ["text", "json"])
def test_a_known_secret_is_never_written(
    log: logging.Logger, line_format: str, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure("DEBUG", line_format)
    log.info("token %s", SECRET, extra={"fields": {"also": SECRET}})
    try:
        fail()
    except ValueError:
        log.exception("failed")
    written = capsys.readouterr().err
    assert SECRET not in written
    assert written.count("[secret]") >= 3
    assert "ValueError" in written


def test_json_lines_are_json(log: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO", "json")
    log.debug("not this")
    log.info("你好", extra={"fields": {"status": 200, "nothing": None}})
    entry = json.loads(capsys.readouterr().err)
    assert (entry["message"], entry["status"], entry["level"]) == ("你好", 200, "INFO")
    assert "nothing" not in entry


def test_text_lines_carry_their_fields(log: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO", "text")
    log.info("request", extra={"fields": {"status": 200, "outcome": "ok"}})
    assert capsys.readouterr().err.endswith("INFO app.test request status=200 outcome=ok\n")
