"""Failures in the shape that Anthropic's clients know."""

from __future__ import annotations

from typing import Any

from app.core.errors import GatewayError, PromptTooLong, ThreadsNotHeld
from app.formats.json_text import encode_json, escape_lines
from app.logs import redactor

# By status, as Anthropic's clients tell them apart.
_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
}
_THREADS_UNSUPPORTED = {"error_code": "thread_unsupported_request"}


def find_type(status: int) -> str:
    """Anthropic's `type` of an error with this HTTP status."""
    return _TYPES.get(status, "invalid_request_error" if status < 500 else "api_error")


def build_error(error: GatewayError) -> dict[str, Any]:
    """`{"type": "error", "error": {"type", "message", "code"}}`; `code` is ours, for programs to go by.

    `details` are Anthropic's: by them the tool runners of its SDKs leave `thread` out and send everything.
    """
    message = redactor.redact(_word(error))
    described = {"type": find_type(error.status), "message": message, "code": error.code}
    if isinstance(error, ThreadsNotHeld):
        return {"type": "error", "error": {**described, "details": _THREADS_UNSUPPORTED}}
    return {"type": "error", "error": described}


def _word(error: GatewayError) -> str:
    """Behind the place, which has no field of its own in this shape.

    A prompt that is too long is told in the words that Claude Code reads: it shortens the conversation then,
    by as much as the numbers say.
    """
    message = error.text
    if isinstance(error, PromptTooLong):
        size = f"{error.tokens[0]} tokens > {error.tokens[1]} maximum. " if error.tokens else ""
        return f"prompt is too long: {size}{message}"
    is_named = error.param is None or f"`{error.param}`" in message
    return message if is_named else f"{error.param}: {message}"


def encode_error(error: GatewayError, request_id: str) -> bytes:
    return encode_json({**build_error(error), "request_id": request_id})


def encode_error_event(error: GatewayError) -> bytes:
    """The last event of a stream that failed: official clients raise it as an APIError.

    It has no headers, so that `retry_after`, in seconds, stands in it.
    """
    body = build_error(error)
    if error.retry_after_seconds is not None:
        body["error"]["retry_after"] = error.whole_retry_seconds
    return b"event: error\ndata: " + escape_lines(encode_json(body)) + b"\n\n"
