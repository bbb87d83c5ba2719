"""Settings: one frozen object from the environment. The only place that knows a variable's name.

gunicorn's master reads them before anything is patched, so nothing here makes a lock.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from ipaddress import IPv4Network, IPv6Network
from typing import Any, Literal, TypeVar

from app.invocation import CALLED
from app.keys import GatewayKey, parse_keys
from app.origin import parse_origins
from app.pasted_token import parse_tokens
from app.setting_value import (
    address_parser,
    one_of_parser,
    parse_demo_key,
    parse_file_path,
    parse_flag,
    parse_joined_lines,
    parse_long_secret,
    parse_networks,
    parse_one_line,
    parse_ports,
    parse_secret,
    parse_tokens_file,
    parse_whole_number,
    seconds_parser,
)
from app.shard import Shard, parse_shard

# How alike two names are, of 1, where one may be meant by the other; and where a name that could well be
# somebody else's is nearly one of ours.
_LIKE = 0.75
_NEARLY = 0.85
# Read by gunicorn.conf.py.
_SERVER_NAMES = ("HOST", "PORT", "WEB_CONCURRENCY")
_MEBIBYTE = 1024 * 1024
_T = TypeVar("_T")


class InvalidSetting(Exception):
    """Variables hold values that cannot be used; a line of the message for each names both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the operator decided. Times are seconds, sizes bytes; docs/configuration.md explains each."""

    upstream_url: str = "https://chatglm.cn"
    # Published in the upstream's own web page; the same for everybody (protocol notes 2.2).
    sign_secret: str = field(default="8a1317a7468aa3ad86e997d08f3f31cb", repr=False)
    proxy: str | None = field(default=None, repr=False)
    connect_timeout_seconds: float = 5.0
    first_event_seconds: float = 20.0
    start_seconds: float = 50.0
    idle_seconds: float = 120.0
    max_reply_seconds: float = 1800.0
    commit_seconds: float = 15.0
    queue_seconds: float = 30.0
    heartbeat_seconds: float = 10.0
    conversation_ttl_seconds: float = 600.0
    max_body_bytes: int = 48 * _MEBIBYTE
    bodies_max_bytes: int | None = None
    max_prompt_chars: int = 1_000_000
    reasoning: Literal["content", "tags", "hidden"] = "content"
    queue_length: int = 64
    account_min_interval_seconds: float = 0.0
    account_replies_per_hour: int | None = None
    breaker_failures: int = 5
    continue_chats: Literal["on", "off"] = "on"
    heal: Literal["on", "off"] = "on"
    files_max_bytes: int = 100 * _MEBIBYTE
    files_max_count: int = 10
    files_timeout_seconds: float = 60.0
    spool_max_bytes: int | None = None
    files_ports: tuple[int, ...] = (80, 443)
    files_allow_private: bool = False
    video_seconds: float = 600.0
    state_path: str = "var/glm-api.sqlite3"
    drain_seconds: float = 30.0
    drain_file: str | None = None
    max_streams: int = 1000
    client_write_seconds: float = 60.0
    request_seconds: float = 60.0
    refresh_tokens: tuple[str, ...] = field(default=(), repr=False)
    refresh_tokens_file: str | None = None
    pool_shard: Shard | None = None
    gateway_keys: tuple[GatewayKey, ...] = field(default=(), repr=False)
    pass_through: bool = True
    metrics_key: str | None = field(default=None, repr=False)
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    cors_origins: tuple[str, ...] = ("*",)
    language: Literal["en", "zh"] = "zh"
    log_level: str = "INFO"
    log_format: str = "text"
    demo_key: str | None = None

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Read every variable, an empty one counts as absent. Raises InvalidSetting for all that is wrong."""
        settings, wrong = read_settings(environ)
        if settings is None:
            raise InvalidSetting("\n".join(wrong.values()))
        return settings


def read_settings(environ: Mapping[str, str]) -> tuple[Settings | None, dict[str, str]]:
    """The settings, or a sentence for each variable that keeps them from being used."""
    values: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for variable, (name, parse) in _VARIABLES.items():
        try:
            source, text = _find(environ, variable)
            if text:
                values[name] = _parse(source, text, parse)
        except InvalidSetting as exc:
            wrong[variable] = str(exc)
    checks: tuple[tuple[frozenset[str], Callable[[dict[str, Any]], None]], ...] = (
        (_DOORS, _check_doors), (_BUDGETS, _check_budgets), (_DEMO, _check_demo),
    )  # fmt: skip
    for variables, check in checks:
        if not variables & wrong.keys():  # one that is wrong by itself says nothing of the others
            try:
                check(values)
            except InvalidSetting as exc:
                wrong[min(variables)] = str(exc)
    return (None if wrong else Settings(**values)), wrong


def list_names() -> list[str]:
    """Every variable that is read here."""
    return [*_VARIABLES, *(f"{variable}_FILE" for variable in _SECRETS)]


