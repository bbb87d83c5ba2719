"""Log lines: for people, for machines, and without secrets."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterator

import pytest

from app import logs
from app.logs import redactor

SECRET = "a-refresh-token-that-nobody-may-see"


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    redactor.learn(SECRET)
    loggers = [logging.getLogger(name) for name in ("app", "gunicorn.error")]
    before = [(one.handlers, one.filters, one.level, one.propagate) for one in loggers]
    yield logging.getLogger("app.test")
    for one, was in zip(loggers, before, strict=True):
        one.handlers, one.filters, one.level, one.propagate = was


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


@pytest.mark.parametrize("secret", ['quote"in-the-secret-1', "back\\slash-in-the-secret-1"])
def test_a_secret_that_json_escapes_is_found(
    log: logging.Logger, capsys: pytest.CaptureFixture[str], secret: str
) -> None:
    redactor.learn(secret)
    logs.configure("INFO", "json")
    log.info("said %s", secret, extra={"fields": {"also": [secret.upper()], "same": secret}})
    entry = json.loads(capsys.readouterr().err)
    assert (entry["message"], entry["same"]) == ("said [secret]", "[secret]")


@pytest.mark.parametrize("line_format", ["text", "json"])
def test_causes_are_redacted_too(
    log: logging.Logger, line_format: str, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure("INFO", line_format)
    try:
        try:
            fail()
        except ValueError as exc:
            raise RuntimeError({"headers": [SECRET]}) from exc
    except RuntimeError as exc:
        log.error("failed", exc_info=exc)
    written = capsys.readouterr().err
    assert SECRET not in written
    assert "ValueError" in written
    assert "RuntimeError" in written


def test_a_json_line_is_one_line_whatever_is_said(
    log: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure("INFO", "json")
    log.info("two\nlines\r\x00 %s", object, extra={"fields": {"odd": object, "time": "later"}})
    written = capsys.readouterr().err
    assert written.count("\n") == 1
    assert json.loads(written)["odd"] == "<class 'object'>"


def test_configuring_twice_writes_once(log: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO", "json")
    logs.configure("WARNING", "text")
    log.info("not this")
    log.warning("once")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ WARNING app.test once\n", capsys.readouterr().err)


def test_the_addresses_of_files_are_not_logged(log: logging.Logger) -> None:
    logs.configure("DEBUG", "text")
    assert not logging.getLogger("urllib3.connection").isEnabledFor(logging.WARNING)


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("Invalid request from ip=1.2.3.4: Invalid HTTP Header: 'AUTHORIZATION BEARER X'",
         "Invalid request from ip=1.2.3.4: Invalid HTTP Header: ..."),
        ('Invalid request from ip=1.2.3.4: Invalid HTTP request line: "GET /it\'s?X"',
         "Invalid request from ip=1.2.3.4: Invalid HTTP request line: ..."),
        ("Error handling request GET /v1/models?key=X", "Error handling request GET /v1/models..."),
        ("Worker exiting (pid: 7)", "Worker exiting (pid: 7)"),
    ],
)  # fmt: skip
def test_the_server_quotes_nobody(
    log: logging.Logger, capsys: pytest.CaptureFixture[str], said: str, written: str
) -> None:
    """What it could not read may hold a secret that nobody has learnt yet."""
    logs.configure("INFO", "text")
    logging.getLogger("gunicorn.error").warning("%s", said)
    assert capsys.readouterr().err.endswith(f" WARNING gunicorn.error {written}\n")


def test_what_is_written_past_the_log_is_redacted_too(
    log: logging.Logger, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stderr", sys.stderr)  # undone afterwards
    logs.guard_stderr()
    try:
        fail()
    except ValueError as exc:
        sys.excepthook(ValueError, exc, exc.__traceback__)
    written = capsys.readouterr().err
    assert "ValueError: bad header: Bearer [secret]" in written
    assert SECRET not in written
    assert sys.stderr.isatty() is False


FORGED = "2026-11-27T00:00:00Z ERROR app.state forged"
BREAKS = ["\r\n", *"\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029\x00\x9b", "\x1b[2K"]
TURNS = [chr(code) for code in (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))]


@pytest.mark.parametrize("line_format", ["text", "json"])
@pytest.mark.parametrize("odd", [*BREAKS, *TURNS, "\ud800"], ids=ascii)
def test_nobody_writes_lines_of_their_own(
    log: logging.Logger, line_format: str, capsys: pytest.CaptureFixture[str], odd: str
) -> None:
    """In the message, in a field, in what is raised: no line is begun, and no screen turned or wiped."""
    logs.configure("INFO", line_format)
    said = f"a{odd}{FORGED}"
    try:
        raise ValueError(said)
    except ValueError:
        log.exception("conversation %s", said, extra={"fields": {"id": said}})
    written = capsys.readouterr().err
    lines = written.splitlines()
    assert [line for line in lines if line.startswith(FORGED)] == []
    assert all(line.startswith("  ") for line in lines[1:]), "a traceback is indented"
    assert all(character == "\n" or character.isprintable() for character in written)
    assert written.count("forged") >= 3
    if line_format == "json":
        assert json.loads(written)["id"] == said


def test_a_long_message_is_cut(log: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO", "json")
    log.info("%s%s", SECRET, "x" * 1_000_000)
    written = capsys.readouterr().err
    assert len(written) < 40_000
    assert "1000035 characters" in written
    assert SECRET not in written
