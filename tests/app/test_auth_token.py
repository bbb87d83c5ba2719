"""Tokens as values: read where they say something, careful where they do not, never shown."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest

from app.auth_token import AccessToken, RefreshedTokens, parse_access_token, read_expiry, read_owner_claims

NOW = 1_790_000_000.0
DEVICE = "0123456789abcdef0123456789abcdef"


def make_jwt(claims: Any, *, padding: bool = False) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode()
    return f"eyJhbGciOiJIUzI1NiJ9.{payload if padding else payload.rstrip('=')}.c2lnbmF0dXJl"


@pytest.mark.parametrize("padding", [False, True])
@pytest.mark.parametrize("extra", ["", "x", "xx", "xxx", "用户_你好"])
def test_life_and_device_are_read(extra: str, *, padding: bool) -> None:
    """The nickname gives the payload every possible length, with and without padding."""
    value = make_jwt({"exp": NOW + 60, "device_id": DEVICE, "sub": extra, "uid": "u"}, padding=padding)
    assert parse_access_token(value, now=NOW) == AccessToken(value, NOW + 60, DEVICE)
    assert read_expiry(value) == NOW + 60


OPAQUE = [
    "opaque",
    "",
    "a.b",
    "a.b.c.d",
    "a.%%%.c",
    "a.b.c",
    "a.é.c",
    make_jwt([1]),
    make_jwt("text"),
    make_jwt({"exp": "soon"}),
    make_jwt({"device_id": 5}),
    "a." + base64.urlsafe_b64encode(b"\xff\xfe").decode() + ".c",
    "a." + base64.urlsafe_b64encode(b'{"exp":' + b"[" * 100_000).decode() + ".c",
]


@pytest.mark.parametrize("value", OPAQUE, ids=range(len(OPAQUE)))
def test_what_cannot_be_read_gets_careful_defaults(value: str) -> None:
    token = parse_access_token(value, now=NOW)
    assert token.expires_at == NOW + 3600
    assert token.device_id == hashlib.md5(value.encode(), usedforsecurity=False).hexdigest()
    assert read_expiry(value) is None


def test_one_missing_claim_does_not_spoil_the_other() -> None:
    assert parse_access_token(make_jwt({"exp": NOW + 5}), now=NOW).expires_at == NOW + 5
    assert parse_access_token(make_jwt({"device_id": DEVICE}), now=NOW).device_id == DEVICE


def test_a_device_is_the_same_each_time() -> None:
    assert parse_access_token("opaque", now=NOW).device_id == parse_access_token("opaque", now=0).device_id


def test_nothing_secret_is_shown() -> None:
    tokens = RefreshedTokens(AccessToken("secret-access", NOW, DEVICE), "secret-refresh", "secret-user")
    for shown in (repr(tokens), str(tokens), f"{tokens.access_token!r}"):
        assert "secret" not in shown
        assert DEVICE not in shown


@pytest.mark.parametrize(
    ("value", "expected"),
    [(make_jwt({"type": "access"}), True), (make_jwt({"type": "refresh"}), False), ("opaque", False)],
)
def test_what_kind_a_token_says_it_is(value: str, *, expected: bool) -> None:
    assert read_owner_claims(value).is_access is expected
