"""POST /token/check"""

from __future__ import annotations

import msgspec
from flask import Blueprint, Response, g, jsonify, request

from app.errors import AccountExpired, InvalidRequest
from app.routes.auth import parse_refresh_tokens
from app.routes.services import services

bp = Blueprint("token", __name__)


class _Check(msgspec.Struct):
    token: str


@bp.post("/token/check")
def check_token() -> Response:
    """Whether a refresh token is alive. A known answer is given again instead of asking the upstream."""
    tokens = parse_refresh_tokens(_parse_check(request.get_data(cache=False)))
    if len(tokens) != 1:
        raise InvalidRequest("`token` must hold one refresh token.", param="token")
    g.record.watch_client()
    (account,) = services().pool.find(tokens)
    g.record.account = account.label
    try:
        services().refresher.access_token(account)
    except AccountExpired:
        return jsonify(live=False)
    return jsonify(live=True)


def _parse_check(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=_Check).token
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InvalidRequest('Send {"token": "<refresh token>"} as JSON.', param="token") from None
