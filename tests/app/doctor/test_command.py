"""The command: its exit codes, what it may be given, and how it speaks."""

from __future__ import annotations

import io
import json
import os
import re
import resource
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from app.accounts.account import State
from app.catalogue.message import Message
from app.doctor import advice, command, machine, messages
from app.doctor.finding import Finding, Mark, Verdict, conclude, fail, note, ok
from app.doctor.report import choose_language, print_report
from tests.app.doctor.conftest import SECRETS, CallDoctor

MESSAGES = {
    f"{module.__name__}.{name}": value
    for module in (messages, advice)
    for name, value in vars(module).items()
    if isinstance(value, Message)
}
PLACE = re.compile(r"\{(\w+)[^}]*\}")


@pytest.mark.parametrize("message", MESSAGES.values(), ids=list(MESSAGES))
def test_both_languages_say_the_same(message: Message) -> None:
    assert set(PLACE.findall(message.en)) == set(PLACE.findall(message.zh))


def test_no_message_is_said_by_nobody() -> None:
    sources = "".join(path.read_text("utf-8") for path in Path(messages.__file__).parent.glob("*.py"))
    unused = [name for name in MESSAGES if len(re.findall(rf"\b{name.rpartition('.')[2]}\b", sources)) < 2]
    assert unused == []


def test_every_verdict_has_a_name_and_a_next_step() -> None:
    assert set(messages.TITLES) == set(advice.USUAL) == set(Verdict)
    assert set(messages.MARKS) == set(Mark)
    assert set(messages.ACCOUNT_STATES) == set(get_args(State))


def test_what_explains_the_rest_is_said_first() -> None:
    findings = [
        ok(messages.CHAT, messages.TOKEN_ALIVE),
        fail(messages.TOKEN, Verdict.EXPIRED, messages.TOKEN_REFUSED),
        fail(messages.SIGNING, Verdict.CHANGED, messages.TOKEN_REFUSED),
        fail(messages.CLOCK, Verdict.CLOCK, messages.TOKEN_REFUSED),
        note(messages.CHAT, messages.TOKEN_ALIVE),
    ]
    assert conclude(findings) is findings[3]
    assert conclude([findings[0], findings[4]]) is None


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_TW", "LC_MESSAGES": "C"}, "en"),
        ({"LANG": "de_DE", "LC_MESSAGES": "", "LC_ALL": "zh"}, "zh"),
    ],
)
def test_the_locale_chooses_the_language(environ: dict[str, str], language: str) -> None:
    assert choose_language(environ) == language


def test_chinese(call: CallDoctor) -> None:
    text = call(given="dead-ann", LANG="zh_CN.UTF-8").text
    assert "结论：令牌失效" in text
    assert "verdict" not in text


def test_json(call: CallDoctor) -> None:
    visit = call("--json", given="demo-ann\ndead-bob", LANG="zh_CN.UTF-8")
    report = json.loads(visit.text)
    assert (visit.code, report["verdict"]) == (1, "expired")
    marks = [(one["check"], one["mark"], one["verdict"]) for one in report["checks"]]
    assert ("token", "ok", None) in marks
    assert ("token", "fail", "expired") in marks
    assert set(report) == {"verdict", "advice", "checks"}
    assert json.loads(call("--json").text)["verdict"] == "well"


