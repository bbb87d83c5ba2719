"""Every verdict, provoked."""

from __future__ import annotations

import base64
import socket
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tests.app.doctor.conftest import CallDoctor
from tests.file_server import FileServer, page
from upstream_emulator.emulator import UpstreamEmulator

KEY = "glm-key-0123456789abcdef0123456789abcdef0123"


def test_all_is_well(call: CallDoctor, upstream: UpstreamEmulator) -> None:
    visit = call(given="demo-ann\ndemo-bob\n")
    assert (visit.code, visit.verdict) == (0, "well")
    assert not [line for line in visit.text.splitlines() if line.startswith(("FAIL", "note"))]
    assert "accepted" in visit.line("signing")
    assert {name: one["refreshes"] for name, one in upstream.state()["accounts"].items()} == {
        "ann": 1,
        "bob": 1,
    }


def test_without_tokens_nobody_is_touched(
    call: CallDoctor, upstream: UpstreamEmulator, state_path: Path
) -> None:
    visit = call()
    assert (visit.code, visit.verdict) == (0, "well")
    assert "--tokens -" in visit.line("token")
    assert upstream.state()["accounts"] == {}
    assert not state_path.parent.exists()


@pytest.mark.parametrize("fault", ["expired", "login401"])
def test_expired(call: CallDoctor, upstream: UpstreamEmulator, fault: str) -> None:
    upstream.account("bob", refresh_next=[fault] * 2)
    visit = call(given="demo-ann,demo-bob # the second\nrubbish-of-mine")
    assert visit.code == 1
    assert visit.verdict.startswith("expired (")
    assert visit.verdict.endswith(" #3)")
    assert "chatglm_refresh_token" in visit.text.splitlines()[-1]


def test_an_access_token_in_its_place(
    call: CallDoctor, upstream: UpstreamEmulator, capsys: pytest.CaptureFixture[str]
) -> None:
    access = upstream._call(
        lambda: upstream._world.accounts.mint_access_token(upstream._world.accounts.named("ann"), 60)
    )
    with pytest.raises(SystemExit):
        call(given=access)
    said = capsys.readouterr().err
    assert "is the access token (chatglm_token)" in said
    assert "cookie chatglm_refresh_token" in said
    assert access not in said


def test_a_token_that_says_when_it_ended(call: CallDoctor) -> None:
    claims = base64.urlsafe_b64encode(b'{"type": "refresh", "exp": 1700000000}').decode().rstrip("=")
    visit = call(given=f"eyJ0.{claims}.eyJ0")
    assert "ended on 2023-11-" in visit.line("token")


ACCOUNT_FAULTS = [
    ("waf400", "blocked", "hour"),
    ("throttled429", "throttled", "before 20"),
    ("html429", "throttled", "before 20"),
    ("json200", "blocked", "browser"),
    ("http500", "upstream in trouble", "try again"),
    ("html503", "upstream in trouble", "try again"),
    ("forbidden", "upstream changed", "newer version"),
    ("waf200", "upstream changed", "newer version"),
    ("hangup", "network", "curl"),
]


@pytest.mark.parametrize(("fault", "verdict", "step"), ACCOUNT_FAULTS)
def test_an_account_is_refused(
    call: CallDoctor, upstream: UpstreamEmulator, fault: str, verdict: str, step: str
) -> None:
    upstream.account("ann", refresh_next=[fault] * 2)
    visit = call(given="demo-ann\ndemo-bob\ndemo-cee")
    assert visit.code == 1
    assert visit.verdict.startswith(verdict)
    assert step in visit.text.splitlines()[-1]
    # Asking on would make it worse.
    assert "2 more were not asked" in visit.text
    assert list(upstream.state()["accounts"]) == ["ann"]


def test_a_token_that_the_upstream_quotes_is_not_repeated(call: CallDoctor) -> None:
    def answer(connection: socket.socket) -> None:
        is_token = "demo-quoted" in upstream.requests[-1]
        words = "demo-quoted is blocked" if is_token else "who is that?"
        page(b'{"status": 7, "message": "%b"}' % words.encode())(connection)

    with FileServer() as upstream:
        upstream.pages["/chatglm/user-api/user/refresh"] = answer
        visit = call(given="demo-quoted", GLM_UPSTREAM_URL=upstream.url)
    assert "[secret] is blocked" in visit.line("token")


