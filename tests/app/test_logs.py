"""Log lines: for people, for machines, and without secrets."""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from collections.abc import Iterator

import pytest

from app import logs
from app.logs import Redactor, redactor

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


def test_where_one_secret_begins_another_nothing_stays() -> None:
    known = Redactor()
    for secret in ("secret-a", "secret-a.and-more", "more-before-secret-a"):
        known.keep(secret)
    assert known.redact("x secret-a.and-more y secret-a z more-before-secret-a") == (
        "x [secret] y [secret] z [secret]"
    )


def test_words_too_short_to_be_secrets_stay() -> None:
    known = Redactor()
    known.learn("ok")
    known.learn("")
    assert known.redact("outcome=ok") == "outcome=ok"


def test_the_secrets_known_longest_unused_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_MOST_SECRETS", 3)
    known = Redactor()
    for secret in (f"a-callers-secret-{number}" for number in (1, 2, 3, 1, 4)):
        known.learn(secret)
    line = " ".join(f"a-callers-secret-{number}" for number in (1, 2, 3, 4))
    assert known.redact(line) == "[secret] a-callers-secret-2 [secret] [secret]"


def test_strangers_neither_evict_the_operators_secrets_nor_blank_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logs, "_MOST_SECRETS", 3)
    known = Redactor()
    known.keep("operator-1")
    for number in range(10):
        known.learn(f"a-strangers-bearer-{number}")
    for word in ("request", "outcome=ok", "ClientDisconnected"):
        known.learn(word)
    assert known.redact("request outcome=ok ClientDisconnected operator-1") == (
        "request outcome=ok ClientDisconnected [secret]"
    )


@pytest.mark.parametrize("secret", ['quote"in-the-secret-1', "back\\slash-in-the-secret-1"])
def test_a_secret_that_json_escapes_is_found(
    log: logging.Logger, capsys: pytest.CaptureFixture[str], secret: str
) -> None:
    redactor.learn(secret)
    logs.configure("INFO", "json")
    log.info("said %s", secret, extra={"fields": {"also": [secret.upper()], "same": secret}})
    entry = json.loads(capsys.readouterr().err)
    assert (entry["message"], entry["same"]) == ("said [secret]", "[secret]")


def test_many_secrets_do_not_make_lines_slow() -> None:
    known = Redactor()
    for number in range(10_000):
        known.learn(f"a-refresh-token-with-number-{number}")
    begun = time.process_time()
    for _ in range(20):
        known.redact("request id=0123456789abcdef path=/v1/chat/completions status=200 outcome=ok " * 3)
    assert time.process_time() - begun < 1


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
