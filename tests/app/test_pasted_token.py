"""What people paste for a refresh token: mended where it can be, else named, and never quoted."""

from __future__ import annotations

import base64
import json
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import pasted_token
from app.auth_token import MAX_TOKEN_CHARS
from app.pasted_token import MistakenToken, parse_tokens
from app.redaction import MAX_LEARNT_CHARS


def jwt(**claims: object) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJIUzI1NiJ9.{payload}.c2lnbmF0dXJl"


TOKEN = jwt(type="refresh", exp=2_000_000_000, is_guest=False)
ACCESS = jwt(type="access", exp=2_000_000_000)
VISITOR = jwt(type="refresh", exp=2_000_000_000, is_guest=True)
COOKIES = (
    f"_ga=GS1.1,7; acw_tc=ab12; chatglm_token={ACCESS}; chatglm_user_id=6982; "
    f"sensorsdata2015=%7B%22a%22%2C%22b%22%7D; chatglm_refresh_token={TOKEN}; "
    "chatglm_token_expires=2026-11-28%2012:00"
)
AROUND = [
    *["{}", " {}\t", '"{}"', "'{}'", "`{}`", "“{}”", "\ufeff{}", "\u200b{}\u200b", "{},", "{};", "{} # mine"],
    *[
        "Bearer {}",
        "bearer Bearer {}",
        'Bearer "{}"',
        '"Bearer {}"',
        "Authorization: Bearer {}",
        "# 第一个\n{}",
    ],
    *["chatglm_refresh_token={}", "chatglm_refresh_token: {}", 'chatglm_refresh_token="{}"'],
    *['{{"chatglm_refresh_token":"{}"}}', "chatglm_refresh_token\t{}\t.chatglm.cn\t/"],
    *["Cookie: chatglm_refresh_token={}; a=b", "a=b; chatglm_refresh_token={}"],
]


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("token", [TOKEN, "demo-ann"])
def test_what_stands_around_a_token_is_taken_off(around: str, token: str) -> None:
    assert parse_tokens(around.format(token)) == (token,)


def test_a_whole_cookie_line_is_the_one_token_in_it() -> None:
    for line in (COOKIES, f"Cookie: {COOKIES}", f"{COOKIES}\r\n", f'"{COOKIES}"'):
        assert parse_tokens(line) == (TOKEN,)
    assert parse_tokens(f"{COOKIES}\n{COOKIES.replace(TOKEN, 'demo-bob')}\ndemo-eve") == (
        TOKEN,
        "demo-bob",
        "demo-eve",
    )


@given(
    separator=st.sampled_from(
        [",", "，", "、", ";", "；", "%2C", "%2c", "%3B", "\n", "\r\n", " , ", "%0A", ",,\n"]
    ),
    around=st.sampled_from(["{}", '"{}"', " {} ", "chatglm_refresh_token={}", "Bearer {}"]),
    count=st.integers(1, 9),
)
def test_every_separator_separates(separator: str, around: str, count: int) -> None:
    tokens = tuple(f"demo-{n}" for n in range(count))
    assert parse_tokens(separator.join(map(around.format, tokens))) == tokens


@pytest.mark.parametrize("text", ["", " ", ",", "# all of it", "\ufeff", "Bearer", '""', ";;"])
def test_nothing_is_nothing(text: str) -> None:
    assert parse_tokens(text) == ()


MISTAKES = [
    (ACCESS, pasted_token.ACCESS),
    (f"chatglm_token={ACCESS}", pasted_token.ACCESS),
    (VISITOR, pasted_token.VISITOR),
    (f"chatglm_refresh_token={VISITOR}", pasted_token.VISITOR),
    (jwt(id="6f1c", email="a@b.example"), pasted_token.OTHER_SITE),
    ("acw_tc=secret; other=secret", pasted_token.NO_COOKIE),
    ("chatglm_user_id=secret", pasted_token.NO_COOKIE),
    ("glm-" + "k" * 43, pasted_token.GATEWAY_KEY),
    ("sk-secretsecretsecret", pasted_token.OTHER_KEY),
    ("0123456789abcdef" * 2 + ".Secret0Secret0Se", pasted_token.OTHER_KEY),
    ("REFRESH_TOKEN", pasted_token.PLACEHOLDER),
    ("YOUR_TOKEN", pasted_token.PLACEHOLDER),
    ("<refresh token>", pasted_token.PLACEHOLDER),
    ("chatglm_refresh_token", pasted_token.PLACEHOLDER),
    ("secret 我的账号", pasted_token.ODD),
    ("two words", pasted_token.ODD),
    ("tok\u200ben", pasted_token.ODD),
    ("x" * 9000, pasted_token.TOO_LONG),
    ("x" * 4000 + "我的账号" * 2000, pasted_token.TOO_LONG),
]


def test_what_is_too_long_is_said_to_be() -> None:
    """Whatever characters it holds. The log knows every token whole."""
    assert MAX_TOKEN_CHARS <= MAX_LEARNT_CHARS
    assert parse_tokens("x" * 8192) == ("x" * 8192,)
    with pytest.raises(MistakenToken, match=r"longer than a token can be \(8192 characters\)"):
        parse_tokens("x" * 8193)


@pytest.mark.parametrize(("text", "mistake"), MISTAKES)
def test_a_mistake_is_named_and_not_quoted(text: str, mistake: pasted_token.Mistake) -> None:
    for pasted in (text, f"demo-ann,{text}", f'Bearer "{text}"'):
        with pytest.raises(MistakenToken) as raised:
            parse_tokens(pasted)
        assert raised.value.mistake == mistake
        assert raised.value.args == (str(raised.value),)
        assert "secret" not in str(raised.value).lower()
        assert "eyJ" not in str(raised.value)


@pytest.mark.parametrize(
    "token",
    ["demo-ann", "a.b.c", "dG9rZW4=", "token-of-mine", "eyJ.x", jwt(sub="1"), jwt(exp=1, id="1", email="a")],
)
def test_tokens_of_any_form_pass(token: str) -> None:
    assert parse_tokens(token) == (token,)


@given(st.text(max_size=300))
def test_no_text_breaks_it(text: str) -> None:
    try:
        tokens = parse_tokens(text)
    except MistakenToken:
        return
    assert all(token.isascii() and " " not in token for token in tokens)


@pytest.mark.parametrize(
    "piece",
    [
        "a,",
        "Bearer ",
        "chatglm_refresh_token=",
        "chatglm_refresh_token ",
        '"',
        "%2C",
        "; ",
        "a=b;",
        "authorization:",
    ],
)
def test_no_text_makes_it_slow(piece: str) -> None:
    text = piece * (190_000 // len(piece))
    begun_at = time.thread_time()
    with suppress(MistakenToken):
        parse_tokens(text)
    assert time.thread_time() - begun_at < 0.5
