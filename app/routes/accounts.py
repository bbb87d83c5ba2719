"""GET /v1/accounts: how the caller's own accounts feel. Labels and states, no secrets."""

from __future__ import annotations

from flask import Blueprint, Response, g, jsonify

from app.catalogue.credential import NOT_ADMIN
from app.core.errors import KeyForbidden
from app.routes.auth import require_caller
from app.routes.services import services

bp = Blueprint("accounts", __name__)
bp.before_request(require_caller)


@bp.get("/v1/accounts")
def list_accounts() -> Response:
    """With gateway keys the accounts are the operator's, so only an admin key may see them."""
    if not g.caller.may_see_accounts:
        raise KeyForbidden(NOT_ADMIN)
    return jsonify(object="list", data=services().pool.describe(g.caller.refresh_tokens))
