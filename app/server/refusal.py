"""What gunicorn refuses, and what fails before the application answers: worded by us, logged unquoted."""

from __future__ import annotations

import logging
import traceback
import uuid
from http import HTTPStatus

from gunicorn.http import errors as gunicorn_errors
from gunicorn.http.errors import ParseException

from app.catalogue.load import MISTAKE
from app.catalogue.request import (
    HEADERS_TOO_LARGE,
    LINE_TOO_LONG,
    NO_METHOD,
    NO_REQUEST_LINE,
    NOT_READ,
    ODD_EXPECT,
    ODD_HEADER,
    ODD_HEADER_NAME,
    ODD_TRANSFER_CODING,
    ODD_VERSION,
)
from app.core.errors import GatewayError, InternalError
from app.formats.openai_error import encode_error
from app.server.error import (
    ExpectationFailed,
    HeadTooLarge,
    MalformedRequest,
    UnsupportedCoding,
    UnsupportedVersion,
    UriTooLong,
)

log = logging.getLogger(__name__)

_MESSAGES: dict[type[ParseException], GatewayError] = {
    gunicorn_errors.LimitRequestLine: UriTooLong(LINE_TOO_LONG),
    gunicorn_errors.LimitRequestHeaders: HeadTooLarge(HEADERS_TOO_LARGE),
    gunicorn_errors.ExpectationFailed: ExpectationFailed(ODD_EXPECT),
    gunicorn_errors.UnsupportedTransferCoding: UnsupportedCoding(ODD_TRANSFER_CODING),
    gunicorn_errors.InvalidHTTPVersion: UnsupportedVersion(ODD_VERSION),
    gunicorn_errors.InvalidRequestLine: MalformedRequest(NO_REQUEST_LINE),
    gunicorn_errors.InvalidRequestMethod: MalformedRequest(NO_METHOD),
    gunicorn_errors.InvalidHeaderName: MalformedRequest(ODD_HEADER_NAME),
    gunicorn_errors.InvalidHeader: MalformedRequest(ODD_HEADER),
}
_UNKNOWN = MalformedRequest(NOT_READ)


def translate_failure(exc: BaseException) -> GatewayError:
    """The failure as callers may know it: whoever sent what cannot be read, or we made a mistake."""
    if isinstance(exc, GatewayError):
        return exc
    if isinstance(exc, ParseException) and not _is_ours(exc):
        known = (error for kind, error in _MESSAGES.items() if isinstance(exc, kind))
        return next(known, _UNKNOWN)
    return InternalError(MISTAKE)


def build_refusal(error: GatewayError, request_id: str) -> bytes:
    """A whole answer, after which the connection is closed."""
    body = encode_error(error)
    status = HTTPStatus(error.status)
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nConnection: close\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nX-Request-Id: {request_id}\r\n"
        f"{_build_retry_field(error)}\r\n"
    )
    return head.encode("ascii") + body


def _build_retry_field(error: GatewayError) -> str:
    return "x-should-retry: false\r\n" if error.forbids_retry else ""


def choose_level(status: int) -> int:
    """Of the line of a request that ended with this status: what the server failed at stands out."""
    return logging.WARNING if status >= 500 else logging.INFO


def log_refusal(exc: BaseException, error: GatewayError, request_id: str) -> None:
    """One line like those of other requests. Where we failed, it names the place instead of the words."""
    fields = {"id": request_id, "path": "unknown", "status": error.status, "outcome": error.code}
    if isinstance(error, InternalError):
        frames = traceback.extract_tb(exc.__traceback__)
        fields["failure"] = type(exc).__name__
        fields["place"] = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else None
        log.error("unexpected failure in the server", extra={"fields": fields})
    else:
        log.log(choose_level(error.status), "request", extra={"fields": fields})


def make_request_id() -> str:
    return uuid.uuid4().hex


def _is_ours(exc: ParseException) -> bool:
    """A header that the application tried to send is no fault of the client's."""
    return isinstance(exc, gunicorn_errors.InvalidResponseHeader | gunicorn_errors.InvalidResponseHeaderName)