@pytest.mark.parametrize(
    ("fault", "verdict", "check"),
    [
        ("waf400", "blocked", "signing"),
        ("waf405", "blocked", "signing"),
        ("throttled429", "throttled", "signing"),
        ("html502", "upstream in trouble", "signing"),
        ("waf200", "upstream changed", "signing"),
        ("hangup", "network", "network"),
    ],
)
def test_everybody_is_refused(
    call: CallDoctor, upstream: UpstreamEmulator, fault: str, verdict: str, check: str
) -> None:
    upstream.configure(fault=fault)
    visit = call(given="demo-ann")
    assert (visit.code, visit.verdict) == (1, verdict)
    assert visit.line(check).startswith("FAIL")
    assert "no call gets through" in visit.line("token")


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        ("busy429", "throttled"),
        ("busy", "upstream in trouble"),
        ("waf400", "blocked"),
        ("empty", "upstream changed"),
        ("waf200", "upstream changed"),
        ("cut", "network"),
        ("error-frame", "upstream changed"),
        ("stall", "network"),
        ("login401", "expired"),
    ],
)
def test_a_chat_is_refused(call: CallDoctor, upstream: UpstreamEmulator, fault: str, verdict: str) -> None:
    upstream.account("ann", next=[fault] * 2)  # the gateway asks again where a token may be dead
    visit = call("--chat", given="demo-ann", GLM_FIRST_EVENT_SECONDS="0.3")
    assert visit.code == 1
    assert visit.verdict.startswith(verdict)
    assert visit.line("chat").startswith("FAIL")
    assert visit.line("token").startswith("ok")
    assert upstream.state()["undeleted"] == 0


def test_answering_elsewhere_is_told_apart(call: CallDoctor, upstream: UpstreamEmulator) -> None:
    upstream.account("ann", next=["busy429"])
    assert "somewhere else" in call("--chat", given="demo-ann").text.splitlines()[-1]


@pytest.mark.parametrize(("offset", "direction"), [(-4000, "ahead of"), (4000, "behind"), (90, "behind")])
def test_the_clock_is_wrong(
    call: CallDoctor, upstream: UpstreamEmulator, offset: float, direction: str
) -> None:
    upstream.configure(clock_offset_seconds=offset)
    visit = call(given="demo-ann")
    assert (visit.code, visit.verdict) == (1, "clock wrong")
    words = visit.line("clock").split()
    assert abs(float(words[2]) - abs(offset)) < 30
    assert direction in visit.line("clock")
    assert "ntp" in visit.text.splitlines()[-1] or "also" in visit.text.splitlines()[-1]


def test_a_clock_that_is_a_little_off_is_noted(call: CallDoctor, upstream: UpstreamEmulator) -> None:
    upstream.configure(clock_offset_seconds=-30)
    visit = call()
    assert visit.line("clock").startswith("note")
    assert visit.code == 0


