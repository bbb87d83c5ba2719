"""Secrets in every spelling; who can make whose forgotten; and what all that costs."""

from __future__ import annotations

import base64
import json
import random
import secrets
import string
import time
from urllib.parse import quote

import pytest

from app.auth_token import parse_access_token
from app.redaction import Redactor, redactor
from tests.spelling import SPELLINGS, percent, shows

HEADER = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').decode().rstrip("=")


def make_token(claims: str = "", signature_bytes: int = 32) -> str:
    """A JWT as the upstream's are, whose claims begin like everybody's."""
    payload = f'{{"fresh":false,"iat":1764280000,"jti":"{secrets.token_hex(16)}","type":"refresh"{claims}}}'
    segments = (payload.encode(), secrets.token_bytes(signature_bytes))
    return ".".join([HEADER, *(base64.urlsafe_b64encode(one).decode().rstrip("=") for one in segments)])


TOKEN = make_token()
METRICS_KEY = "metrics+key/" + secrets.token_urlsafe(12)


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("kind", ["keep", "accept", "learn", "hold"])
def test_no_spelling_comes_out(kind: str, spelling: str) -> None:
    known = Redactor()
    getattr(known, kind)(TOKEN)
    spelt = SPELLINGS[spelling](TOKEN)
    shown = known.redact(f"bad token: {spelt}. Try again")
    assert "[secret]" in shown
    assert not shows(shown, spelt.removeprefix("theupstreamsays").removeprefix("authorization:bearer"))
    assert shown.startswith("bad token: ")
    assert shown.endswith(" Try again")


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_spelling_of_the_operators_keys_comes_out(spelling: str) -> None:
    known = Redactor()
    known.keep(METRICS_KEY)
    spelt = SPELLINGS[spelling](METRICS_KEY)
    shown = known.redact(f"<{spelt}>")
    assert "[secret]" in shown
    assert not shows(shown, spelt.removeprefix("theupstreamsays").removeprefix("authorization:bearer"))


@pytest.mark.parametrize("kind", ["keep", "accept", "learn", "hold"])
def test_the_parts_of_a_token(kind: str) -> None:
    """Payload and signature are secrets, each alone; the header is the same for everybody, and stays."""
    known = Redactor()
    getattr(known, kind)(TOKEN)
    header, payload, signature = TOKEN.split(".")
    assert known.redact(f"payload {payload}") == "payload [secret]"
    assert known.redact(f"signature {signature.upper()}") == "signature [secret]"
    assert known.redact(f"header {header}") == f"header {header}"
    assert known.redact(f"other {HEADER}.e30.{'A' * 43}") == f"other {HEADER}.e30.{'A' * 43}"


@pytest.mark.parametrize("kind", ["keep", "accept"])
@pytest.mark.parametrize(
    "spelling", ["plain", "upper case", "URL-encoded throughout", "split by blanks", "base64"]
)
def test_what_the_upstream_cut_is_known_as_well(kind: str, spelling: str) -> None:
    known = Redactor()
    getattr(known, kind)(TOKEN)
    for begin, end in ((0, 120), (70, 110), (len(TOKEN) - 40, len(TOKEN))):
        spelt = SPELLINGS[spelling](TOKEN[begin:end])
        shown = known.redact(f"token {spelt}...")
        assert "[secret]" in shown, (begin, end)
        assert not shows(shown, spelt, 24)


def test_words_are_redacted_before_they_are_cut() -> None:
    known = Redactor()
    known.accept(TOKEN)
    for before in range(0, 220, 7):
        shown = known.quote("x" * before + TOKEN, 200)
        assert len(shown) <= 200
        assert not shows(shown.removeprefix("x" * before), TOKEN)
    percent_encoded = percent(TOKEN, 1)
    assert not shows(known.quote(percent_encoded, 200), percent_encoded)


