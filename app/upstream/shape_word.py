"""Which words of the upstream's a recording keeps: those of names and codes, and of nobody's life. Pure.

A name that is made of these words alone says what a field is and nothing about who uses it, so new names
of the upstream become known; every other name is replaced like text.
"""

from __future__ import annotations

import re

_WORDS = frozenset(
    """
    access account active agent alg all answer api app arguments aspect assistant at atmosphere auto
    available backend backoff beat blocked body browser bulk busy by call calls camera channel chat
    chatglm chunk citation citations cited clarity client code cogview composite config content context
    continue conversation conversations count cover created data date deep delete deleted delta
    description detail device disable document done draft draw duration edit emotional enable end entry
    err error errors event execution exp expire expired expires extra fail failed feature fields file
    files filter finish finished flag format forward from generate glm guest height history hologram
    host iat icon id ids if image images increase index info init input interactive interpreter
    intervene is item items json jti key keys kind label language last left length level lib limit line
    lines link list loc log logic login mainchat mark match max md media member message messages meta
    metadata mirror mode model msg name nbf network networking news next nickname none normal novel
    object ok old online open order original output pad page pages params part parts phone plan platform
    plus points processing productivity profile project prompt pub publish published push queries query
    question quota quote rating ratio raw reason reasoning recency recipient refresh rejected remark
    reply request reset resolution response result results retrieve retry rid risk rm role scene score
    search selected sensitive session share show sign site size snippet source sources stage start state
    status stop stopped stream string style sub success suffix summary surprise switch system tag tags
    task test text think thinking time timeout timestamp title token tokens tool tools total turn typ
    type uid unknown update updated upload url usage use used user v1 v2 v3 v4 validation value version
    video view visitor watermark web website weight width world write wrong zero
    """.split()  # noqa: SIM905 - a list of so many words reads worse
)
_PIECES = re.compile(r"[A-Z]?[a-z]+[0-9]?|[A-Z]+")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_./ -]{0,79}")
_SEPARATORS = re.compile(r"[_./ -]+")
_MODEL = re.compile(r"(?:moe|glm)[_-]\d{1,3}(?:\.\d)?[a-z]?")
_KEY_OF_PAGE = re.compile(r"turn\d{1,4}([a-z]{1,20})\d{1,4}")
_CONTENT_TYPE = re.compile(r"(?:text|application)/(?:event-stream|json|html|plain)(?=\s*(?:;|\Z))")


def is_known_name(name: str) -> bool:
    """Whether every word of it is known: `if_increase_push`, `accessToken`, `text_thinking`."""
    if not _NAME.fullmatch(name):
        return False
    words = [word for piece in _SEPARATORS.split(name) for word in _split_case(piece)]
    return bool(words) and all(word in _WORDS for word in words)


def is_known_code(value: str) -> bool:
    """What the upstream may say for a type, a status, a role or a model."""
    return is_known_name(value) or _MODEL.fullmatch(value) is not None or is_page_key(value)


def is_page_key(value: str) -> bool:
    """`turn0search3`, by which an answer names a page that a search found."""
    found = _KEY_OF_PAGE.fullmatch(value)
    return found is not None and found[1] in _WORDS


def keep_content_type(value: str) -> str:
    """The type without its parameters, `other` where it is none of the few that are known."""
    found = _CONTENT_TYPE.match(value.strip().lower())
    return found[0] if found else "other"


def _split_case(piece: str) -> list[str]:
    """The words of `accessToken`; a piece that is not made of words is a word that nobody knows."""
    pieces = _PIECES.findall(piece)
    return [word.lower() for word in pieces] if "".join(pieces) == piece else [piece]
