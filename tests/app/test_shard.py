"""Accounts are split between instances: evenly, for good, and a newcomer takes its share alone."""

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path

import pytest

from app.accounts.configured_tokens import ConfiguredTokens
from app.shard import Shard, find_shard, parse_shard

TOKENS = [f"token-{number}" for number in range(10_000)]


@pytest.mark.parametrize("count", [1, 2, 4, 7])
def test_the_shares_are_alike_and_no_token_has_two_owners(count: int) -> None:
    shares = [Shard(number, count).select(TOKENS) for number in range(1, count + 1)]
    assert sorted(token for share in shares for token in share) == sorted(TOKENS)
    assert max(map(len, shares)) <= 1.1 * len(TOKENS) / count
    assert min(map(len, shares)) >= 0.9 * len(TOKENS) / count


def test_the_owner_never_changes() -> None:
    # Written down: instances of different releases must agree while they are exchanged one by one.
    assert [find_shard(token, 4) for token in TOKENS[:12]] == [2, 4, 2, 1, 3, 1, 2, 4, 2, 4, 2, 1]


@pytest.mark.parametrize("count", [1, 3, 8])
def test_a_newcomer_takes_its_share_and_moves_nothing_else(count: int) -> None:
    moves = Counter(
        (before, after)
        for token in TOKENS
        if (before := find_shard(token, count)) != (after := find_shard(token, count + 1))
    )
    assert {after for _, after in moves} == {count + 1}
    assert sum(moves.values()) == pytest.approx(len(TOKENS) / (count + 1), rel=0.1)


@pytest.mark.parametrize("text", ["", "1", "0/4", "5/4", "1/0", "-1/4", "1/4/4", "1/1025", "a/b", "1 / 4"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="NUMBER/COUNT"):
        parse_shard(text)


def test_only_the_own_share_is_in_the_roster_also_when_the_file_changes(tmp_path: Path) -> None:
    path, now = tmp_path / "tokens", [0.0]
    path.write_text("\n".join(TOKENS[:20]))
    rosters = [ConfiguredTokens(("given",), str(path), lambda: now[0], shard=Shard(n, 2)) for n in (1, 2)]
    assert sorted(token for roster in rosters for token in roster.tokens()) == sorted(["given", *TOKENS[:20]])
    path.write_text("\n".join(TOKENS[:60]))
    now[0] = 2.0
    first, second = (set(roster.tokens()) for roster in rosters)
    assert (first & second, len(first | second)) == (set(), 61)


def test_an_instance_without_accounts_says_so(caplog: pytest.LogCaptureFixture) -> None:
    (number,) = (number for number in (1, 2) if number != find_shard("token-0", 2))
    with caplog.at_level(logging.WARNING):
        assert ConfiguredTokens(("token-0",), None, shard=Shard(number, 2)).tokens() == ()
    assert f"{number}/2" in caplog.text