def test_foreign_words_without_end_cost_what_is_shown_of_them() -> None:
    known = Redactor()
    known.keep(METRICS_KEY)
    begun = time.thread_time()
    known.quote("%41" * 5_000_000, 200)
    assert time.thread_time() - begun < 0.5


def test_other_words_stay() -> None:
    known = Redactor()
    known.accept(TOKEN)
    known.keep(METRICS_KEY)
    known.learn(make_token())
    for text in (
        "请求过于频繁，请稍后再试 100% \\o/ &#20320; %E4%BD%A0",
        "The upstream refuses the refresh token of account 0a1b2c3d. Log in again for a new one.",
        'File "/app/accounts/refresh.py", line 104, in _run\n    token = self._exchange(account)',
        "\ud800 lone, and \\ud83d\\ude00 a pair",
        base64.b64encode(bytes(range(256))).decode(),
    ):
        assert known.redact(text) == text


def test_where_one_secret_begins_another_nothing_stays() -> None:
    known = Redactor()
    for secret in ("secret-a", "secret-a.and-more", "more-before-secret-a"):
        known.keep(secret)
    assert known.redact("x secret-a.and-more y secret-a z more-before-secret-a") == (
        "x [secret] y [secret] z [secret]"
    )


def test_a_secret_behind_what_looks_like_an_escape() -> None:
    known = Redactor()
    known.keep("never-to-be-seen-1")
    known.keep("41-percent-and-more")
    assert known.redact("\\never-to-be-seen-1 %41-percent-and-more") == "\\[secret] %[secret]"


@pytest.mark.parametrize("password", ["p\u00e4ssw\u00f6rd-1", "\u4f60\u597d\u4f60\u597d\u4f60\u597d"])
def test_secrets_beyond_ascii(password: str) -> None:
    known = Redactor()
    known.keep(password)
    for spelt in (password, quote(password), json.dumps(password)):
        assert "[secret]" in known.redact(f"a {spelt} b"), spelt


def test_words_too_short_to_be_secrets_stay() -> None:
    known = Redactor()
    for word in ("ok", "", "ClientDisconnected", "short-1"):
        known.learn(word)
        known.accept(word)
        known.hold(word)
    assert known.redact("outcome=ok ClientDisconnected short-1") == "outcome=ok ClientDisconnected short-1"


def test_strangers_cannot_blank_what_others_write() -> None:
    """Words with blanks between them stay, whatever is sent that reads like them without."""
    known = Redactor()
    for planted in (
        "unexpected1failure2in",
        'File"/app/reply.py",line12,in',
        "a.traceback1.call2",
        "the.upstream.says",
    ):
        known.learn(planted)
        known.hold(planted)
    text = 'unexpected1 failure2 in File "/app/reply.py", line 12, in the. upstream. says'
    assert known.redact(text) == text


def test_what_a_request_brings_is_known_while_it_runs() -> None:
    known = Redactor()
    long = make_token() + secrets.token_urlsafe(50_000)
    hold = known.hold(f"Bearer {long},\"{TOKEN}\", 'another-token-17'")
    shown = known.redact(f"{long} {TOKEN} another-token-17")
    assert set(shown) <= set("[secret] ")
    hold.release()
    hold.release()
    assert known.redact(f"{TOKEN} another-token-17") == "[secret] [secret]", "a while longer"
    assert long[8300:9000] in known.redact(long), "what is long is not"
    assert known._remembered_chars < 1000


def test_what_shall_be_forgotten_is() -> None:
    known = Redactor()
    hold = known.hold(f"Bearer {TOKEN}")
    hold.forget()
    assert known.redact(TOKEN) == "[secret]"
    del hold
    assert known.redact(TOKEN) == TOKEN
    assert len(known._index) == 0


def test_two_requests_with_one_token() -> None:
    known = Redactor()
    first, second = known.hold(TOKEN), known.hold(TOKEN)
    first.release()
    assert known.redact(TOKEN) == "[secret]"
    known.learn(TOKEN)
    second.forget()
    second.release()
    assert known.redact(TOKEN) == "[secret]", "it was learnt"


