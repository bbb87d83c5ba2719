"""Refreshing and the caller's profile, in both eras (protocol notes 1.2 - 1.4, 10)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from upstream_emulator.account import Account, TokenExpired, TokenInvalid
from upstream_emulator.call import USER_COOKIE, Call
from upstream_emulator.fault import is_fault
from upstream_emulator.frame import Json
from upstream_emulator.script import Script, parse_script

REFRESH_EXPIRED = 40102
LOGIN_NEEDED = 40103
UNAUTHORIZED = (401, REFRESH_EXPIRED, "unauthorized user")
BAD_TOKEN = 400
SLOW_SECONDS = 1.0
REFRESH = "/user-api/user/refresh"

Refusal = tuple[int, int, str]


def refresh_2024(call: Call) -> None:
    """`POST backend-api/v1/user/refresh`: unsigned, `accessToken`, never a new refresh token."""
    _refresh(
        call,
        lambda account: {"accessToken": _access_token(call, account)},
        (400, BAD_TOKEN, "bad request"),
        (401, REFRESH_EXPIRED, "40102: token expired"),
    )


def refresh_2026(call: Call) -> None:
    """`POST user-api/user/refresh`: signed, snake_case, with a refresh token for next time."""

    def result(account: Account) -> Json:
        return {
            "user_id": account.user_id,
            "access_token": _access_token(call, account),
            "refresh_token": _rotated(call, account),
            "is_guest": account.is_guest,
            "mode": 1,
        }

    # Protocol notes 0.2 row 1: dead and unknown ones are refused alike.
    _refresh(call, result, UNAUTHORIZED, UNAUTHORIZED)


def user_info(call: Call) -> None:
    """`GET user-api/user/info`."""
    account = call.caller
    profile: Json = {"user_id": account.user_id, "nickname": account.name, "is_guest": account.is_guest}
    profile["block_info"] = {"reason": "demo"} if account.is_barred else None
    # A visitor has no points (protocol notes 0.2 row 20).
    call.succeed(profile | {"member_info": {} if account.is_guest else {"left_score": "2000.00"}})


def user_info_2024(call: Call) -> None:
    """`GET backend-api/v3/user/info`."""
    call.succeed({"_id": call.caller.user_id})


def log_in(call: Call) -> bool:
    """Finds out who calls by the access token; refuses and answers False when nobody is."""
    try:
        call.identify(call.world.accounts.by_access_token(call.request.bearer))
    except TokenInvalid:
        call.refuse(401, LOGIN_NEEDED, "user needs login")
        return False
    return True


def _refresh(call: Call, build: Callable[[Account], Json], invalid: Refusal, expired: Refusal) -> None:
    """Counts the refresh, then answers it when its time has come: the token must be alive at that moment."""
    script, account = Script(), _account_of(call)
    if account is not None:
        script = _begin(call, account)

    def answer() -> None:
        if account is not None:
            account.refreshing[call.request.bearer] -= 1
        _answer_refresh(call, script.name, build, invalid, expired)

    seconds = call.world.setting.refresh_delay_seconds
    if script.name == "slow":
        seconds += script.number("seconds", SLOW_SECONDS)
    if seconds:
        asyncio.get_running_loop().call_later(seconds, answer)
    else:
        answer()


def _begin(call: Call, account: Account) -> Script:
    call.identify(account)
    account.refreshes += 1
    account.parallel_refreshes += account.refreshing[call.request.bearer] > 0
    account.refreshing[call.request.bearer] += 1
    return parse_script(account.next_refreshes.popleft()) if account.next_refreshes else Script()


def _account_of(call: Call) -> Account | None:
    try:
        return call.world.accounts.by_refresh_token(call.request.bearer)
    except (TokenExpired, TokenInvalid):
        return None


def _answer_refresh(
    call: Call, fault: str, build: Callable[[Account], Json], invalid: Refusal, expired: Refusal
) -> None:
    if is_fault(fault):
        call.fail(fault)
        return
    try:
        account = call.world.accounts.by_refresh_token(call.request.bearer)
        if fault == "expired":
            raise TokenExpired
    except TokenExpired:
        call.refuse(*expired)
    except TokenInvalid:
        call.refuse(*invalid)
    else:
        _hand_over(call, build(account), fault)


def _hand_over(call: Call, result: Json, fault: str) -> None:
    """Sends the tokens, as a browser gets them also as cookies; `lost`: hangs up now that they are made."""
    if fault == "lost":
        call.fail("hangup")
        return
    cookies = {"chatglm_refresh_token": result.get("refresh_token"), USER_COOKIE: result.get("user_id")}
    call.succeed(
        result, [("Set-Cookie", f"{name}={value}; Path=/") for name, value in cookies.items() if value]
    )


def _access_token(call: Call, account: Account) -> str:
    return call.world.accounts.mint_access_token(account, call.world.setting.access_life_seconds)


def _rotated(call: Call, account: Account) -> str:
    """The refresh token for next time; with hard rotation the one that was shown dies."""
    rotate = call.world.setting.rotate
    if rotate == "none":
        return call.request.bearer
    if rotate == "hard":
        account.dead_refresh_tokens.add(call.request.bearer)
    return call.world.accounts.mint_refresh_token(account)
