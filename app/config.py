"""Settings: one frozen object from the environment. The only place that knows a variable's name."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

from app.keys import GatewayKey, parse_keys
from app.origin import parse_origins
from app.pasted_token import parse_tokens
from app.shard import Shard, parse_shard

_MEBIBYTE = 1024 * 1024
_MIN_KEY_CHARS = 16
_T = TypeVar("_T")


class InvalidSetting(Exception):
    """A variable holds a value that cannot be used; the message names both."""


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
    log_level: str = "INFO"
    log_format: str = "text"

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Read every variable, an empty one counts as absent. Raises InvalidSetting at a wrong value."""
        values: dict[str, Any] = {}
        for variable, (name, parse) in _VARIABLES.items():
            source, text = _find(environ, variable)
            if text:
                values[name] = _parse(source, text, parse)
        _check_doors(values)
        settings = cls(**values)
        _check_budgets(settings)
        return settings


def _check_doors(values: dict[str, Any]) -> None:
    """Tokens without keys would let everybody in, keys without tokens nobody."""
    has_tokens = bool(values.get("refresh_tokens") or values.get("refresh_tokens_file"))
    has_keys = bool(values.get("gateway_keys"))
    if has_tokens and not has_keys:
        raise InvalidSetting(
            "GLM_REFRESH_TOKENS is set without GATEWAY_API_KEYS: anybody who reaches this gateway could use "
            "your accounts. Make a key with `python -m app.keys new LABEL`."
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


def _check_budgets(settings: Settings) -> None:
    """What may be sent alone must fit into what is allowed in sum."""
    bodies, spools = settings.bodies_max_bytes, settings.spool_max_bytes
    if bodies is not None and bodies < 2 * settings.max_body_bytes:
        raise InvalidSetting("GLM_BODIES_MAX_BYTES must be at least twice GLM_MAX_BODY_BYTES.")
    if spools is not None and spools < settings.files_max_bytes:
        raise InvalidSetting("GLM_SPOOL_MAX_BYTES must be at least GLM_FILES_MAX_BYTES.")


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


def _seconds(least: float = 0.001) -> Callable[[str], float]:
    def parse(text: str) -> float:
        if not re.fullmatch(r"\d+(\.\d+)?", text) or float(text) < least:
            raise ValueError(f"expected a number of seconds of at least {least:g}, got {text!r}")
        return float(text)

    return parse


def _whole(text: str) -> int:
    if not re.fullmatch(r"[1-9]\d{0,17}", text):
        raise ValueError(f"expected a whole number above 0, got {text!r}")
    return int(text)


def _flag(text: str) -> bool:
    if text not in {"0", "1"}:
        raise ValueError(f"expected 0 or 1, got {text!r}")
    return text == "1"


def _ports(text: str) -> tuple[int, ...]:
    ports = [part.strip() for part in text.split(",")]
    if not all(re.fullmatch(r"[1-9]\d{0,4}", port) and int(port) < 65536 for port in ports):
        raise ValueError(f"expected port numbers joined with commas, got {text!r}")
    return tuple(map(int, ports))


def _file(text: str) -> str:
    with Path(text).open("rb"):
        return text


def _one_line(path: str) -> str:
    lines = _read_lines(path)
    if len(lines) != 1:
        raise ValueError(f"expected one line in {path!r}, found {len(lines)}")
    return lines[0]


def _joined_lines(path: str) -> str:
    lines = [line for line in _read_lines(path) if not line.startswith("#")]
    if not lines:
        raise ValueError(f"there is nothing in {path!r}")
    return ",".join(lines)


def _read_lines(path: str) -> list[str]:
    return [line.strip() for line in Path(path).read_text("utf-8").splitlines() if line.strip()]


def _path(text: str) -> str:
    if Path(text).is_dir():
        raise ValueError(f"expected a file, {text!r} is a directory")
    return text


def _tokens(text: str) -> tuple[str, ...]:
    return parse_tokens(text)


def _networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip())


