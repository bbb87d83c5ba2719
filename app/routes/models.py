"""GET /v1/models, in one shape for the clients of every API."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, Response, jsonify, request

from app.catalogue.path import NO_MODEL
from app.chat.mode import ALIAS_PREFIX, MODELS
from app.core.errors import NotFound
from app.routes.auth import require_caller

bp = Blueprint("models", __name__)
bp.before_request(require_caller)

# The day this list was written: clients want a number, and it must not change between calls.
_CREATED = 1_795_305_600
_CREATED_AT = datetime.fromtimestamp(_CREATED, UTC).isoformat().replace("+00:00", "Z")
_ALIASES = tuple([ALIAS_PREFIX + name for name in MODELS if name.startswith("glm")])


@bp.get("/v1/models")
def list_models() -> Response:
    """The names worth choosing from; others work too and mean the default assistant.

    One page, whatever the query says. `models` is where Codex looks for more than names: nothing here.
    """
    names = _list_names()
    page = {"has_more": False, "first_id": names[0], "last_id": names[-1]}
    return jsonify(object="list", data=[_describe(name) for name in names], **page, models=[])


@bp.get("/v1/models/<name>")
def get_model(name: str) -> Response:
    names = _list_names()
    if name not in names:
        raise NotFound(NO_MODEL.fill(name=name[:64], models=", ".join(names)))
    return jsonify(_describe(name))


def _list_names() -> tuple[str, ...]:
    """Claude Code takes up names alone that begin with `claude`; to others they would be a riddle."""
    return MODELS + _ALIASES if "anthropic-version" in request.headers else MODELS


def _describe(name: str) -> dict[str, object]:
    """OpenAI's fields, then Anthropic's."""
    return {
        "id": name,
        "object": "model",
        "created": _CREATED,
        "owned_by": "chatglm.cn",
        "type": "model",
        "display_name": name.removeprefix(ALIAS_PREFIX),
        "created_at": _CREATED_AT,
        "lifecycle": "active",
    }
