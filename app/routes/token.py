"""POST /token/check"""

from __future__ import annotations

import msgspec
from flask import Blueprint, Response, g, jsonify, request

from app.catalogue.account import COULD_NOT_ASK
from app.core.errors import (
    AccountBlocked,
    GatewayError,
    InvalidRequest,
    KeyLimited,
    ShuttingDown,
    UpstreamBusy,
    UpstreamThrottled,
)
from app.core.upstream_words import keep_words
from app.gateway import Gateway
from app.routes.auth import authenticate, read_counted_peer
from app.routes.body import SMALL_BODY_BYTES, read_body
from app.routes.services import services

bp = Blueprint("token", __name__)

_MAX_TOKENS = 20
_RETRY_SECONDS = 5.0


class _Check(msgspec.Struct):
    token: str


@bp.post("/token/check")
def check_token() -> Response:
    """Whether refresh tokens are alive: `{"live": bool}`, and one entry a token where several were given."""
    known = services()
    if known.authenticator.needs_key:
        authenticate()
    tokens = _parse_tokens(known, read_body(known, SMALL_BODY_BYTES))
    g.request_log.begin_reply()
    try:
        is_fresh = request.args.get("fresh") == "1"
        checks = known.checker.check(tokens, fresh=is_fresh, peer=read_counted_peer())
    except (ShuttingDown, KeyLimited):
        raise
    except GatewayError as error:
        raise keep_words(_explain(error), error) from error
    answer: dict[str, object] = {"live": all(check.live for check in checks)}
    if len(checks) > 1:
        answer["tokens"] = [
            {"label": check.label, "live": check.live, "reason": check.reason} for check in checks
        ]
    return jsonify(answer)


def _explain(error: GatewayError) -> GatewayError:
    """That the upstream slows the account down or keeps it out is told as such: nobody remembers it."""
    kind = type(error) if isinstance(error, UpstreamThrottled | AccountBlocked) else UpstreamBusy
    return kind(COULD_NOT_ASK.then(error.said), retry_after_seconds=_RETRY_SECONDS)


def _parse_tokens(known: Gateway, body: bytes) -> tuple[str, ...]:
    try:
        text = msgspec.json.decode(body, type=_Check).token
        g.request_log.hold(text)
        tokens = known.authenticator.parse_tokens(text)
        g.request_log.hold(",".join(tokens))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InvalidRequest('Send {"token": "<refresh token>"} as JSON.', param="token") from None
    except GatewayError as error:
        raise InvalidRequest(error.said, param="token") from None
    if not 0 < len(tokens) <= _MAX_TOKENS:
        raise InvalidRequest(f"`token` must hold 1 to {_MAX_TOKENS} refresh tokens.", param="token")
    return tokens
