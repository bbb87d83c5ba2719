"""Protocol notes 2.2 and 2.3."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime

import pytest

from tests.upstream_emulator.client import REFRESH, STREAM, Client, chat_body, signed_headers
from upstream_emulator import signing
from upstream_emulator.emulator import UpstreamEmulator
from upstream_emulator.signing import SignatureGuard, apply_check_digit, check_digit, signature

REAL_TIMESTAMP = "1790732179905"
REAL_NONCE = "75988225830f4d93b6702dcd0a2e9baf"
REAL_SIGN = "a32ee7a2876ad44e6658475f0a7c69eb"
NOW = 1790732200.0


def guarded(now: float = NOW, /, **changes: str | None) -> int | None:
    headers: dict[str, str | None] = {
        "user-agent": "Mozilla/5.0",
        "x-device-id": "0" * 32,
        "x-app-platform": "pc",
        "x-app-version": "0.0.1",
        "x-timestamp": REAL_TIMESTAMP,
        "x-nonce": REAL_NONCE,
        "x-sign": REAL_SIGN,
    }
    headers |= {name.replace("_", "-"): value for name, value in changes.items()}
    given = {name: value for name, value in headers.items() if value is not None}
    return SignatureGuard().refusal(given, now)


def test_the_captured_signature_is_computed_and_accepted() -> None:
    assert signature(REAL_TIMESTAMP, REAL_NONCE) == REAL_SIGN
    assert check_digit(REAL_TIMESTAMP) == int(REAL_TIMESTAMP[-2])
    assert guarded() is None


def test_the_worked_example() -> None:
    assert apply_check_digit("1714380000123") == "1714380000183"
    nonce = "0123456789abcdef0123456789abcdef"
    assert signature("1714380000183", nonce) == "689acecb69784789a07f36a435adc22c"
    sign = signature("1714380000183", nonce)
    assert guarded(1714380000, x_timestamp="1714380000183", x_nonce=nonce, x_sign=sign) is None


@pytest.mark.parametrize("name", ["x_device_id", "x_app_platform", "x_app_version"])
def test_a_missing_device_header_is_40001(name: str) -> None:
    assert guarded(**{name: None}) == signing.DEVICE_MISSING == 40001


def test_device_headers_are_missed_before_the_signature() -> None:
    """A replay without any of them was answered 40001 (protocol notes 2.3)."""
    assert guarded(x_device_id=None, x_sign=None, x_nonce=None, x_timestamp=None) == 40001


def test_an_empty_device_header_is_not_a_missing_one() -> None:
    assert guarded(x_device_id="") is None


def test_a_missing_user_agent_is_40002() -> None:
    assert guarded(user_agent=None) == signing.USER_AGENT_MISSING == 40002


@pytest.mark.parametrize("name", ["x_timestamp", "x_nonce", "x_sign"])
def test_a_missing_signature_header_is_40011(name: str) -> None:
    assert guarded(**{name: None}) == signing.SIGNATURE_MISSING == 40011


@pytest.mark.parametrize(
    "changes",
    [
        {"x_sign": "0" * 32},
        {"x_sign": REAL_SIGN.upper()},
        {"x_nonce": "not-a-nonce"},
        {"x_timestamp": "1790732179", "x_sign": signature("1790732179", REAL_NONCE)},
        {"x_timestamp": "1790732179915", "x_sign": signature("1790732179915", REAL_NONCE)},
        {"x_timestamp": "١٧٩٠٧٣٢١٧٩٩٠٥"},
    ],
    ids=["wrong sign", "upper case", "odd nonce", "seconds", "no check digit", "foreign digits"],
)
def test_a_wrong_signature_is_40014(changes: dict[str, str]) -> None:
    assert guarded(**changes) == signing.SIGNATURE_INVALID == 40014


def test_a_nonce_with_dashes_is_good() -> None:
    nonce = "75988225-830f-4d93-b670-2dcd0a2e9baf"
    assert guarded(x_nonce=nonce, x_sign=signature(REAL_TIMESTAMP, nonce)) is None


@pytest.mark.parametrize(("offset", "code"), [(0, 200), (299, 200), (-299, 200), (310, 400), (-86400, 400)])
def test_its_clock_dates_answers_and_signatures(
    client: Client, upstream: UpstreamEmulator, offset: float, code: int
) -> None:
    upstream.configure(clock_offset_seconds=offset)
    reply = client.call("POST", REFRESH, {}, signed_headers("demo-ann"))
    assert reply.status == code
    date = parsedate_to_datetime(reply.headers["date"]).timestamp()
    assert abs(date - offset - time.time()) < 30


def test_only_the_last_nonces_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing, "MAX_REMEMBERED_NONCES", 2)
    guard = SignatureGuard()
    calls = [{name.lower(): value for name, value in signed_headers("").items()} for _ in range(3)]
    assert [guard.refusal(call, time.time()) for call in calls] == [None, None, None]
    assert [guard.refusal(call, time.time()) for call in reversed(calls)] == [40014, 40014, None]


def test_a_signature_is_good_once(client: Client, upstream: UpstreamEmulator) -> None:
    headers = signed_headers("demo-ann")
    assert client.call("POST", REFRESH, {}, headers).status == 200
    again = client.call("POST", REFRESH, {}, headers)
    assert (again.status, again.json["status"]) == (400, 40014)
    assert again.json == {
        "status": 40014,
        "message": "bad request",
        "result": None,
        "rid": headers["X-Request-Id"],
    }
    assert upstream.state()["refusals"] == {"40014": 1}


def test_the_stream_is_signed_except_in_2024(client: Client, upstream: UpstreamEmulator) -> None:
    headers = {"Authorization": f"Bearer {client.token}", "User-Agent": "curl"}
    assert client.call("POST", STREAM, chat_body("你好"), headers).json["status"] == 40001
    upstream.configure(era="2024")
    assert client.call("POST", STREAM, chat_body("[[text say=你好]]"), headers).text == "你好"
