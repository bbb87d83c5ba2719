"""What the server refuses before, or while, the application is asked: a branch of the tree in core/errors.py.

GatewayError
├── InvalidRequest
│   └── MalformedRequest   400  no HTTP, or a body that is not framed as its head says
├── UriTooLong             414
├── ExpectationFailed      417  `Expect` wants something else than 100-continue
├── HeadTooLarge           431  header fields that are too many or too long
├── UnsupportedCoding      501  a transfer coding other than chunked
└── UnsupportedVersion     505  another HTTP than 1.0 and 1.1

No message quotes what came: whatever stands where HTTP wants something else may be a prompt or a token.
"""

from __future__ import annotations

from app.core.errors import GatewayError, InvalidRequest


class MalformedRequest(InvalidRequest):
    code = "malformed_request"


class UriTooLong(GatewayError):
    status = 414
    code = "uri_too_long"
    should_retry = False


class ExpectationFailed(GatewayError):
    status = 417
    code = "expectation_failed"
    should_retry = False


class HeadTooLarge(GatewayError):
    status = 431
    code = "headers_too_large"
    should_retry = False


class UnsupportedCoding(GatewayError):
    status = 501
    code = "unsupported_transfer_coding"
    should_retry = False


class UnsupportedVersion(GatewayError):
    status = 505
    code = "unsupported_http_version"
    should_retry = False
