"""Who may come in, how often, and with what a header may hold; under real gunicorn."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import pytest

from demo.gateway import GatewayProcess
from tests.eventually import eventually
from tests.live.conftest import count_asked
from tests.live_accounts.asking import ask, call
from tests.live_accounts.conftest import StartGateway
from tests.raw_client import RawClient, open_chat
from upstream_emulator.emulator import UpstreamEmulator

REFRESH_PATH = "/chatglm/user-api/user/refresh"
ADMIN_KEY = "glm-key-" + "a" * 40
GUEST_KEY = "glm-key-" + "g" * 40
WRONG_KEY = "glm-key-" + "w" * 40
KEYS = f"ops={ADMIN_KEY};admin,guest=sha256:{hashlib.sha256(GUEST_KEY.encode()).hexdigest()}"


def send_raw(gateway: GatewayProcess, head: bytes) -> bytes:
    """What comes back for a head that no HTTP library would send."""
    with RawClient(gateway.url) as client:
        client.send_raw(b"GET /v1/accounts HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + head + b"\r\n")
        return client.read_to_end()


def test_a_header_of_64_kilobytes(start: StartGateway, upstream: UpstreamEmulator) -> None:
    """Two hundred tokens as long as real ones, of which the last lives: a request may try its whole list."""
    gateway = start()
    dead = [f"dead-{number:03}." + "x" * 310 for number in range(199)]
    header = ",".join([*dead, "demo-last"])
    assert 62_000 < len(header) < 65_536
    assert ask(gateway, header).good
    accounts = call(gateway, "GET", "/v1/accounts", header).json()["data"]
    assert len(accounts) == 200
    assert accounts[-1]["replies"] == 1
    assert upstream.state()["requests"][REFRESH_PATH] <= 200
    assert ask(gateway, header).good, "the others rest beside it"
    assert upstream.state()["requests"][REFRESH_PATH] <= 200
    stranger = ask(gateway, "dead-of-somebody-else")
    assert (stranger.status, stranger.code) == (429, "rate_limit_exceeded")


def test_more_than_that_is_refused(gateway: GatewayProcess) -> None:
    too_many = ",".join(f"demo-{number}" for number in range(201))
    answer = call(gateway, "GET", "/v1/accounts", too_many)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")
    assert b" 431 " in send_raw(gateway, b"Authorization: Bearer " + b"x" * 70_000 + b"\r\n")[:30]


def test_blanks_and_repetitions_are_one_account(gateway: GatewayProcess, tokens: list[str]) -> None:
    one, two, *_ = tokens
    accounts = call(gateway, "GET", "/v1/accounts", f" {one} ,, {two},{one} ,").json()["data"]
    assert len(accounts) == 2
    assert len({account["label"] for account in accounts}) == 2


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"Authorization: Bearer demo-a\r\n ,demo-b\r\n", b" 400 "),
        (b"Authorization: Bearer demo-a\nX: y\r\n", b" 400 "),
        (b"Authorization: Bearer demo-a\r,demo-b\r\n", b" 400 "),
        (b"Authorization: Bearer demo-\x00a\r\n", b" 400 "),
        (b"Authorization : Bearer demo-a\r\n", b" 400 "),
        ("Authorization: Bearer demo-é\r\n".encode(), b" 401 "),
        ("Authorization: Bearer 令牌\r\n".encode(), b" 401 "),
        (b"Authorization: Bearer demo-a demo-b\r\n", b" 401 "),
        (b"Authorization: Bearer demo-\x7fa\r\n", b" 400 "),
    ],
)
def test_what_no_header_may_hold(
    gateway: GatewayProcess, upstream: UpstreamEmulator, head: bytes, status: bytes
) -> None:
    """Refused, and nothing of it travels upstream."""
    assert status in send_raw(gateway, head)[:30]
    assert count_asked(upstream) == {}


def test_keys(start: StartGateway, upstream: UpstreamEmulator) -> None:
    gateway = start(GLM_REFRESH_TOKENS="demo-a,demo-b", GATEWAY_API_KEYS=KEYS)
    assert ask(gateway, ADMIN_KEY).good
    assert ask(gateway, GUEST_KEY, stream=True).good
    asked = count_asked(upstream)
    for stranger in (WRONG_KEY, "demo-a", "eyJh.eyJz.sig"):
        refused = ask(gateway, stranger)
        assert (refused.status, refused.code) == (401, "invalid_api_key")
    assert count_asked(upstream) == asked, "no mistyped key travels upstream"
    assert len(call(gateway, "GET", "/v1/accounts", ADMIN_KEY).json()["data"]) == 2
    assert call(gateway, "GET", "/v1/accounts", GUEST_KEY).status_code == 403
    body = {"token": "demo-a"}
    assert call(gateway, "POST", "/token/check", body=body).status_code == 401
    assert call(gateway, "POST", "/token/check", GUEST_KEY, body).json() == {"live": True}


def test_guessing_keys_is_slowed_down_by_address(start: StartGateway) -> None:
    gateway = start(
        GLM_REFRESH_TOKENS="demo-a",
        GATEWAY_API_KEYS=KEYS,
        TRUSTED_PROXIES="127.0.0.0/8",
        GLM_PASS_THROUGH="0",
    )
    guesser, other = {"X-Forwarded-For": "203.0.113.7"}, {"X-Forwarded-For": "203.0.113.8"}
    begun = time.monotonic()
    guesses = [ask(gateway, WRONG_KEY, headers=guesser) for _ in range(12)]
    assert time.monotonic() - begun < 8, "a wrong key is refused at once"
    assert [guess.status for guess in guesses] == [401] * 10 + [429] * 2
    assert 50 < guesses[-1].retry_after <= 60
    assert ask(gateway, WRONG_KEY, headers=other).status == 401
    assert ask(gateway, ADMIN_KEY, headers=guesser).good, "the right key is let in all the same"


def test_limits_of_a_key(start: StartGateway) -> None:
    keys = f"one={ADMIN_KEY};parallel=1,few={GUEST_KEY};rpm=2"
    gateway = start(GLM_REFRESH_TOKENS="demo-a,demo-b,demo-c", GATEWAY_API_KEYS=keys)
    running = open_chat(gateway.url, ADMIN_KEY, "[[chunks n=5000 pace=20]]", stream=True)
    running.read_until(b'"content"')
    refused = ask(gateway, ADMIN_KEY)
    assert (refused.status, refused.code, refused.retry_after) == (429, "rate_limit_exceeded", 1)
    running.close()
    eventually(lambda: ask(gateway, ADMIN_KEY).good)
    assert [ask(gateway, GUEST_KEY).status for _ in range(3)] == [200, 200, 429]


def test_the_tokens_file_may_change_under_a_running_answer(
    start: StartGateway, upstream: UpstreamEmulator, tmp_path: Path
) -> None:
    path = tmp_path / "tokens.txt"
    path.write_text("demo-old  # the first one\n")
    gateway = start(GLM_REFRESH_TOKENS_FILE=str(path), GATEWAY_API_KEYS=KEYS)
    running = open_chat(gateway.url, ADMIN_KEY, "[[chunks n=150 pace=20]]", stream=True)
    running.read_until(b'"content"')
    path.write_text("# moved\ndemo-new\n\n")
    eventually(lambda: ask(gateway, ADMIN_KEY).good)
    assert b"[DONE]" in running.read_until(b"[DONE]")
    running.close()
    assert len(call(gateway, "GET", "/v1/accounts", ADMIN_KEY).json()["data"]) == 1
    path.unlink()
    eventually(lambda: "cannot be read" in gateway.log() or not ask(gateway, ADMIN_KEY).good)
    assert ask(gateway, ADMIN_KEY).good, "a file that is gone leaves the tokens of before"
    accounts = upstream.state()["accounts"]
    assert {"old", "new"} <= accounts.keys()