def list_unknown(environ: Mapping[str, str]) -> list[str]:
    """A sentence for each variable that looks like a setting and is none, with the nearest one."""
    known = [*list_names(), *_SERVER_NAMES]
    return [
        sentence
        for name, value in sorted(environ.items())
        if name not in known and not _is_service(name, value)
        for sentence in _say_unknown(name, known)
    ]


def _say_unknown(name: str, known: Sequence[str]) -> Iterator[str]:
    """Names that begin as ours do are ours, others only where they are nearly the same."""
    is_ours = name.upper().startswith(("GLM_", "GATEWAY_"))
    alike = known if is_ours else [other for other in known if other[0] == name[0].upper()]
    near = get_close_matches(name.upper(), alike, 1, _LIKE if is_ours else _NEARLY)
    if near:
        yield f"{name} is no setting: did you mean {near[0]}?"
    elif is_ours:
        yield f"{name} is no setting"


def _is_service(name: str, value: str) -> bool:
    """What Docker's links and Kubernetes tell every container of a service, one called glm-api too."""
    is_port = name.endswith("_PORT") and "://" in value
    return is_port or re.search(r"_SERVICE_(HOST|PORT)|_PORT_\d+_(TCP|UDP)", name) is not None


def _check_doors(values: dict[str, Any]) -> None:
    """Tokens without keys would let everybody in, keys without tokens nobody."""
    has_tokens = bool(values.get("refresh_tokens") or values.get("refresh_tokens_file"))
    has_keys = bool(values.get("gateway_keys"))
    if has_tokens and not has_keys:
        raise InvalidSetting(
            "GLM_REFRESH_TOKENS is set without GATEWAY_API_KEYS: anybody who reaches this gateway could use "
            f"your accounts. Make a key with `{CALLED.key}`."
        )
    if has_keys and not has_tokens:
        raise InvalidSetting(
            "GATEWAY_API_KEYS is set without GLM_REFRESH_TOKENS or GLM_REFRESH_TOKENS_FILE: there is no "
            "account to answer with."
        )
    # A mistyped key must not travel upstream as if it were a refresh token.
    values.setdefault("pass_through", not has_keys)
    if not has_keys and not values["pass_through"]:
        raise InvalidSetting("GLM_PASS_THROUGH is 0 without GATEWAY_API_KEYS: nobody could come in.")


def _check_budgets(values: dict[str, Any]) -> None:
    """What may be sent alone must fit into what is allowed in sum."""
    settings = Settings(**values)
    bodies, spools = settings.bodies_max_bytes, settings.spool_max_bytes
    if bodies is not None and bodies < 2 * settings.max_body_bytes:
        raise InvalidSetting("GLM_BODIES_MAX_BYTES must be at least twice GLM_MAX_BODY_BYTES.")
    if spools is not None and spools < settings.files_max_bytes:
        raise InvalidSetting("GLM_SPOOL_MAX_BYTES must be at least GLM_FILES_MAX_BYTES.")


def _check_demo(values: dict[str, Any]) -> None:
    """The page must not tell people that they need no account where they do."""
    if values.get("demo_key") and not _is_here(values.get("upstream_url", "")):
        raise InvalidSetting("GLM_DEMO_KEY is set, but GLM_UPSTREAM_URL is no stand-in on this machine.")
    if values.get("demo_key") and values.get("gateway_keys"):
        raise InvalidSetting("GLM_DEMO_KEY is set with GATEWAY_API_KEYS, beside which it opens nothing.")


def _is_here(url: str) -> bool:
    return re.match(r"http://(127\.\d+\.\d+\.\d+|localhost|\[::1\])(:\d+)?$", url) is not None


def _find(environ: Mapping[str, str], variable: str) -> tuple[str, str]:
    """The variable that gives the value, and the value; a secret may stand in a file of its own."""
    text = environ.get(variable, "").strip()
    in_file = f"{variable}_FILE"
    path = environ.get(in_file, "").strip() if variable in _SECRETS else ""
    if not path:
        return variable, text
    if text:
        raise InvalidSetting(f"{variable} and {in_file} are both set: keep one.")
    return in_file, _parse(in_file, path, _SECRETS[variable])


def _parse(variable: str, text: str, parse: Callable[[str], _T]) -> _T:
    try:
        return parse(text)
    except (ValueError, OSError) as exc:
        raise InvalidSetting(f"{variable} is wrong: {exc}") from None


