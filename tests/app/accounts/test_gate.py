"""The two ways in."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from app.accounts.gate import Gate
from app.accounts.roster import Roster
from app.errors import CredentialsRejected, KeyLimited
from app.keys import generate_key, parse_keys
from app.keys.__main__ import main
from app.routes.peer import find_peer
from tests.clock import Clock

KEY = "glm-" + "k" * 43
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJ0eXBlIjoicmVmcmVzaCJ9.c2ln"


def make_gate(keys: str = "", *, pass_through: bool = True, clock: Clock | None = None) -> Gate:
    roster = Roster(("one", "two"), None)
    return Gate(parse_keys(keys), roster, pass_through=pass_through, clock=clock or Clock(0.0))


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
    assert make_gate().admit(header, "peer").refresh_tokens == tokens


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
        make_gate().admit(header, "peer")


def test_a_key_opens_the_operators_accounts() -> None:
    gate = make_gate(f"laptop={KEY}", pass_through=False)
    caller = gate.admit(f"Bearer {KEY}", "peer")
    assert caller.refresh_tokens == ("one", "two")
    assert caller.id
    assert not caller.may_see_accounts
    assert KEY not in repr(caller)
    for other in (KEY + "x", JWT, "one"):
        with pytest.raises(CredentialsRejected):
            gate.admit(f"Bearer {other}", "peer")


def test_beside_keys_only_jwts_pass() -> None:
    gate = make_gate(KEY, pass_through=True)
    assert gate.admit(f"Bearer {JWT}", "peer").refresh_tokens == (JWT,)
    with pytest.raises(CredentialsRejected):
        gate.admit("Bearer glm-mistyped", "peer")


def test_limits_of_a_key() -> None:
    clock = Clock(0.0)
    gate = make_gate(f"a={KEY};parallel=1;rpm=2;admin", clock=clock)
    first = gate.admit(f"Bearer {KEY}", "peer")
    assert first.may_see_accounts
    with pytest.raises(KeyLimited):
        gate.admit(f"Bearer {KEY}", "peer")
    gate.leave(first)
    gate.leave(gate.admit(f"Bearer {KEY}", "peer"))
    with pytest.raises(KeyLimited):
        gate.admit(f"Bearer {KEY}", "peer")
    clock.now = 61
    gate.admit(f"Bearer {KEY}", "peer")


def test_guessing_is_slowed_down_per_peer() -> None:
    gate = make_gate(KEY, pass_through=False)
    for _ in range(10):
        with pytest.raises(CredentialsRejected):
            gate.admit("Bearer glm-guess", "peer")
    with pytest.raises(KeyLimited):
        gate.admit("Bearer glm-guess", "peer")
    with pytest.raises(CredentialsRejected):
        gate.admit("Bearer glm-guess", "other")
    gate.admit(f"Bearer {KEY}", "peer")


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
    assert make_gate(entry).admit(f"Bearer {key}", "peer").key is not None
    assert main(["new", "bad label!"]) == 2


def test_a_tokens_file_is_read_again(tmp_path: Path) -> None:
    path, clock = tmp_path / "tokens", Clock(0.0)
    path.write_text("one # first\n\ntwo\n")
    roster = Roster((), str(path), clock)
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
        ("10.0.0.1", "rubbish", "rubbish"),
    ],
)
def test_only_trusted_proxies_are_believed(remote: str, forwarded: str, peer: str) -> None:
    from ipaddress import ip_network  # noqa: PLC0415

    assert find_peer(remote, forwarded, (ip_network("10.0.0.0/8"),)) == peer
