"""Several instances behind deploy/nginx.conf: who asks whom, what is lost when one is killed, leaves, joins.

`make test-deploy ARGS="-k scale -s"` prints the figures of docs/performance.md.
"""

from __future__ import annotations

import itertools
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.accounts.account import account_key
from app.shard import Shard
from bench.analysis import analyse
from bench.load import Lane, Plan, generate
from bench.place import allow_open_files, start_upstream
from bench.request import build_chat, split_address
from tests.acceptance.control import Control
from tests.deploy.fleet import (
    CHUNKS,
    PACE_MS,
    PIECE_BYTES,
    QUESTION,
    Crowd,
    Fleet,
    Visit,
    call,
    find_owners,
    reload_nginx,
    spell,
)
from tests.deploy.front import Nginx, find_port, wait_until

STREAMS = 400
LISTS = [f"demo-scale{number}a,demo-scale{number}b" for number in range(40)]
"""Eighty accounts in disjoint lists of two."""
SINGLES, DOUBLES = LISTS[:20], LISTS[20:]
"""Callers who ask one question at a time, and callers who ask as many as they have accounts."""
ROUND = 60
"""So many answers are waited for before anything else happens."""
SETTINGS = {"GLM_CONVERSATION_TTL": "1", "GLM_DRAIN_SECONDS": "20"}


@dataclass(slots=True)
class Scene:
    """Four instances behind an nginx."""

    upstream: Control
    fleet: Fleet
    nginx: Nginx


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    allow_open_files()
    directory = tmp_path_factory.mktemp("scale")
    with start_upstream() as upstream:
        fleet = Fleet(upstream.url, directory, **SETTINGS)
        try:
            fleet.start(4)
            with Nginx(directory, fleet.instances) as nginx:
                yield Scene(Control(upstream.url), fleet, nginx)
        finally:
            fleet.close()


