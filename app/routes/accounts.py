"""GET /v1/accounts: how the caller's own accounts feel. Labels and states, no secrets."""

from __future__ import annotations

from flask import Blueprint, Response, g, jsonify

from app.catalogue.credential import NOT_ADMIN
from app.core.errors import KeyForbidden
from app.core.standing import Standing
from app.routes.auth import require_caller
from app.routes.services import services

bp = Blueprint("accounts", __name__)
bp.before_request(require_caller)


@bp.get("/v1/accounts")
def list_accounts() -> Response:
    """With gateway keys the accounts are the operator's, so only an admin key may see them."""
    if not g.caller.may_see_accounts:
        raise KeyForbidden(NOT_ADMIN)
    known, tokens = services(), g.caller.refresh_tokens
    standings = known.standings.look(known.pool.get_or_add(tokens))
    described = zip(known.pool.describe(tokens), standings, strict=True)
    return jsonify(object="list", data=[account | _describe(standing) for account, standing in described])


def _describe(standing: Standing | None) -> dict[str, object]:
    """What the upstream says, nothing where it was not asked yet or does not say."""
    if standing is None:
        return {}
    named = {"points": standing.points, "is_blocked": standing.is_blocked}
    return {name: value for name, value in named.items() if value is not None}
