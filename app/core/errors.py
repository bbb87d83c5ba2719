"""Every failure a caller can see, with its HTTP status and what the accounts should learn from it.

GatewayError
├── InvalidRequest           400  the request itself is wrong; names the parameter
│   ├── UnsupportedValue     400  understood, but not something this gateway can do
│   │   └── ThreadsNotHeld   400  the client wants its conversation held, and can send all of it instead
│   ├── PromptTooLong        400  more text than the limit, here or upstream
│   ├── AnswerNotHeld        400  the answer to go on from is not held here, or not the latest
│   ├── ContentRefused       400  the upstream's content filter will not have this drawn
│   └── InvalidFile          400  an attached file is not what it is said to be, or cannot be read
│       ├── InvalidFileUrl   400  its address is wrong, or leads where files are not fetched from
│       ├── FileUnavailable  400  its server does not give it
│       └── FileTooLarge     400  more bytes than the limit, here or upstream
├── CredentialsRejected      401  no credentials, or unreadable ones
├── KeyForbidden             403  this gateway key may not do that
├── AccountExpired           401  the upstream refuses the account's tokens
├── NotFound                 404  no such path
├── ModelNotFound            404  the upstream knows no assistant with this id
├── ConversationNotFound     404  the conversation is not among the caller's accounts
├── MethodNotAllowed         405
├── ConversationBusy         409  the conversation is being answered and cannot be deleted
├── RequestTimeout           408  the body did not arrive in time
├── BodyTooLarge             413
├── UnsupportedEncoding      415  the body is compressed in a way that is not undone here
├── AccountsBusy             429  every account is answering or cooling down
│   └── LoginAnswering       429  the account is one that answers already, known by another token
├── KeyLimited               429  this key, or this peer's wrong keys or refused tokens, came too often
├── UpstreamThrottled        429  the upstream tells this account to slow down
│   └── AccountAnswering     429  the upstream says that this account already answers something
├── UpstreamBusy             503  the upstream is overloaded for everybody
│   └── AccountBlocked       503  the upstream's risk control keeps this account out
├── ConversationUncertain    503  not every account could say whether the conversation is its own
├── ShuttingDown             503  the gateway stops: ask again, another instance or this one soon
├── TooManyStreams           503  as many answers are open as may be
├── OutOfRoom                503  requests or events hold as many bytes as they may, in memory or on the disk
├── InternalError            500  our mistake
└── UpstreamError            502
    ├── UpstreamUnreachable  502  no connection, or it broke
    ├── UpstreamInvalid      502  an answer that is not what the protocol says
    │   └── UpstreamChanged  502  nor will it be before this gateway, or its clock, is mended
    ├── AccessRejected       502  an access token was refused; cured by one refresh
    ├── EmptyAnswer          502  the upstream finished an answer without words
    │   └── SilentAnswer     502  not one byte: a foreign conversation, a dead token
    ├── NoPicture            502  a drawing was asked for, and none came
    ├── VideoFailed          502  the upstream could not make a video
    ├── CutAnswer            502  the answer ended before its finish
    └── UpstreamTimeout      504  too slow
"""

from __future__ import annotations

from app.core.gateway_error import GatewayError as GatewayError  # noqa: PLC0414
from app.core.gateway_error import Outcome as Outcome  # noqa: PLC0414


class InternalError(GatewayError):
    pass


class InvalidRequest(GatewayError):
    status = 400
    code = "invalid_value"
    should_retry = False


class UnsupportedValue(InvalidRequest):
    code = "unsupported_value"


class ThreadsNotHeld(UnsupportedValue):
    pass


class PromptTooLong(InvalidRequest):
    code = "context_length_exceeded"
    tokens: tuple[int, int] | None = None
    """How many there are, and how many there may be, estimated; None where that is not known."""


class AnswerNotHeld(InvalidRequest):
    code = "previous_response_not_found"


