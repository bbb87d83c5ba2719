"""The control API under `/_emulator`: what tests read and change. JSON, unsigned, not counted as requests."""

from __future__ import annotations

import json
from collections import deque
from typing import Any

from upstream_emulator.account import Account
from upstream_emulator.connection import Exchange
from upstream_emulator.fault import JSON
from upstream_emulator.setting import InvalidSetting
from upstream_emulator.world import World

PREFIX = "/_emulator/"
ACCOUNTS = PREFIX + "accounts/"
QUEUES = {
    "next": "next_answers",
    "refresh_next": "next_refreshes",
    "delete_next": "next_deletions",
    "upload_next": "next_uploads",
    "edit_next": "next_edits",
}


class InvalidChange(ValueError):
    """The message says which part of a change makes no sense."""


def serve(exchange: Exchange, world: World) -> None:
    request = exchange.request
    body = request.json() if request.body else {}
    try:
        answer = _answer(request.method, request.path, body, world)
    except (InvalidChange, InvalidSetting) as error:
        _reply(exchange, 400, {"error": str(error)})
        return
    _reply(exchange, 404 if answer is None else 200, {"error": "not found"} if answer is None else answer)


def change_account(world: World, name: str, changes: dict[str, Any]) -> None:
    """Queues faults and scenarios, blocks an account, expires its access tokens. Raises InvalidChange."""
    unknown = changes.keys() - QUEUES.keys() - {"blocked", "expire_access", "is_guest", "is_barred"}
    if unknown:
        raise InvalidChange(f"unknown: {', '.join(sorted(unknown))}")
    account = world.accounts.named(name)
    for key, attribute in QUEUES.items():
        if key in changes:
            setattr(account, attribute, _queue(key, changes[key]))
    _switch(world, account, changes)


def _switch(world: World, account: Account, changes: dict[str, Any]) -> None:
    if "blocked" in changes:
        account.blocked = bool(changes["blocked"])
    if "is_guest" in changes:
        account.is_guest = bool(changes["is_guest"])
    if "is_barred" in changes:
        account.is_barred = bool(changes["is_barred"])
    if changes.get("expire_access"):
        world.accounts.expire_access(account)


def _queue(key: str, value: Any) -> deque[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InvalidChange(f"{key} must be a list of strings")
    return deque(value)


def _answer(method: str, path: str, body: Any, world: World) -> Any:
    """The JSON to answer with, or None when there is no such place."""
    if method == "GET":
        return _read(path, world)
    if method != "POST":
        return None
    if not isinstance(body, dict):
        raise InvalidChange("the body must be a JSON object")
    return _change(path, body, world)


def _read(path: str, world: World) -> Any:
    if path == PREFIX + "state":
        return world.snapshot()
    if path == PREFIX + "requests":
        return [recorded.as_json() for recorded in world.record.recent]
    return None


def _change(path: str, body: dict[str, Any], world: World) -> Any:
    if path == PREFIX + "reset":
        world.reset()
    elif path == PREFIX + "configure":
        world.setting.apply(body)
    elif path.startswith(ACCOUNTS) and len(path) > len(ACCOUNTS):
        change_account(world, path.removeprefix(ACCOUNTS), body)
    else:
        return None
    return {"ok": True}


def _reply(exchange: Exchange, status: int, body: Any) -> None:
    exchange.reply(status, JSON, json.dumps(body).encode())
