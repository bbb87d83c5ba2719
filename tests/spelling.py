"""How a secret may be spelt by who repeats it: everything that a redactor must see through."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable
from urllib.parse import quote


def percent(text: str, share: float) -> str:
    random.seed(7)
    return "".join(f"%{ord(c):02X}" if random.random() < share else c for c in text)


def split(text: str, between: str, width: int = 60) -> str:
    return between.join(text[at : at + width] for at in range(0, len(text), width))


SPELLINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "upper case": str.upper,
    "lower case": str.lower,
    "swapped case": str.swapcase,
    "URL-encoded": lambda text: quote(text, safe=""),
    "URL-encoded here and there": lambda text: percent(text, 0.2),
    "URL-encoded throughout": lambda text: percent(text, 1),
    "URL-encoded throughout, lower case": lambda text: percent(text, 1).lower(),
    "URL-encoded twice": lambda text: quote(percent(text, 0.5), safe=""),
    "JSON": json.dumps,
    "JSON, every character escaped": lambda text: "".join(f"\\u{ord(c):04x}" for c in text),
    "JSON, here and there": lambda text: "".join(f"\\u{ord(c):04X}" if c in "aeiE1.-" else c for c in text),
    "JSON, slashes escaped": lambda text: text.replace("/", "\\/"),
    "JSON in JSON": lambda text: json.dumps(json.dumps("".join(f"\\u{ord(c):04x}" for c in text))),
    "JSON with a line feed": lambda text: json.dumps(split(text, "\n")),
    "Python": lambda text: "".join(f"\\x{ord(c):02x}" for c in text),
    "HTML": lambda text: "".join(f"&#{ord(c)};" if c in "aeE+/" else c for c in text),
    "HTML, hexadecimal": lambda text: "".join(f"&#x{ord(c):x};" for c in text),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "base64 of more": lambda text: base64.b64encode(f"Bearer {text}, x".encode()).decode(),
    "base64 of yet more": lambda text: base64.b64encode(f"a:{text}".encode()).decode(),
    "base64 in lines": lambda text: split(base64.b64encode(text.encode()).decode(), "\r\n", 19),
    "base64 behind words": lambda text: "theupstreamsays" + base64.b64encode(text.encode()).decode(),
    "split by line feeds": lambda text: split(text, "\n"),
    "split by blanks": lambda text: split(text, "  ", 7),
    "every character apart": lambda text: split(text, " ", 1),
    "split by what nobody sees": lambda text: split(text, "\u200b", 5),
    "split by line separators": lambda text: split(text, "\u2028\x85\x00"),
    "header name before": lambda text: f"authorization:bearer{text}",
}  # fmt: skip


def shows(shown: str, secret: str, least: int = 10) -> bool:
    """Whether any ten characters of `secret` can be read in `shown` as it stands, or in another case."""
    shown, secret = shown.lower(), secret.lower()
    return any(secret[at : at + least] in shown for at in range(len(secret) - least + 1))
