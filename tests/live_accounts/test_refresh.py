"""Refreshing under every kind of trouble, and refresh tokens that change hands."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from demo.gateway import GatewayProcess
from tests.live_accounts.asking import ask
from tests.live_accounts.conftest import StartGateway
from upstream_emulator.emulator import UpstreamEmulator


def name_of(token: str) -> str:
    return token.removeprefix("demo-")


def test_a_cold_crowd_shares_slow_refreshes(
    gateway: GatewayProcess, upstream: UpstreamEmulator, tokens: list[str]
) -> None:
    """Forty at once over five accounts that nobody has used before: one refresh each, not in parallel."""
    upstream.configure(refresh_delay_seconds=0.3)
    with ThreadPoolExecutor(40) as threads:
        answers = list(threads.map(lambda _: ask(gateway, ",".join(tokens)), range(40)))
    assert all(answer.good for answer in answers)
    accounts = upstream.state()["accounts"]
    assert {name: account["refreshes"] for name, account in accounts.items()} == {
        name_of(t): 1 for t in tokens
    }


def test_access_tokens_that_live_short_are_renewed_ahead(
    gateway: GatewayProcess, upstream: UpstreamEmulator, tokens: list[str]
) -> None:
    upstream.configure(access_life_seconds=6)
    with ThreadPoolExecutor(10) as threads:
        answers = list(
            threads.map(lambda _: ask(gateway, ",".join(tokens), "[[chunks n=5 pace=40]]"), range(150))
        )
    assert all(answer.good for answer in answers)
    state = upstream.state()
    assert state["refusals"] == {}, "an access token was used after its end"
    assert all(account["refreshes"] > 1 for account in state["accounts"].values())


@pytest.mark.parametrize("trouble", ["http500", "html502", "waf200", "throttled429"])
def test_a_flaky_refresh_is_no_death(
    gateway: GatewayProcess, upstream: UpstreamEmulator, tokens: list[str], trouble: str
) -> None:
    """Others answer meanwhile, and the account is not taken for dead."""
    upstream.account(name_of(tokens[0]), refresh_next=[trouble])
    assert ask(gateway, tokens[0]).status in (429, 502, 503)
    assert ask(gateway, ",".join(tokens[:2])).good
    if trouble != "throttled429":
        assert ask(gateway, tokens[0]).good


def test_a_token_that_dies_between_two_questions(
    gateway: GatewayProcess, upstream: UpstreamEmulator, tokens: list[str]
) -> None:
    assert ask(gateway, tokens[0]).good
    upstream.account(name_of(tokens[0]), blocked=True)
    assert ask(gateway, tokens[0]).code == "account_expired"
    assert ask(gateway, ",".join(tokens[:2])).good


def test_hard_rotation_survives_restarts_by_the_sealed_token_alone(
    start: StartGateway, upstream: UpstreamEmulator, tmp_path: Path
) -> None:
    """The token that the caller holds is dead upstream after its first use."""
    upstream.configure(rotate="hard")
    gateway = start()
    for _ in range(3):
        for _ in range(2):
            assert ask(gateway, "demo-hard").good
        gateway.kill()
        gateway = start()
    assert upstream.state()["refusals"] == {}, "the dead original was tried although a newer one was known"
    assert upstream.state()["accounts"]["hard"]["refreshes"] == 3
    gateway.kill()
    for path in tmp_path.glob("state.sqlite3*"):
        path.unlink()
    assert ask(start(), "demo-hard").code == "account_expired", "without the state file the account is lost"


def test_the_original_is_the_fall_back_once(start: StartGateway, upstream: UpstreamEmulator) -> None:
    """The newest token is refused, the original still lives."""
    upstream.configure(rotate="soft")
    gateway = start()
    assert ask(gateway, "demo-soft").good
    upstream.account("soft", refresh_next=["expired"], expire_access=True)
    assert ask(gateway, "demo-soft").good
    assert upstream.state()["refusals"]["40102"] == 1


def test_two_tokens_of_one_login_answer_in_turn(
    gateway: GatewayProcess, upstream: UpstreamEmulator, tokens: list[str]
) -> None:
    """Callers of either token, cold: nobody is refused, and the upstream never sees two at once."""
    either = [tokens[0] + ".laptop", tokens[0] + ".phone"]
    with ThreadPoolExecutor(8) as threads:
        answers = list(
            threads.map(lambda n: ask(gateway, either[n % 2], "[[chunks n=10 pace=20]]"), range(8))
        )
    assert [answer.code for answer in answers if not answer.good] == []
    assert upstream.state()["violations"] == 0