@pytest.mark.parametrize(
    "arguments",
    [
        ["demo-secret-token"],
        ["--token=demo-secret-token"],
        ["--tokens", "demo-secret-token"],
        ["--tokens", "/"],
        ["--tokens"],
        ["--url", "127.0.0.1:8000"],
        ["--url", "http://127.0.0.1:demo-"],
        ["--url", "file:///etc/passwd"],
    ],
    ids=" ".join,
)
def test_a_wrong_command_is_2_and_repeats_no_token(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        command.main(arguments)
    assert end.value.code == 2
    said = capsys.readouterr()
    assert [secret for secret in SECRETS if secret in said.out + said.err] == []
    assert "--help" in said.err or "usage" in said.err


@pytest.mark.parametrize(
    "given", ["", " \n# nothing\n", "glm-key-aaaaaa glm", "demo-a b", "glm-key-1\nglm-key-2", "demo-é"]
)
def test_credentials_that_make_no_sense(
    given: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(given))
    with pytest.raises(SystemExit) as end:
        command.main(["--tokens", "-"])
    assert end.value.code == 2
    assert [secret for secret in SECRETS if secret in capsys.readouterr().err] == []


def test_tokens_from_a_file(call: CallDoctor, tmp_path: Path) -> None:
    file = tmp_path / "mine"
    file.write_text("demo-ann\n")
    assert call("--tokens", str(file)).line("token").endswith("alive")


def test_at_a_terminal_they_are_asked_for_without_echo(
    monkeypatch: pytest.MonkeyPatch, call: CallDoctor
) -> None:
    monkeypatch.setattr("getpass.getpass", lambda prompt: "demo-ann")
    monkeypatch.setattr(sys, "stdin", terminal := io.StringIO())
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    assert call("--tokens", "-").line("token").endswith("alive")


def test_colours_only_where_asked_for() -> None:
    findings = [
        fail(messages.CLOCK, Verdict.CLOCK, messages.CLOCK_WRONG, seconds=3, direction=messages.AHEAD)
    ]
    for colours in (False, True):
        print_report(findings, out := io.StringIO(), "en", colours=colours)
        assert ("\x1b[" in out.getvalue()) is colours


def test_other_verdicts_are_named_too() -> None:
    findings = [
        fail(messages.TOKEN, Verdict.EXPIRED, messages.TOKEN_REFUSED, None, "a", site="x"),
        fail(messages.TOKEN, Verdict.THROTTLED, messages.TOKEN_REFUSED, None, "b", site="x"),
    ]
    assert not print_report(findings, out := io.StringIO(), "en", colours=False)
    assert out.getvalue().splitlines()[-3].startswith("verdict: expired (a)")
    assert out.getvalue().splitlines()[-1] == "also: throttled"


def test_what_others_say_begins_no_line_and_steers_no_terminal() -> None:
    hostile: dict[str, object] = {"reason": "a\nFAIL\x1b[2Jb\u2028c\u202ed"}
    finding = Finding(messages.TOKEN, Mark.FAIL, messages.REASON, hostile, "x\r", Verdict.BUSY)
    print_report([finding], out := io.StringIO(), "en", colours=False)
    lines = out.getvalue().split("\n")
    assert lines[0] == "FAIL  token x         a FAIL [2Jb c d"
    assert lines[2] == "verdict: upstream in trouble (x )"


def write_lock(directory: Path, *pins: str) -> Path:
    (directory / "requirements.txt").write_text("".join(f"{pin} \\\n    --hash=x\n" for pin in pins))
    return directory


def test_packages_are_compared(tmp_path: Path) -> None:
    assert machine.check_packages().mark is Mark.OK
    assert machine.check_packages(tmp_path).mark is Mark.SKIP
    other = machine.check_packages(write_lock(tmp_path, "flask==0.1", "gunicorn[gevent]==0.2"))
    assert other.mark is Mark.NOTE
    assert "flask" in str(other.values["names"])
    assert "(0.2)" in str(other.values["names"])
    missing = machine.check_packages(write_lock(tmp_path, "no-such-package==1"))
    assert (missing.verdict, missing.values["names"]) == (Verdict.MACHINE, "no-such-package")
    pins = ("only-elsewhere==1 ; sys_platform == 'win32'",)
    assert machine.check_packages(write_lock(tmp_path, *pins)).mark is Mark.OK


def test_few_files_are_noted(call: CallDoctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (256, 1200))
    visit = call()
    assert visit.line("server").startswith("note")
    assert "about 500 answers" in visit.line("server")
    assert call(GLM_MAX_STREAMS="500").line("server").startswith("ok")


@pytest.mark.parametrize(
    ("bind", "url"),
    [
        ("0.0.0.0:80", "http://127.0.0.1:80"),
        ("[::]:80", "http://127.0.0.1:80"),
        ("[fd00::1]:80", "http://[fd00::1]:80"),
        ("gateway:8000", "http://gateway:8000"),
    ],
)
def test_where_the_gateway_would_be(bind: str, url: str) -> None:
    assert machine.guess_url({"bind": bind}) == url


def test_a_reader_that_has_seen_enough() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    environ = {"PATH": os.environ["PATH"], "GLM_UPSTREAM_URL": "http://127.0.0.1:9"}
    command = [sys.executable, "-m", "app.doctor"]
    run = subprocess.run(
        command,
        cwd=machine.ROOT,
        env=environ,
        stdout=writing,
        stderr=subprocess.PIPE,
        timeout=50,
        check=False,
    )
    os.close(writing)
    assert (run.returncode, run.stderr) == (1, b"")
