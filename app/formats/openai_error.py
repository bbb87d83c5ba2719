"""Failures in the shape that OpenAI clients know."""

from __future__ import annotations

import msgspec

from app.core.errors import GatewayError
from app.logs import redactor

# As OpenAI goes by the status. 501 and 505 refuse what was sent; other high ones are the API's own trouble.
_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    429: "rate_limit_error",
    501: "invalid_request_error",
    505: "invalid_request_error",
}


def find_type(status: int) -> str:
    """OpenAI's `type` of an error with this HTTP status."""
    return _TYPES.get(status, "invalid_request_error" if status < 500 else "api_error")


def build_error(error: GatewayError) -> dict[str, dict[str, object]]:
    """`{"error": {"message", "type", "param", "code"}}`; the upstream's words in it may repeat a token."""
    message = redactor.redact(error.text)
    return {
        "error": {
            "message": message,
            "type": find_type(error.status),
            "param": error.param,
            "code": error.code,
        }
    }


def encode_error(error: GatewayError, _request_id: str = "") -> bytes:
    """An `ErrorEncoder`; the id stands in a header alone."""
    return msgspec.json.encode(build_error(error))


def encode_error_event(error: GatewayError) -> bytes:
    """The last event of a stream that failed: official clients raise it as an APIError.

    It has no headers, so that `retry_after`, in seconds, stands in it.
    """
    body = build_error(error)
    if error.retry_after_seconds is not None:
        body["error"]["retry_after"] = error.whole_retry_seconds
    return b"data: " + msgspec.json.encode(body) + b"\n\n"
