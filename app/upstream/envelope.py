"""What every JSON answer of the upstream has around its result (protocol notes 1.3). Pure."""

from __future__ import annotations

from typing import Any

from app.errors import GatewayError, UpstreamInvalid, UpstreamThrottled, UpstreamUnreachable
from app.upstream.failure import classify_document


def classify_answer(status: int, document: Any) -> GatewayError:
    """The error for an answer with this HTTP status that is no success; `document` is None without JSON."""
    if isinstance(document, dict):
        return classify_document(
            document | ({} if "status" in document or "code" in document else {"status": status})
        )
    if status == 401:
        return classify_document({"status": 401})
    if status == 429:
        return UpstreamThrottled("The upstream asks this account to slow down.", retry_after_seconds=30)
    if status >= 500:
        return UpstreamUnreachable(f"The upstream is in trouble (HTTP {status}). Try again shortly.")
    return UpstreamInvalid(f"The upstream answered with a page instead of an answer (HTTP {status}).")


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
