"""How the values of settings are read. Pure, but for the files that some of them name.

Every parser takes the text of a variable and raises ValueError, or OSError for a file, which says what was
expected; secrets are never repeated.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from app.pasted_token import parse_lines, say_lines

_MIN_KEY_CHARS = 16


def seconds_parser(least: float = 0.001) -> Callable[[str], float]:
    def parse(text: str) -> float:
        if not re.fullmatch(r"\d+(\.\d+)?", text) or float(text) < least:
            raise ValueError(f"expected a number of seconds of at least {least:g}, got {text!r}")
        return float(text)

    return parse


def parse_whole_number(text: str) -> int:
    if not re.fullmatch(r"[1-9]\d{0,17}", text):
        raise ValueError(f"expected a whole number above 0, got {text!r}")
    return int(text)


def parse_flag(text: str) -> bool:
    if text not in {"0", "1"}:
        raise ValueError(f"expected 0 or 1, got {text!r}")
    return text == "1"


def parse_ports(text: str) -> tuple[int, ...]:
    ports = [part.strip() for part in text.split(",")]
    if not all(re.fullmatch(r"[1-9]\d{0,4}", port) and int(port) < 65536 for port in ports):
        raise ValueError(f"expected port numbers joined with commas, got {text!r}")
    return tuple(map(int, ports))


def parse_tokens_file(path: str) -> str:
    """A file of refresh tokens, one a line: the path, once every line of it can be used."""
    for mistake, numbers in parse_lines(Path(path).read_text("utf-8-sig", "replace"))[1].items():
        raise ValueError(f"{say_lines(numbers)} {mistake.what}. {mistake.advice}")
    return path


def parse_one_line(path: str) -> str:
    lines = _read_lines(path)
    if len(lines) != 1:
        raise ValueError(f"expected one line in {path!r}, found {len(lines)}")
    return lines[0]


def parse_joined_lines(path: str) -> str:
    lines = [line for line in _read_lines(path) if not line.startswith("#")]
    if not lines:
        raise ValueError(f"there is nothing in {path!r}")
    return ",".join(lines)


def _read_lines(path: str) -> list[str]:
    return [line.strip() for line in Path(path).read_text("utf-8").splitlines() if line.strip()]


def parse_file_path(text: str) -> str:
    if Path(text).is_dir():
        raise ValueError(f"expected a file, {text!r} is a directory")
    return text


def parse_networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip())


def address_parser(*schemes: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        parts = urlsplit(text)
        if parts.scheme.startswith("socks"):
            raise ValueError("SOCKS is not spoken here: name the http:// port of your proxy")
        if parts.scheme not in schemes or not parts.hostname:
            raise ValueError(
                f"expected an address that begins with {' or '.join(f'{s}://' for s in schemes)}"
            )
        return text.rstrip("/")

    return parse


def one_of_parser(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        for choice in choices:
            if text.lower() == choice.lower():
                return choice
        raise ValueError(f"expected one of {', '.join(choices)}, got {text!r}")

    return parse


def parse_demo_key(text: str) -> str:
    """A key of the stand-in's, which no token and no gateway key can be."""
    if not re.fullmatch(r"demo-[A-Za-z0-9-]{1,40}", text):
        raise ValueError("expected letters, digits and dashes that begin with demo-")
    return text


def parse_secret(text: str) -> str:
    if not text.isascii() or not text.isprintable():
        raise ValueError("expected printable ASCII")
    return text


def parse_long_secret(text: str) -> str:
    if len(text) < _MIN_KEY_CHARS or " " in text:
        raise ValueError(f"expected at least {_MIN_KEY_CHARS} characters without blanks")
    return parse_secret(text)
