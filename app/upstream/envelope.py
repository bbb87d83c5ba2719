"""What every JSON answer of the upstream has around its result (protocol notes 1.3). Pure."""

from __future__ import annotations

from typing import Any

from app.catalogue.account import TOO_FREQUENT
from app.catalogue.path import UNKNOWN_ASSISTANT
from app.catalogue.upstream import PAGE_INSTEAD, REFRESH_REFUSED_BETWEEN, REFUSED_BETWEEN, TROUBLE
from app.core.errors import (
    AccessRejected,
    GatewayError,
    ModelNotFound,
    UpstreamInvalid,
    UpstreamThrottled,
    UpstreamUnreachable,
)
from app.core.upstream_words import UpstreamWords, keep_words
from app.upstream.failure import classify_document

# The token is unknown or dead; the login behind it is (protocol notes 0.2 row 1, 5).
_OWN_REFUSALS = frozenset({"40102", "40103"})


def classify_answer(status: int, document: Any) -> GatewayError:
    """The error for an answer with this HTTP status that is no success; `document` is None without JSON."""
    if isinstance(document, dict):
        return classify_document(
            document | ({} if "status" in document or "code" in document else {"status": status})
        )
    error = _classify_page(status)
    error.upstream = UpstreamWords(f"HTTP {status}")
    return error


def _classify_page(status: int) -> GatewayError:
    if status == 401:  # the upstream itself says so in JSON
        return UpstreamUnreachable(REFUSED_BETWEEN)
    if status == 429:
        return UpstreamThrottled(TOO_FREQUENT, retry_after_seconds=30)
    if status >= 500:
        return UpstreamUnreachable(TROUBLE.fill(status=status))
    return UpstreamInvalid(PAGE_INSTEAD.fill(status=status))


def classify_missing_stream(status: int, document: Any) -> GatewayError:
    """As `classify_answer`, for a question that was answered without a stream.

    A success without a result is how an assistant is told that nobody has (protocol notes 0.2 row 4).
    """
    if status == 200 and is_success(document) and document.get("result") is None:
        return ModelNotFound(UNKNOWN_ASSISTANT)
    return classify_answer(status, document)


def classify_refresh(status: int, document: Any) -> GatewayError:
    """As `classify_answer`, for a refresh: AccessRejected means that the upstream itself refuses the token.

    Many things answer 401 - a mirror, a proxy's login, a web firewall - and know nothing of tokens.
    """
    error = classify_answer(status, document)
    code = document.get("status", document.get("code")) if isinstance(document, dict) else None
    if isinstance(error, AccessRejected) and str(code) not in _OWN_REFUSALS:
        foreign = UpstreamUnreachable(REFRESH_REFUSED_BETWEEN)
        return keep_words(foreign, error)
    return error


def is_success(document: Any) -> bool:
    """Older eras say `code`, newer ones `status`; 0 is success in both (protocol notes 1.3)."""
    return isinstance(document, dict) and 0 in (document.get("status"), document.get("code"))


def first_string(document: Any, *names: str) -> str | None:
    """The first of these fields that holds a text."""
    for name in names:
        value = document.get(name) if isinstance(document, dict) else None
        if isinstance(value, str) and value:
            return value
    return None