def _url(*schemes: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        parts = urlsplit(text)
        if parts.scheme not in schemes or not parts.hostname:
            raise ValueError(
                f"expected an address that begins with {' or '.join(f'{s}://' for s in schemes)}"
            )
        return text.rstrip("/")

    return parse


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        for choice in choices:
            if text.lower() == choice.lower():
                return choice
        raise ValueError(f"expected one of {', '.join(choices)}, got {text!r}")

    return parse


def _secret(text: str) -> str:
    if not text.isascii() or not text.isprintable():
        raise ValueError("expected printable ASCII")
    return text


def _long_secret(text: str) -> str:
    if len(text) < _MIN_KEY_CHARS or " " in text:
        raise ValueError(f"expected at least {_MIN_KEY_CHARS} characters without blanks")
    return _secret(text)


_VARIABLES: dict[str, tuple[str, Callable[[str], Any]]] = {
    "GLM_UPSTREAM_URL": ("upstream_url", _url("https", "http")),
    "GLM_SIGN_SECRET": ("sign_secret", _secret),
    "GLM_PROXY": ("proxy", _url("http", "https")),
    "GLM_CONNECT_TIMEOUT_SECONDS": ("connect_timeout_seconds", _seconds()),
    "GLM_FIRST_EVENT_SECONDS": ("first_event_seconds", _seconds()),
    "GLM_START_SECONDS": ("start_seconds", _seconds()),
    "GLM_IDLE_SECONDS": ("idle_seconds", _seconds()),
    "GLM_MAX_REPLY_SECONDS": ("max_reply_seconds", _seconds()),
    "GLM_COMMIT_SECONDS": ("commit_seconds", _seconds()),
    "GLM_QUEUE_SECONDS": ("queue_seconds", _seconds(least=0)),
    "GLM_QUEUE_LENGTH": ("queue_length", _whole),
    "GLM_ACCOUNT_MIN_INTERVAL_SECONDS": ("account_min_interval_seconds", _seconds(least=0)),
    "GLM_ACCOUNT_REPLIES_PER_HOUR": ("account_replies_per_hour", _whole),
    "GLM_BREAKER_FAILURES": ("breaker_failures", _whole),
    "GLM_STATE_PATH": ("state_path", _path),
    "GLM_DRAIN_SECONDS": ("drain_seconds", _seconds(least=0)),
    "GLM_DRAIN_FILE": ("drain_file", _path),
    "GLM_MAX_STREAMS": ("max_streams", _whole),
    "GLM_CLIENT_WRITE_SECONDS": ("client_write_seconds", _seconds()),
    "GLM_REQUEST_SECONDS": ("request_seconds", _seconds()),
    "GLM_REFRESH_TOKENS": ("refresh_tokens", _tokens),
    "GLM_REFRESH_TOKENS_FILE": ("refresh_tokens_file", _file),
    "GLM_POOL_SHARD": ("pool_shard", parse_shard),
    "GATEWAY_API_KEYS": ("gateway_keys", parse_keys),
    "GLM_PASS_THROUGH": ("pass_through", _flag),
    "METRICS_KEY": ("metrics_key", _long_secret),
    "TRUSTED_PROXIES": ("trusted_proxies", _networks),
    "GLM_HEARTBEAT_SECONDS": ("heartbeat_seconds", _seconds()),
    "GLM_CONVERSATION_TTL": ("conversation_ttl_seconds", _seconds(least=0)),
    "GLM_MAX_BODY_BYTES": ("max_body_bytes", _whole),
    "GLM_BODIES_MAX_BYTES": ("bodies_max_bytes", _whole),
    "GLM_MAX_PROMPT_CHARS": ("max_prompt_chars", _whole),
    "GLM_REASONING": ("reasoning", _one_of("content", "tags", "hidden")),
    "CORS_ORIGINS": ("cors_origins", parse_origins),
    "GLM_FILES_MAX_BYTES": ("files_max_bytes", _whole),
    "GLM_FILES_MAX_COUNT": ("files_max_count", _whole),
    "GLM_SPOOL_MAX_BYTES": ("spool_max_bytes", _whole),
    "GLM_FILES_TIMEOUT_SECONDS": ("files_timeout_seconds", _seconds()),
    "GLM_FILES_PORTS": ("files_ports", _ports),
    "GLM_VIDEO_SECONDS": ("video_seconds", _seconds()),
    "GLM_FILES_ALLOW_PRIVATE": ("files_allow_private", _flag),
    "LOG_LEVEL": ("log_level", _one_of("DEBUG", "INFO", "WARNING", "ERROR")),
    "LOG_FORMAT": ("log_format", _one_of("text", "json")),
}

# What may stand in a file named by the variable with _FILE behind it, and how it is read, once. Refresh
# tokens have a file that is read again while the gateway runs: GLM_REFRESH_TOKENS_FILE, a setting of its own.
_SECRETS: dict[str, Callable[[str], str]] = {
    "GLM_SIGN_SECRET": _one_line,
    "GLM_PROXY": _one_line,
    "GATEWAY_API_KEYS": _joined_lines,
    "METRICS_KEY": _one_line,
}
