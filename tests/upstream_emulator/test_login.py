"""Protocol notes 1: refreshing in both eras, the life of tokens, rotation, and who is calling."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import pytest

from tests.upstream_emulator.client import (
    REFRESH,
    REFRESH_2024,
    USER_INFO,
    Client,
    Headers,
    Reply,
    signed_headers,
)
from upstream_emulator import jwt
from upstream_emulator.account import AccountBook, TokenExpired, TokenInvalid
from upstream_emulator.emulator import UpstreamEmulator


def claims_of(token: str) -> dict[str, Any]:
    claims = jwt.read(token)
    assert claims is not None
    return claims


def test_refresh_of_2026(client: Client) -> None:
    reply = client.refresh("demo-bob")
    assert reply.status == 200
    assert list(reply.json) == ["status", "message", "result", "rid"]
    assert reply.json["status"] == 0
    result = reply.json["result"]
    assert list(result) == ["user_id", "access_token", "refresh_token", "is_guest", "mode"]
    assert len(result["user_id"]) == 24


def test_refresh_of_2024_is_unsigned_and_camel_case(client: Client) -> None:
    reply = client.call("POST", REFRESH_2024, {}, {"Authorization": "Bearer demo-bob"})
    assert list(reply.json["result"]) == ["accessToken"]
    client.token = reply.json["result"]["accessToken"]
    assert client.chat("[[text say=好]]").text == "好"


def test_claims_of_an_access_token(client: Client) -> None:
    claims = claims_of(client.token)
    assert set(claims) == {"sub", "exp", "nbf", "iat", "jti", "uid", "device_id", "type"}
    assert claims["type"] == "access"
    assert claims["exp"] - claims["iat"] == 86400
    assert (len(claims["uid"]), len(claims["device_id"]), len(claims["jti"])) == (24, 32, 32)


def test_two_tokens_of_one_login_are_one_account(client: Client) -> None:
    first, second, other = (client.refresh(token) for token in ("demo-bob", "demo-bob.second", "demo-bo"))
    ids = [reply.json["result"]["user_id"] for reply in (first, second, other)]
    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize(
    ("token", "status", "code"),
    [
        ("dead-bob", 401, 40102),
        ("nonsense", 401, 40102),
        ("", 401, 40102),
        ("demo-", 401, 40102),
        ("demo-b b", 401, 40102),
        ("a.b.c", 401, 40102),
    ],
)
def test_refused_refreshes_of_2026(
    client: Client, upstream: UpstreamEmulator, token: str, status: int, code: int
) -> None:
    reply = client.refresh(token)
    assert (reply.status, reply.json["status"]) == (status, code)
    assert upstream.state()["refusals"] == {str(code): 1}


def test_an_unsigned_refresh_is_a_bad_request(client: Client) -> None:
    """Protocol notes 0.2 row 1."""
    headers = {
        name: value for name, value in signed_headers("demo-bob").items() if name not in ("X-Sign", "X-Nonce")
    }
    reply = client.call("POST", REFRESH, {}, headers)
    assert (reply.status, reply.json["status"], reply.json["message"]) == (400, 40001, "bad request")


def test_a_visitor_is_told_by_the_answer_and_by_its_tokens(
    client: Client, upstream: UpstreamEmulator
) -> None:
    """Protocol notes 0.2 row 2."""
    upstream.configure(rotate="soft")
    upstream.account("bob", is_guest=True)
    result = client.refresh("demo-bob").json["result"]
    assert result["is_guest"] is True
    assert claims_of(result["refresh_token"])["is_guest"] is True


def test_a_bad_token_in_2024_is_a_bad_request(client: Client) -> None:
    reply = client.call("POST", REFRESH_2024, {}, {"Authorization": "Bearer nonsense"})
    assert (reply.status, reply.json["message"]) == (400, "bad request")


def test_an_access_token_does_not_refresh_and_a_refresh_token_does_not_log_in(client: Client) -> None:
    assert client.refresh(client.token).json["status"] == 40102
    client.token = "demo-ann"
    assert client.call("GET", USER_INFO).json["status"] == 40103


def test_access_tokens_die(client: Client, upstream: UpstreamEmulator) -> None:
    upstream.configure(access_life_seconds=0)
    client.logged_in("demo-ann")
    reply = client.chat("你好")
    assert (reply.status, reply.json["status"], reply.json["message"]) == (401, 40103, "user needs login")


def test_access_tokens_can_be_expired(client: Client, upstream: UpstreamEmulator) -> None:
    upstream.account("ann", expire_access=True)
    assert client.chat("你好").status == 401
    assert client.logged_in("demo-ann").chat("[[text]]").status == 200


def test_tokens_survive_a_reset(client: Client, upstream: UpstreamEmulator) -> None:
    upstream.reset()
    assert client.chat("[[text]]").status == 200
    upstream.account("ann", expire_access=True)
    assert client.chat("[[text]]").status == 401


def test_a_blocked_account(client: Client, upstream: UpstreamEmulator) -> None:
    upstream.account("ann", blocked=True)
    assert client.chat("你好").status == 401
    assert client.refresh("demo-ann").json["status"] == 40102
    upstream.account("ann", blocked=False)
    assert client.chat("[[text]]").status == 200


def rotated(client: Client, token: str) -> str:
    token = client.refresh(token).json["result"]["refresh_token"]
    assert isinstance(token, str)
    return token


def test_without_rotation_the_token_stays_the_same(client: Client) -> None:
    assert rotated(client, "demo-ann") == "demo-ann"


def test_soft_rotation_leaves_the_old_token_alive(client: Client, upstream: UpstreamEmulator) -> None:
    upstream.configure(rotate="soft")
    newer = rotated(client, "demo-ann")
    claims = claims_of(newer)
    assert (claims["type"], claims["exp"] - claims["iat"]) == ("refresh", 180 * 86400)
    assert rotated(client, newer) != newer
    assert client.refresh("demo-ann").status == 200


def test_hard_rotation_kills_the_old_token(client: Client, upstream: UpstreamEmulator) -> None:
    upstream.configure(rotate="hard")
    newer = rotated(client, "demo-ann")
    assert client.refresh("demo-ann").json["status"] == 40102
    newest = rotated(client, newer)
    assert client.refresh(newer).json["status"] == 40102
    assert client.refresh(newest).status == 200


def test_the_refresh_of_2024_does_not_rotate(client: Client, upstream: UpstreamEmulator) -> None:
    upstream.configure(rotate="hard")
    for _ in range(2):
        assert client.refresh("demo-ann", REFRESH_2024).status == 200


def test_a_lost_refresh_rotates_all_the_same(client: Client, upstream: UpstreamEmulator) -> None:
    upstream.configure(rotate="hard")
    upstream.account("ann", refresh_next=["lost"])
    with pytest.raises(ConnectionResetError):
        client.refresh("demo-ann")
    client.close()
    assert client.refresh("demo-ann").json["status"] == 40102


def together(upstream: UpstreamEmulator, *tokens: str) -> list[Reply]:
    """The answers to refreshes that are all under way at once: each is sent before any answer is read."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Client(upstream.url)) for _ in tokens]
        for client, token in zip(clients, tokens, strict=True):
            client.send("POST", REFRESH, {}, signed_headers(token))
        return [client.read_answer() for client in clients]