class InvalidFile(InvalidRequest):
    code = "invalid_file"


class InvalidFileUrl(InvalidFile):
    code = "invalid_file_url"


class FileUnavailable(InvalidFile):
    code = "file_unavailable"
    should_retry = True


class FileTooLarge(InvalidFile):
    code = "file_too_large"


class ContentRefused(InvalidRequest):
    code = "content_policy_violation"


class CredentialsRejected(GatewayError):
    status = 401
    code = "invalid_api_key"
    should_retry = False


class KeyForbidden(GatewayError):
    status = 403
    code = "forbidden"
    should_retry = False


class AccountExpired(GatewayError):
    status = 401
    code = "account_expired"
    should_retry = False
    outcome = Outcome.REJECTED


class NotFound(GatewayError):
    status = 404
    code = "not_found"
    should_retry = False


class ModelNotFound(GatewayError):
    """Another account may know the assistant: some are shown to their makers alone."""

    status = 404
    code = "model_not_found"
    should_retry = False
    outcome = Outcome.OK


class ConversationNotFound(GatewayError):
    status = 404
    code = "conversation_not_found"
    should_retry = False


class MethodNotAllowed(GatewayError):
    status = 405
    code = "method_not_allowed"
    should_retry = False


class ConversationBusy(GatewayError):
    status = 409
    code = "conversation_busy"


class RequestTimeout(GatewayError):
    status = 408
    code = "request_timeout"


class BodyTooLarge(GatewayError):
    status = 413
    code = "request_too_large"
    should_retry = False


class UnsupportedEncoding(GatewayError):
    status = 415
    code = "unsupported_encoding"
    should_retry = False


class AccountsBusy(GatewayError):
    status = 429
    code = "accounts_busy"


class LoginAnswering(AccountsBusy):
    """Told once, when a token's login is learnt; whoever meets it waits in line for that login."""


class KeyLimited(GatewayError):
    status = 429
    code = "rate_limit_exceeded"
    key_label: str | None = None
    """Of the gateway key whose own limit it is."""


class UpstreamThrottled(GatewayError):
    status = 429
    code = "upstream_throttled"
    outcome = Outcome.RATE_LIMITED


class AccountAnswering(UpstreamThrottled):
    code = "account_answering"


class UpstreamBusy(GatewayError):
    status = 503
    code = "upstream_busy"
    outcome = Outcome.UNREACHABLE


class AccountBlocked(UpstreamBusy):
    code = "account_blocked"
    should_retry = False
    outcome = Outcome.BLOCKED


class ConversationUncertain(GatewayError):
    status = 503
    code = "conversation_uncertain"


class ShuttingDown(GatewayError):
    """Raised wherever a request waits when the time for shutting down is over; not to be held back."""

    status = 503
    code = "shutting_down"


class TooManyStreams(GatewayError):
    status = 503
    code = "too_many_streams"


class OutOfRoom(GatewayError):
    status = 503
    code = "out_of_room"


class UpstreamError(GatewayError):
    status = 502
    code = "upstream_error"
    outcome = Outcome.UNREACHABLE


class UpstreamUnreachable(UpstreamError):
    code = "upstream_unreachable"


class UpstreamInvalid(UpstreamError):
    code = "upstream_invalid"


class UpstreamChanged(UpstreamInvalid):
    should_retry = False


class AccessRejected(UpstreamError):
    code = "access_rejected"
    outcome = Outcome.REJECTED


class EmptyAnswer(UpstreamError):
    code = "empty_answer"


class SilentAnswer(EmptyAnswer):
    pass


class NoPicture(UpstreamError):
    code = "no_picture"


class VideoFailed(UpstreamError):
    code = "video_failed"
    outcome = Outcome.ABANDONED


class CutAnswer(UpstreamError):
    code = "answer_cut"


class UpstreamTimeout(UpstreamError):
    status = 504
    code = "upstream_timeout"
