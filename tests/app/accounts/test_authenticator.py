"""The two ways in."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

import pytest

from app.accounts.authenticator import Authenticator
from app.accounts.configured_tokens import ConfiguredTokens
from app.core.errors import CredentialsRejected, KeyLimited
from app.keys import generate_key, parse_keys
from app.keys.__main__ import main
from app.logs import redactor
from app.routes.peer import find_peer
from tests.clock import Clock

KEY = "glm-" + "k" * 43
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJ0eXBlIjoicmVmcmVzaCJ9.c2ln"


METRICS_KEY = "Metrics/key+of-24-letters"
PASSWORD = "pass-7"


def make_gate(keys: str = "", *, pass_through: bool = True, clock: Clock | None = None) -> Authenticator:
    roster = ConfiguredTokens(("one", "two"), None)
    return Authenticator(
        parse_keys(keys),
        roster,
        pass_through=pass_through,
        own_secrets=(METRICS_KEY, PASSWORD),
        clock=clock or Clock(0.0),
    )


@pytest.mark.parametrize(
    ("header", "tokens"),
    [
        ("Bearer a", ("a",)),
        ("bearer  a,b", ("a", "b")),
        ("Bearer a, b ,,a", ("a", "b")),
        ("Bearer " + ",".join(f"t{n}" for n in range(200)), tuple(f"t{n}" for n in range(200))),
    ],
)
def test_tokens_pass_through(header: str, tokens: tuple[str, ...]) -> None:
    assert make_gate().authenticate(header, "peer").refresh_tokens == tokens


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ,",
        "Basic a",
        "Bearer a b",
        "Bearer d\xe9",
        "Bearer a\r\nX: y",
        "Bearer " + "x" * 9000,
        "Bearer " + ",".join(f"t{n}" for n in range(201)),
    ],
)
def test_what_is_no_token_is_refused(header: str) -> None:
    with pytest.raises(CredentialsRejected):
        make_gate().authenticate(header, "peer")


def test_a_key_opens_the_operators_accounts() -> None:
    gate = make_gate(f"laptop={KEY}", pass_through=False)
    caller = gate.authenticate(f"Bearer {KEY}", "peer")
    assert caller.refresh_tokens == ("one", "two")
    assert caller.id
    assert not caller.may_see_accounts
    assert KEY not in repr(caller)
    for other in (KEY + "x", JWT, "one"):
        with pytest.raises(CredentialsRejected):
            gate.authenticate(f"Bearer {other}", "peer")


def test_beside_keys_only_jwts_pass() -> None:
    gate = make_gate(KEY, pass_through=True)
    assert gate.authenticate(f"Bearer {JWT}", "peer").refresh_tokens == (JWT,)
    with pytest.raises(CredentialsRejected):
        gate.authenticate("Bearer glm-mistyped", "peer")


def test_limits_of_a_key() -> None:
    clock = Clock(0.0)
    gate = make_gate(f"a={KEY};parallel=1;rpm=2;admin", clock=clock)
    first = gate.authenticate(f"Bearer {KEY}", "peer")
    assert first.may_see_accounts
    with pytest.raises(KeyLimited):
        gate.authenticate(f"Bearer {KEY}", "peer")
    gate.leave(first)
    gate.leave(gate.authenticate(f"Bearer {KEY}", "peer"))
    with pytest.raises(KeyLimited):
        gate.authenticate(f"Bearer {KEY}", "peer")
    clock.now = 61
    gate.authenticate(f"Bearer {KEY}", "peer")


def test_guessing_is_slowed_down_per_peer() -> None:
    gate = make_gate(KEY, pass_through=False)
    for _ in range(10):
        with pytest.raises(CredentialsRejected):
            gate.authenticate("Bearer glm-guess", "peer")
    with pytest.raises(KeyLimited):
        gate.authenticate("Bearer glm-guess", "peer")
    with pytest.raises(CredentialsRejected):
        gate.authenticate("Bearer glm-guess", "other")
    gate.authenticate(f"Bearer {KEY}", "peer")


@pytest.mark.parametrize(
    "text", ["plain", "a=sha256:12", f"a={KEY};speed=1", f"a={KEY};rpm=0", f"{KEY},{KEY}"]
)
def test_a_wrong_entry_is_refused_without_quoting_it(text: str) -> None:
    with pytest.raises(ValueError, match=r"entry|twice") as raised:
        parse_keys(text)
    assert KEY not in str(raised.value)


def test_the_command_prints_nothing_else() -> None:
    made = subprocess.run(
        [sys.executable, "-m", "app.keys", "new", "x"], capture_output=True, text=True, check=True
    )
    assert (made.stderr, len(made.stdout.splitlines())) == ("", 2)


def test_a_new_key_fits_its_entry(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "laptop"]) == 0
    printed = capsys.readouterr().out
    key = printed.split("): ")[1].split()[0]
    entry = printed.split("GATEWAY_API_KEYS: ")[1].strip()
    assert len(generate_key()) == len(key) > 43
    assert make_gate(entry).authenticate(f"Bearer {key}", "peer").key is not None
    assert main(["new", "bad label!"]) == 2


def test_a_tokens_file_is_read_again(tmp_path: Path) -> None:
    path, clock = tmp_path / "tokens", Clock(0.0)
    path.write_text("one # first\n\ntwo\n")
    roster = ConfiguredTokens((), str(path), clock)
    assert roster.tokens() == ("one", "two")
    path.write_text("three\n")
    assert roster.tokens() == ("one", "two")
    clock.now += 2
    assert roster.tokens() == ("three",)
    path.unlink()
    clock.now += 2
    assert roster.tokens() == ("three",)


@pytest.mark.parametrize(
    ("remote", "forwarded", "peer"),
    [
        ("9.9.9.9", "1.1.1.1", "9.9.9.9"),
        ("10.0.0.1", "1.1.1.1", "1.1.1.1"),
        ("10.0.0.1", "6.6.6.6, 1.1.1.1, 10.0.0.2", "1.1.1.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.7:40001", "203.0.113.7"),
        ("10.0.0.1", '"203.0.113.7:40001"', "203.0.113.7"),
        ("10.0.0.1", "2001:db8::1", "2001:db8::1"),
        ("10.0.0.1", "[2001:DB8:0::1]:443", "2001:db8::1"),
        ("10.0.0.1", "[2001:db8::1]", "2001:db8::1"),
        ("10.0.0.1", "fe80::1%eth0", "fe80::1"),
        ("10.0.0.1", "::ffff:203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "1.1.1.1, 10.0.0.2:8080", "1.1.1.1"),
        # What is no address is nobody, and hides whoever is claimed before it.
        ("10.0.0.1", "rubbish", "10.0.0.1"),
        ("10.0.0.1", "1.1.1.1, _hidden", "10.0.0.1"),
        ("10.0.0.1", "unknown, 10.0.0.2:99", "10.0.0.2"),
        ("10.0.0.1", "1.1.1.1:", "10.0.0.1"),
        ("10.0.0.1", "1.1.1.1:x", "10.0.0.1"),
        ("10.0.0.1", "[::1", "10.0.0.1"),
        ("10.0.0.1", "1" * 5000, "10.0.0.1"),
    ],
)
def test_only_trusted_proxies_are_believed(remote: str, forwarded: str, peer: str) -> None:
    from ipaddress import ip_network  # noqa: PLC0415

    assert find_peer(remote, forwarded, (ip_network("10.0.0.0/8"),)) == peer


@pytest.mark.parametrize("odd", ["\xa0{}", "{}\xa0", "\x85{}", "{}\x1f", "\u2003{}", "\x0b{}", "{}\x0c"])
@pytest.mark.parametrize("with_scheme", [True, False])
def test_a_key_is_compared_exactly(odd: str, with_scheme: bool) -> None:
    """HTTP's own blanks may stand around it, and nothing else that Python takes for one."""
    gate = make_gate(f"a={KEY}", pass_through=False)
    header = f"Bearer {odd.format(KEY)}" if with_scheme else odd.format(f"Bearer {KEY}")
    with pytest.raises(CredentialsRejected):
        gate.authenticate(header, "peer")
    assert gate.authenticate(f" Bearer \t {KEY} ", "peer").key is not None


