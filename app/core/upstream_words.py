"""What the upstream itself said of a failure, which errors carry for the operator's log. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

if TYPE_CHECKING:
    from app.core.errors import GatewayError

_Error = TypeVar("_Error", bound="GatewayError")


class UpstreamWords(msgspec.Struct, frozen=True):
    """Its code, and the text of its error fields: redacted and cut already, empty where there is none."""

    code: str
    text: str = ""


def keep_words(error: _Error, cause: GatewayError) -> _Error:
    """`error` says in other words what `cause` did: whose failure it was, and what was said, stay known."""
    error.upstream, error.account = cause.upstream, cause.account
    return error


def describe_words(words: UpstreamWords | None) -> dict[str, object]:
    """As fields of a log line."""
    if words is None:
        return {}
    return {"upstream_code": words.code or None, "upstream_says": words.text or None}
