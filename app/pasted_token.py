"""Refresh tokens as people paste them: what can be mended is mended, else the mistake is named. Pure.

Nothing of what was pasted stands in an error: it may be a secret, of this product or of another.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.auth_token import MAX_TOKEN_CHARS, is_sendable, read_owner_claims
from app.catalogue import credential
from app.catalogue.credential import COOKIE
from app.catalogue.message import Message

_MAX_NAMED_LINES = 10

_LINES = re.compile(r"[\r\n]+|%0[ad]", re.IGNORECASE)
_SEPARATORS = re.compile(r"[,，、;；]|%2c|%3b", re.IGNORECASE)
# What stands around a token: blanks, quotes of every sort, marks that nobody sees.
_AROUND = " \t\v\f\u00a0\u3000\"'`“”‘’「」\ufeff\u200b\u200c\u200d\u2060"
_LABEL = re.compile(r"(?:(?:authorization|cookie|set-cookie)\s*:\s*|bearer(?:\s+|:\s*|$))+", re.IGNORECASE)
_IN_COOKIES = re.compile(rf"{COOKIE}[\"'\s]{{0,4}}[=:\s][\"'\s]{{0,4}}([^\s;,，；、\"'&{{}}]+)")
_OTHER_COOKIE = re.compile(r"(?:chatglm_\w+|acw_tc|cdn_sec_tc|ssxmod_\w+|sensorsdata\w*)\s*=")
_GATEWAY_KEY = re.compile(r"glm-[\w-]{16,}", re.ASCII)
_OTHER_KEY = re.compile(r"sk-[\w-]*|[0-9a-f]{32}\.\w{16}", re.ASCII)
_PLACEHOLDER = re.compile(r"<.*>|(?:your[ _-]?|my[ _-]?)?(?:refresh[ _-]?)?token|RT\d?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Mistake:
    """What was pasted instead of a token, as the end of a sentence, and what to do."""

    what: Message
    advice: Message


ODD = Mistake(credential.ODD, credential.COPY_AGAIN)
TOO_LONG = Mistake(credential.TOO_LONG.fill(max_chars=MAX_TOKEN_CHARS), credential.COPY_OR_JOIN)
NO_COOKIE = Mistake(credential.NO_COOKIE, credential.COPY_COOKIE)
ACCESS = Mistake(credential.ACCESS, credential.TAKE_COOKIE)
VISITOR = Mistake(credential.VISITOR, credential.LOG_IN_FIRST)
OTHER_SITE = Mistake(credential.OTHER_SITE, credential.COPY_HERE)
GATEWAY_KEY = Mistake(credential.GATEWAY_KEY, credential.KEYS_OPEN)
OTHER_KEY = Mistake(credential.OTHER_KEY, credential.COPY_HERE)
PLACEHOLDER = Mistake(credential.PLACEHOLDER, credential.REPLACE_IT)


class MistakenToken(ValueError):
    """`str()` is a whole sentence without a character of what was pasted; `said` has it in both languages."""

    def __init__(self, mistake: Mistake) -> None:
        self.said = credential.NO_TOKEN.fill(what=mistake.what).then(mistake.advice)
        super().__init__(self.said.en)
        self.mistake = mistake


def parse_tokens(text: str) -> tuple[str, ...]:
    """The refresh tokens in a list, a cookie line, lines of a file; each once. Raises MistakenToken."""
    tokens = split_tokens(text)
    for token in tokens:
        check_token(token)
    return tokens


def say_lines(numbers: list[int]) -> str:
    """`line 3, 5`: lines are named by their numbers, since one may hold a secret."""
    named = ", ".join(map(str, numbers[:_MAX_NAMED_LINES]))
    return f"line {named}, ..." if numbers[_MAX_NAMED_LINES:] else f"line {named}"


def parse_lines(text: str) -> tuple[list[str], dict[Mistake, list[int]]]:
    """The tokens, and the numbers of the lines that hold something else, by what it is."""
    found: list[str] = []
    wrong: dict[Mistake, list[int]] = {}
    for number, line in enumerate(text.split("\n"), 1):
        try:
            found += parse_tokens(line)
        except MistakenToken as exc:
            wrong.setdefault(exc.mistake, []).append(number)
    return found, wrong


def split_tokens(text: str) -> tuple[str, ...]:
    """As `parse_tokens`, but not checked: whoever counts them first spares the work."""
    return tuple(dict.fromkeys(piece for line in _LINES.split(text) for piece in split_line(line)))


def split_line(line: str) -> list[str]:
    """What may be tokens in one line, not checked yet; `#` begins a remark."""
    line = line.strip(_AROUND)
    if line.startswith("#"):
        return []
    # The other cookies of such a line may hold commas, and are nobody's tokens.
    if ";" in line and (values := _IN_COOKIES.findall(line)):
        return list(values)
    pieces = map(_strip, dict.fromkeys(_SEPARATORS.split(line.partition("#")[0])))
    return [piece for piece in pieces if piece]


def check_token(token: str) -> None:
    """Raises MistakenToken where this cannot be a refresh token of chatglm.cn."""
    mistake = _find_mistake(token)
    if mistake is not None:
        raise MistakenToken(mistake)


def strip_scheme(text: str) -> str:
    """Without `Bearer`, however often it stands there, and quotes."""
    return _LABEL.sub("", text.strip(" \t"), count=1).strip(" \t\"'`")


def _strip(piece: str) -> str:
    found = _IN_COOKIES.search(piece)
    if found:
        return found[1].strip(_AROUND)
    bare = piece.strip(_AROUND)
    label = _LABEL.match(bare)
    return bare[label.end() :].strip(_AROUND) if label else bare


def _find_mistake(token: str) -> Mistake | None:
    if _OTHER_COOKIE.match(token):
        return ACCESS if token.startswith("chatglm_token") else NO_COOKIE
    if _PLACEHOLDER.fullmatch(token) or token.startswith(COOKIE):
        return PLACEHOLDER
    if len(token) > MAX_TOKEN_CHARS:
        return TOO_LONG
    if not is_sendable(token):
        return ODD
    if _OTHER_KEY.fullmatch(token) or _GATEWAY_KEY.fullmatch(token):
        return GATEWAY_KEY if token.startswith("glm-") else OTHER_KEY
    return _find_claimed_mistake(token)


def _find_claimed_mistake(token: str) -> Mistake | None:
    """What a JWT says of itself; of others nothing is known."""
    claims = read_owner_claims(token)
    if claims.is_access:
        return ACCESS
    if claims.is_guest is True:
        return VISITOR
    return OTHER_SITE if claims.is_foreign else None