def test_nothing_long_is_learnt_and_the_sum_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redactor, "_MAX_REMEMBERED_CHARS", 100)
    known = Redactor()
    known.learn("glm-" + "1A" * 4095)
    assert len(known._index) == 0
    many = [f"a-callers-secret-of-thirty-{number:03}" for number in range(50)]
    for secret in many:
        known.learn(secret)
    assert [known.redact(secret) for secret in many[-3:]] == ["[secret]"] * 3
    assert known.redact(many[0]) == many[0]
    assert sum(map(len, known._remembered)) <= 100
    known.learn(many[-3])
    known.learn(many[0])
    assert known.redact(many[-3]) == "[secret]", "the latest stay"


def test_strangers_push_nothing_real_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redactor, "_MAX_REMEMBERED_CHARS", 10_000)
    known = Redactor()
    known.keep(METRICS_KEY)
    known.accept(TOKEN)
    running = known.hold(rolled := make_token())
    for number in range(3000):
        known.learn(f"{TOKEN[:-20]}{number:020}")
        known.learn(f"{number:020}{TOKEN[-20:]}")
        known.hold(f"Bearer {number:020}{METRICS_KEY[-16:]}").release()
        known.learn(f"{number:020}{rolled[-12:]}")
    assert known.redact(f"{METRICS_KEY} {TOKEN} {rolled}") == "[secret] [secret] [secret]"
    running.release()


def test_accepted_secrets_are_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redactor, "_MAX_ACCEPTED_CHARS", 1000)
    known = Redactor()
    tokens = [make_token() for _ in range(20)]
    for token in tokens:
        known.accept(token)
        known.learn(tokens[0])  # used again, which keeps it
    assert known.redact(tokens[0]) == known.redact(tokens[-1]) == "[secret]"
    # Its claims are partly everybody's, and its signature may begin as another one does.
    assert tokens[1].rpartition(".")[2][4:] in known.redact(tokens[1])
    assert sum(map(len, known._accepted)) <= 1000


def test_what_has_left_leaves_nothing() -> None:
    known = Redactor()
    holds = [known.hold(",".join(make_token() for _ in range(20))) for _ in range(20)]
    for hold in holds:
        hold.forget()
        hold.release()
    assert (len(known._index), len(known._callers)) == (0, 0)


def test_the_cost_of_a_line_does_not_grow_with_the_secrets() -> None:
    """Thousands of strangers' and of real ones: hardly more than with one."""
    line = "request id=0123456789abcdef0123456789abcdef path=/v1/chat/completions status=200 outcome=ok"
    few, many = Redactor(), Redactor()
    for known, count in ((few, 1), (many, 3000)):
        for number in range(count):
            known.learn(f"a-refresh-token-with-number-{number}")
            known.accept(make_token())
            known.hold(f"{''.join(random.choices(string.ascii_letters, k=60))}{number}")
    assert measure(many, line) < 3 * measure(few, line) + 0.002


def measure(known: Redactor, line: str) -> float:
    """CPU seconds of the thread for a hundred lines, the least of five."""
    taken = []
    for _ in range(5):
        begun = time.thread_time()
        for _ in range(100):
            known.redact(line)
        taken.append(time.thread_time() - begun)
    return min(taken)


def test_a_hostile_text_costs_in_proportion_to_its_length() -> None:
    known = Redactor()
    known.accept(TOKEN)
    for _ in range(20):
        known.accept(make_token())
    gram = TOKEN[60:86]
    short, long = (gram + "!") * 10, (gram + "!") * 100
    assert measure(known, long) < 30 * measure(known, short) + 0.01


def test_tokens_are_as_the_upstreams() -> None:
    assert parse_access_token(TOKEN, now=0.0).expires_at == 3600