OWN = {
    "alone": METRICS_KEY,
    "behind a token": f"{JWT},{METRICS_KEY}",
    "before a token": f"{METRICS_KEY},{JWT}",
    "among many": ",".join([*(f"t{n}" for n in range(100)), METRICS_KEY]),
    "in quotes": f'"{METRICS_KEY}"',
    "with a name": f"METRICS_KEY={METRICS_KEY}",
    "URL-encoded": f"x,{quote(METRICS_KEY, safe='')}",
    "in another case": f"x,{METRICS_KEY.upper()}",
    "with blanks in it": f"x,{METRICS_KEY[:9]} {METRICS_KEY[9:]}",
}


@pytest.mark.parametrize("value", OWN.values(), ids=OWN)
def test_the_operators_secrets_are_nobodys_tokens(value: str) -> None:
    for gate in (make_gate(), make_gate(KEY, pass_through=True)):
        with pytest.raises(CredentialsRejected) as raised:
            gate.authenticate(f"Bearer {value}", "peer")
        assert METRICS_KEY not in raised.value.message
    with pytest.raises(CredentialsRejected, match="METRICS_KEY"):
        make_gate().parse_tokens(value)


@pytest.mark.parametrize(
    "value", [KEY, f"x,{KEY}", f'x,"{KEY}"', f"x,key={KEY}", "x,glm-mistyped-" + "k" * 30]
)
def test_gateway_keys_are_nobodys_tokens(value: str) -> None:
    """Not even where this gateway has none, as another one may."""
    for gate in (make_gate(), make_gate(KEY)):
        with pytest.raises(CredentialsRejected, match="gateway key"):
            gate.parse_tokens(value)


def test_tokens_that_look_a_little_like_secrets_pass() -> None:
    """A short password is none that could be told from a token, nor shall it be guessed by trying."""
    tokens = (f"{JWT}-glm-{'k' * 30}", f"{PASSWORD}-and-more", METRICS_KEY[:-1], PASSWORD)
    assert make_gate().parse_tokens(", ".join(tokens)) == tokens


def test_who_passes_through_is_counted_by_address() -> None:
    assert make_gate().authenticate("Bearer a", "peer", counted_peer="peer").peer == "peer"
    assert make_gate().authenticate("Bearer a", "peer").peer is None
    assert make_gate(KEY).authenticate(f"Bearer {KEY}", "peer", counted_peer="peer").peer is None


@pytest.mark.parametrize("odd", ["%41", "a b ", "\\u0041", "&#x41;", "a,", '"', "glm-", "%"])
def test_a_long_header_costs_little(odd: str) -> None:
    """Whatever it is made of: strangers send it, and the event loop stands still meanwhile."""
    gate, text = make_gate(), odd * (65_000 // len(odd))
    begun = time.thread_time()
    with contextlib.suppress(CredentialsRejected):
        gate.authenticate(f"Bearer {text}", "peer")
    redactor.hold(text).release()
    assert time.thread_time() - begun < 0.1


def test_a_list_beyond_all_measure_is_not_looked_at() -> None:
    begun = time.thread_time()
    with pytest.raises(CredentialsRejected, match="too long"):
        make_gate().parse_tokens("%41 " * 10_000_000)
    assert time.thread_time() - begun < 0.5