_VARIABLES: dict[str, tuple[str, Callable[[str], Any]]] = {
    "GLM_UPSTREAM_URL": ("upstream_url", address_parser("https", "http")),
    "GLM_SIGN_SECRET": ("sign_secret", parse_secret),
    "GLM_PROXY": ("proxy", address_parser("http", "https")),
    "GLM_CONNECT_TIMEOUT_SECONDS": ("connect_timeout_seconds", seconds_parser()),
    "GLM_FIRST_EVENT_SECONDS": ("first_event_seconds", seconds_parser()),
    "GLM_START_SECONDS": ("start_seconds", seconds_parser()),
    "GLM_IDLE_SECONDS": ("idle_seconds", seconds_parser()),
    "GLM_MAX_REPLY_SECONDS": ("max_reply_seconds", seconds_parser()),
    "GLM_COMMIT_SECONDS": ("commit_seconds", seconds_parser()),
    "GLM_QUEUE_SECONDS": ("queue_seconds", seconds_parser(least=0)),
    "GLM_QUEUE_LENGTH": ("queue_length", parse_whole_number),
    "GLM_ACCOUNT_MIN_INTERVAL_SECONDS": ("account_min_interval_seconds", seconds_parser(least=0)),
    "GLM_ACCOUNT_REPLIES_PER_HOUR": ("account_replies_per_hour", parse_whole_number),
    "GLM_BREAKER_FAILURES": ("breaker_failures", parse_whole_number),
    "GLM_CONTINUE": ("continue_chats", one_of_parser("on", "off")),
    "GLM_HEAL": ("heal", one_of_parser("on", "off")),
    "GLM_STATE_PATH": ("state_path", parse_file_path),
    "GLM_DRAIN_SECONDS": ("drain_seconds", seconds_parser(least=0)),
    "GLM_DRAIN_FILE": ("drain_file", parse_file_path),
    "GLM_MAX_STREAMS": ("max_streams", parse_whole_number),
    "GLM_CLIENT_WRITE_SECONDS": ("client_write_seconds", seconds_parser()),
    "GLM_REQUEST_SECONDS": ("request_seconds", seconds_parser()),
    "GLM_REFRESH_TOKENS": ("refresh_tokens", parse_tokens),
    "GLM_REFRESH_TOKENS_FILE": ("refresh_tokens_file", parse_tokens_file),
    "GLM_POOL_SHARD": ("pool_shard", parse_shard),
    "GATEWAY_API_KEYS": ("gateway_keys", parse_keys),
    "GLM_PASS_THROUGH": ("pass_through", parse_flag),
    "METRICS_KEY": ("metrics_key", parse_long_secret),
    "TRUSTED_PROXIES": ("trusted_proxies", parse_networks),
    "GLM_HEARTBEAT_SECONDS": ("heartbeat_seconds", seconds_parser()),
    "GLM_CONVERSATION_TTL": ("conversation_ttl_seconds", seconds_parser(least=0)),
    "GLM_MAX_BODY_BYTES": ("max_body_bytes", parse_whole_number),
    "GLM_BODIES_MAX_BYTES": ("bodies_max_bytes", parse_whole_number),
    "GLM_MAX_PROMPT_CHARS": ("max_prompt_chars", parse_whole_number),
    "GLM_REASONING": ("reasoning", one_of_parser("content", "tags", "hidden")),
    "CORS_ORIGINS": ("cors_origins", parse_origins),
    "GLM_FILES_MAX_BYTES": ("files_max_bytes", parse_whole_number),
    "GLM_FILES_MAX_COUNT": ("files_max_count", parse_whole_number),
    "GLM_SPOOL_MAX_BYTES": ("spool_max_bytes", parse_whole_number),
    "GLM_FILES_TIMEOUT_SECONDS": ("files_timeout_seconds", seconds_parser()),
    "GLM_FILES_PORTS": ("files_ports", parse_ports),
    "GLM_VIDEO_SECONDS": ("video_seconds", seconds_parser()),
    "GLM_FILES_ALLOW_PRIVATE": ("files_allow_private", parse_flag),
    "GLM_LANGUAGE": ("language", one_of_parser("en", "zh")),
    "LOG_LEVEL": ("log_level", one_of_parser("DEBUG", "INFO", "WARNING", "ERROR")),
    "LOG_FORMAT": ("log_format", one_of_parser("text", "json")),
    "GLM_DEMO_KEY": ("demo_key", parse_demo_key),
}

# What is checked together.
_DOORS = frozenset({"GATEWAY_API_KEYS", "GLM_REFRESH_TOKENS", "GLM_REFRESH_TOKENS_FILE", "GLM_PASS_THROUGH"})
_BUDGETS = frozenset(
    {"GLM_BODIES_MAX_BYTES", "GLM_MAX_BODY_BYTES", "GLM_SPOOL_MAX_BYTES", "GLM_FILES_MAX_BYTES"}
)
_DEMO = frozenset({"GLM_DEMO_KEY", "GLM_UPSTREAM_URL"})
# What may stand in a file named by the variable with _FILE behind it, and how it is read, once. Refresh
# tokens have a file that is read again while the gateway runs: GLM_REFRESH_TOKENS_FILE, a setting of its own.
_SECRETS: dict[str, Callable[[str], str]] = {
    "GLM_SIGN_SECRET": parse_one_line,
    "GLM_PROXY": parse_one_line,
    "GATEWAY_API_KEYS": parse_joined_lines,
    "METRICS_KEY": parse_one_line,
}