def test_a_clock_that_is_off_enough_for_signatures(
    call: CallDoctor, upstream: UpstreamEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("upstream_emulator.signing.MAX_AGE_SECONDS", 10)
    upstream.configure(clock_offset_seconds=-40)
    visit = call()
    assert visit.line("signing").startswith("FAIL")
    assert visit.verdict == "clock wrong"


def test_the_signature_is_refused(call: CallDoctor) -> None:
    visit = call(given="demo-ann", GLM_SIGN_SECRET="pass-word")
    assert (visit.code, visit.verdict) == (1, "settings wrong")
    assert "GLM_SIGN_SECRET" in visit.text.splitlines()[-1]


def test_the_way_of_signing_has_changed(call: CallDoctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("upstream_emulator.signing.SECRET", "another")
    assert call(given="demo-ann").verdict == "upstream changed"


def test_the_paths_are_gone(call: CallDoctor, upstream: UpstreamEmulator) -> None:
    visit = call(GLM_UPSTREAM_URL=f"{upstream.url}/elsewhere")
    assert visit.verdict == "upstream changed"
    assert "no such call" in visit.line("signing")


def test_an_upstream_of_2024_is_served_as_the_gateway_does(
    call: CallDoctor, upstream: UpstreamEmulator
) -> None:
    upstream.configure(era="2024")
    assert call("--chat", given="demo-ann").verdict == "well"


def test_nobody_listens(call: CallDoctor) -> None:
    visit = call(GLM_UPSTREAM_URL="http://127.0.0.1:9")
    assert (visit.code, visit.verdict) == (1, "network")
    assert "Connection refused" in visit.line("network")


def test_the_name_is_unknown(call: CallDoctor, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> NoReturn:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    visit = call(GLM_UPSTREAM_URL="https://chatglm.example")
    assert visit.verdict == "network"
    assert visit.line("network").endswith("the name chatglm.example cannot be resolved")
    assert "DNS" in visit.text


def test_the_proxy_is_away_and_its_password_stays_secret(call: CallDoctor) -> None:
    visit = call(GLM_PROXY="http://me:pass-word@127.0.0.1:9")
    assert visit.verdict == "network"
    assert "GLM_PROXY, 127.0.0.1:9, fails: Connection refused" in visit.line("network")


def test_a_proxy_that_wants_a_login(call: CallDoctor) -> None:
    with FileServer() as proxy:
        proxy.pages["chatglm.example:443"] = page(b"", status="407 Proxy Authentication Required")
        visit = call(GLM_UPSTREAM_URL="https://chatglm.example", GLM_PROXY=proxy.url)
    assert visit.line("network").endswith("Tunnel connection failed: 407 Proxy Authentication Required")


def test_nobody_answers(
    call: CallDoctor, upstream: UpstreamEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.upstream.client._CALL_SECONDS", 0.2)
    upstream.configure(fault="silence")
    visit = call()
    assert visit.verdict == "network"
    assert visit.line("network").endswith("does not answer in time")


def test_a_proxy_that_works_is_named(call: CallDoctor) -> None:
    refusal = page(b'{"status": 40103}', status="401 Unauthorized")
    with FileServer() as proxy:
        proxy.pages["http://chatglm.example/chatglm/user-api/user/refresh"] = refusal
        visit = call(GLM_UPSTREAM_URL="http://chatglm.example", GLM_PROXY=proxy.url)
    assert f"through GLM_PROXY 127.0.0.1:{proxy.port}" in visit.line("network")
    assert visit.line("clock").startswith("skip")
    assert visit.verdict == "well"


SETTINGS = [
    ({"GLM_QUEUE_SECONDS": "soon"}, "GLM_QUEUE_SECONDS"),
    ({"WEB_CONCURRENCY": "4"}, "WEB_CONCURRENCY"),
    ({"GLM_REFRESH_TOKENS": "demo-ann"}, "GATEWAY_API_KEYS"),
    ({"GATEWAY_API_KEYS": KEY, "GLM_REFRESH_TOKENS_FILE": "/nowhere"}, "GLM_REFRESH_TOKENS_FILE"),
    ({"GATEWAY_API_KEYS": "glm-key-a\nb=x"}, "GATEWAY_API_KEYS"),
]


@pytest.mark.parametrize(("variables", "word"), SETTINGS, ids=str)
def test_a_setting_is_wrong(call: CallDoctor, variables: dict[str, str], word: str) -> None:
    visit = call(**variables)
    assert (visit.code, visit.verdict) == (1, "settings wrong")
    assert word in visit.line("settings")


def test_configured_tokens_are_asked(call: CallDoctor, tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text("demo-ann\n# a comment\ndead-bob\n")
    visit = call(GATEWAY_API_KEYS=KEY, GLM_REFRESH_TOKENS_FILE=str(file))
    assert visit.verdict.startswith("expired")
    assert visit.verdict.endswith(" #2)")
    assert "gateway keys: 1, refresh tokens: 2" in visit.line("settings")


def test_only_the_share_of_this_instance_is_asked(call: CallDoctor, upstream: UpstreamEmulator) -> None:
    tokens = [f"demo-shard{number}" for number in range(8)]
    variables = {"GATEWAY_API_KEYS": KEY, "GLM_REFRESH_TOKENS": ",".join(tokens)}
    asked = []
    for number in (1, 2):
        upstream.reset()
        call(**variables, GLM_POOL_SHARD=f"{number}/2")
        asked += list(upstream.state()["accounts"])
    assert sorted(f"demo-{name}" for name in asked) == tokens
    assert "owns none" in call(
        GATEWAY_API_KEYS=KEY, GLM_REFRESH_TOKENS=tokens[0], GLM_POOL_SHARD="1/2"
    ).text + (call(GATEWAY_API_KEYS=KEY, GLM_REFRESH_TOKENS=tokens[0], GLM_POOL_SHARD="2/2").text)