def test_400_streams_at_once_ask_no_account_twice(scene: Scene) -> None:
    url = scene.nginx.url
    requests = [build_chat(url, caller, "glm", QUESTION, stream=True) for caller in LISTS]
    lanes = [Lane(0.0, [request]) for request in requests * (STREAMS // len(LISTS))]
    host, port, _ = split_address(url)
    exchanges, seconds = generate(Plan(host, port, "stream", CHUNKS, PIECE_BYTES, 40, lanes))
    findings, state = analyse(exchanges, "stream", CHUNKS, PIECE_BYTES), scene.upstream.state()
    shares = sorted(Counter(find_owners(url, LISTS).values()).values())
    print(
        f"\n| {STREAMS} streams at once, {2 * len(LISTS)} accounts in {len(LISTS)} lists, spread {shares} "
        f"| {sum(findings.failures.values())} failed, {state['violations']} violations, {seconds:.1f} s "
        f"(an account has {STREAMS / 2 / len(LISTS) * CHUNKS * PACE_MS / 1e3:.1f} s to answer) |"
    )
    assert findings.failures == {}
    assert findings.answers == STREAMS
    assert state["violations"] == 0
    assert len(state["accounts"]) == 2 * len(LISTS)
    assert len(shares) == 4, "an instance had nothing to do"


def test_either_header_leads_to_the_same_owner(scene: Scene) -> None:
    """No account is asked while it answers, though its caller comes in by two headers at once."""
    url, owners = scene.nginx.url, find_owners(scene.nginx.url, LISTS)
    for caller, owner in owners.items():
        assert set(find_owners(url, spell(caller)).values()) == {owner}
    assert len(set(owners.values())) == 4
    before = scene.upstream.state()["violations"]
    crowd = Crowd(url)
    with crowd.asking([*SINGLES, *(f"x-api-key: {caller}" for caller in SINGLES)]):
        crowd.wait_for_answers(ROUND)
    assert [visit for visit in crowd.visits if visit.problem] == []
    assert scene.upstream.state()["violations"] == before


def test_a_kill_a_return_a_leave_and_a_join_lose_only_what_was_killed(scene: Scene) -> None:
    fleet, url = scene.fleet, scene.nginx.url
    crowd = Crowd(url)
    asked_before = sum(account["answers"] for account in scene.upstream.state()["accounts"].values())
    owners = [find_owners(url, LISTS)]
    killed, leaver = (address for address, _ in Counter(owners[0].values()).most_common(2))
    with crowd.asking(SINGLES + DOUBLES * 2):

        def settle() -> None:
            crowd.wait_for_answers(ROUND)
            owners.append(find_owners(url, LISTS))

        crowd.wait_for_answers(ROUND)
        crowd.wait_for_stream(killed)
        fleet.instances[killed].kill()
        killed_at = time.monotonic()
        left = fleet.list_conversations(killed)
        settle()
        returned_at = time.monotonic()
        fleet.instances[killed].start()
        settle()
        leave(scene, leaver)
        settle()
        (joined,) = fleet.start(1)
        reload_nginx(scene.nginx, fleet, [leaver])
        settle()
    moved = [find_moved(before, after) for before, after in itertools.pairwise(owners)]
    state = wait_for_deletions(scene.upstream, crowd.visits, left)
    print_losses(crowd.visits, moved, state)
    of_killed, of_leaver = (find_callers(owners[0], address) for address in (killed, leaver))
    assert moved == [of_killed, of_killed, of_leaver, find_callers(owners[-1], joined)]
    check_losses(crowd.visits, killed, (killed_at, returned_at), of_killed)
    assert (state["deleted_while_in_use"], state["internal_errors"]) == (0, 0)
    assert count_violations(state, SINGLES) == 0
    answers = sum(account["answers"] for account in state["accounts"].values())
    assert answers <= asked_before + len(crowd.visits), "a question was sent twice"


def leave(scene: Scene, address: str) -> None:
    """As docs/deploy.md says: tell it, take it out, wait until nothing is left to delete, stop it."""
    (scene.fleet.directory(address) / "drain").touch()
    assert not scene.fleet.is_ready(address)
    reload_nginx(scene.nginx, scene.fleet, [address])
    wait_until(lambda: not scene.fleet.list_conversations(address), "conversations are left")
    assert scene.fleet.instances[address].stop() == 0


def find_callers(owners: dict[str, str], address: str) -> set[str]:
    return {caller for caller, owner in owners.items() if owner == address}


def find_moved(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {caller for caller in before if before[caller] != after[caller]}


def check_losses(visits: list[Visit], killed: str, away: tuple[float, float], callers: set[str]) -> None:
    """Who lost an answer heard of it, was with the one that was killed, and was answered elsewhere then."""
    killed_at, returned_at = away
    lost = [visit for visit in visits if visit.problem]
    assert [visit for visit in lost if visit.caller not in callers or visit.begun > killed_at] == []
    assert {visit.instance for visit in lost} == {killed}
    assert any(visit.problem.startswith("cut") for visit in lost), "nothing was streamed when it was killed"
    elsewhere = {v.caller for v in visits if killed_at < v.begun < returned_at and not v.problem}
    assert {visit.caller for visit in lost} <= elsewhere, "an account does not work on the next owner"


def wait_for_deletions(upstream: Control, visits: list[Visit], left: set[str]) -> dict[str, Any]:
    """What the killed one knew of is deleted since it came back.

    It cannot know of a conversation that began upstream as it died: those callers had no answer yet.
    """
    assert left
    unheard = sum(visit.problem.startswith("HTTP") for visit in visits)

    def is_clean(state: dict[str, Any]) -> bool:
        still = {one["id"] for one in state["conversations"] if not one["deleted"]}
        return not still & left and len(still) <= unheard

    return upstream.wait_until(is_clean, 20)


def count_violations(state: dict[str, Any], lists: list[str]) -> int:
    names = [token.removeprefix("demo-") for tokens in lists for token in tokens.split(",")]
    return sum(state["accounts"][name]["violations"] for name in names)


def print_losses(visits: list[Visit], moved: list[set[str]], state: dict[str, Any]) -> None:
    lost = Counter(visit.problem.partition(":")[0] for visit in visits if visit.problem)
    answers = sum(not visit.problem for visit in visits)
    names = ("kill", "return", "leave", "join")
    shares = ", ".join(f"{name} {len(callers)}" for name, callers in zip(names, moved, strict=True))
    lanes, seconds = len(SINGLES) + 2 * len(DOUBLES), max(v.ended for v in visits) - visits[0].begun
    print(
        f"\n| {lanes} streams at a time, {seconds:.0f} s | {answers} answered; {lost['cut']} cut and "
        f"{lost.total() - lost['cut']} not begun when one was killed, no other lost; of {len(LISTS)} lists "
        f"moved: {shares}; asked while answering elsewhere: {count_violations(state, SINGLES)} by callers "
        f"with one question at a time, {count_violations(state, DOUBLES)} by callers with two; conversations "
        f"left: {state['undeleted']} |"
    )


def test_joining_and_leaving_move_only_their_share(tmp_path: Path) -> None:
    """Many callers; the instances are stand-ins, since only nginx is asked here."""
    callers = [f"demo-share{number}" for number in range(1000)]
    *four, fifth = (f"127.0.0.1:{find_port()}" for _ in range(5))
    stand_ins = "".join(f"server {{ listen {address}; return 204; }} " for address in (*four, fifth))
    leaver = four[1]
    with Nginx(tmp_path, four, more=stand_ins) as nginx:
        owners = find_owners(nginx.url, callers)
        shares = Counter(owners.values())
        nginx.reload(address + " down" * (address == leaver) for address in four)
        marked = find_owners(nginx.url, callers)
        nginx.reload(address for address in four if address != leaver)
        removed = find_owners(nginx.url, callers)
        nginx.reload([*four, fifth])
        joined = find_owners(nginx.url, callers)
    leaving, joining = find_moved(owners, marked), find_moved(owners, joined)
    print(
        f"\n| {len(callers)} callers, 4 instances with {sorted(shares.values())} | one that leaves moves "
        f"{len(leaving)}, a fifth that joins {len(joining)} |"
    )
    assert leaving == find_callers(owners, leaver)
    assert marked == removed
    assert joining == find_callers(joined, fifth)
    assert len(callers) * 0.12 < min(shares.values()) <= max(shares.values()) < len(callers) * 0.4
    assert len(callers) * 0.1 < len(joining) < len(callers) * 0.35


def test_a_question_that_was_sent_is_not_sent_again(tmp_path: Path) -> None:
    """Only one that could not be sent at all goes to the next instance."""
    deaf, alive, nobody = (f"127.0.0.1:{find_port()}" for _ in range(3))
    stand_ins = f"server {{ listen {deaf}; return 444; }} server {{ listen {alive}; return 200; }}"
    callers = [f"demo-sent{number}" for number in range(20)]
    with Nginx(tmp_path, [deaf, alive], more=stand_ins) as nginx:
        assert {post(nginx.url, caller) for caller in callers} == {(502, deaf), (200, alive)}
        nginx.reload([nobody, alive])
        assert {post(nginx.url, caller) for caller in callers} == {(200, alive)}


def post(url: str, caller: str) -> tuple[int, str]:
    status, instance, _ = call(url, "/v1/chat/completions", caller, method="POST")
    return status, instance


def test_every_configured_account_has_one_owner(scene: Scene, tmp_path: Path) -> None:
    tokens = [f"demo-shard{number}" for number in range(30)]
    keys = [f"glm-{letter * 43}" for letter in "abcdefgh"]
    (tmp_path / "tokens").write_text("\n".join(tokens))
    (tmp_path / "keys").write_text("\n".join(f"key{key[-1]}={key};admin" for key in keys))
    fleet = Fleet(
        scene.upstream.url,
        tmp_path,
        GLM_REFRESH_TOKENS_FILE=str(tmp_path / "tokens"),
        GATEWAY_API_KEYS_FILE=str(tmp_path / "keys"),
    )
    before = scene.upstream.state()["violations"]
    try:
        fleet.start(3, GLM_POOL_SHARD="{n}/3")
        with Nginx(tmp_path, fleet.instances) as nginx:
            crowd = Crowd(nginx.url)
            with crowd.asking(keys * 3):
                crowd.wait_for_answers(ROUND)
        accounts = [list_accounts(address, keys[0]) for address in fleet.instances]
    finally:
        fleet.close()
    state = scene.upstream.state()
    assert [visit for visit in crowd.visits if visit.problem] == []
    assert state["violations"] == before
    assert [set(one) for one in accounts] == [
        {account_key(token)[:8] for token in Shard(number, 3).select(tokens)} for number in (1, 2, 3)
    ]
    # Whoever answered is one of its own: what each instance says it answered adds up to what was answered.
    answered = Counter(visit.instance for visit in crowd.visits)
    assert [sum(one.values()) for one in accounts] == [answered[address] for address in fleet.instances]


def list_accounts(address: str, key: str) -> dict[str, int]:
    """The accounts of one instance, and how many replies each has given."""
    status, _, body = call(f"http://{address}", "/v1/accounts", key)
    assert status == 200
    return {account["label"]: account["replies"] for account in json.loads(body)["data"]}