def test_parallel_refreshes_are_noticed_and_hard_rotation_punishes_them(upstream: UpstreamEmulator) -> None:
    upstream.configure(refresh_delay_seconds=0.5, rotate="hard")
    replies = together(upstream, "demo-cid", "demo-cid")
    assert sorted(reply.status for reply in replies) == [200, 401]
    account = upstream.state()["accounts"]["cid"]
    assert (account["refreshes"], account["parallel_refreshes"]) == (2, 1)


def test_refreshes_one_after_the_other_or_of_other_tokens_are_not_parallel(
    upstream: UpstreamEmulator,
) -> None:
    upstream.configure(refresh_delay_seconds=0.02)
    together(upstream, "demo-cid", "demo-cid.second")
    together(upstream, "demo-cid")
    account = upstream.state()["accounts"]["cid"]
    assert (account["refreshes"], account["parallel_refreshes"]) == (3, 0)


@pytest.mark.parametrize(
    ("fault", "status"),
    [("http500", 500), ("expired", 401), ("throttled429", 429), ("html502", 502), ("waf200", 200)],
)
def test_a_refresh_can_be_made_to_fail_once(
    client: Client, upstream: UpstreamEmulator, fault: str, status: int
) -> None:
    upstream.account("ann", refresh_next=[fault])
    assert client.refresh("demo-ann").status == status
    assert client.refresh("demo-ann").json["status"] == 0


def test_a_slow_refresh(client: Client, upstream: UpstreamEmulator) -> None:
    upstream.account("ann", refresh_next=["slow seconds=0.1"])
    begun = time.monotonic()
    assert client.refresh("demo-ann").status == 200
    assert time.monotonic() - begun >= 0.1


def test_the_eras_have_their_own_endpoints(client: Client, upstream: UpstreamEmulator) -> None:
    for era, good, bad in (("2024", REFRESH_2024, REFRESH), ("2026", REFRESH, REFRESH_2024)):
        upstream.configure(era=era)
        assert client.refresh("demo-ann", good).status == 200
        assert client.refresh("demo-ann", bad).status == 404


def test_who_am_i(client: Client) -> None:
    result = client.call("GET", USER_INFO).json["result"]
    assert result["user_id"] == claims_of(client.token)["uid"]
    assert result["is_guest"] is False
    old = client.call("GET", "/chatglm/backend-api/v3/user/info").json
    assert (old["message"], old["result"]) == ("success", {"_id": result["user_id"]})


def test_cookies_of_another_account_are_noticed(client: Client, upstream: UpstreamEmulator) -> None:
    cookie = client.refresh("demo-bob").headers["set-cookie"].partition(";")[0]
    assert cookie.startswith("chatglm_user_id=")
    headers: Headers = {"Cookie": cookie}
    upstream.configure(era="2024")
    client.call("POST", REFRESH_2024, {}, {"Authorization": "Bearer demo-bob"} | headers)
    assert upstream.state()["foreign_cookies"] == 0
    client.call("POST", REFRESH_2024, {}, {"Authorization": "Bearer demo-ann"} | headers)
    assert upstream.state()["foreign_cookies"] == 1


def test_a_refresh_token_lives_as_long_as_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    book = AccountBook()
    token = book.mint_refresh_token(book.named("ann"))
    assert book.by_refresh_token(token) is book.named("ann")
    later = time.time() + 181 * 86400
    monkeypatch.setattr(time, "time", lambda: later)
    with pytest.raises(TokenExpired):
        book.by_refresh_token(token)


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "é.é.é", jwt.mint({})[:-2] + "AA", "x" * 100_000])
def test_what_was_not_minted_here_is_nothing(token: str) -> None:
    assert jwt.read(token) is None
    with pytest.raises(TokenInvalid):
        AccountBook().by_access_token(token)
