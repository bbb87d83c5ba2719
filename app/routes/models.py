"""GET /v1/models"""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from app.catalogue.path import NO_MODEL
from app.chat.mode import MODELS
from app.core.errors import NotFound
from app.routes.auth import require_caller

bp = Blueprint("models", __name__)
bp.before_request(require_caller)

# The day this list was written: clients want a number, and it must not change between calls.
_CREATED = 1_795_305_600


@bp.get("/v1/models")
def list_models() -> Response:
    """The names worth choosing from; others work too and mean the default assistant."""
    return jsonify(object="list", data=[_describe(name) for name in MODELS])


@bp.get("/v1/models/<name>")
def get_model(name: str) -> Response:
    if name not in MODELS:
        raise NotFound(NO_MODEL.fill(name=name[:64], models=", ".join(MODELS)))
    return jsonify(_describe(name))


def _describe(name: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": _CREATED, "owned_by": "chatglm.cn"}
