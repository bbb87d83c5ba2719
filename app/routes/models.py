"""GET /v1/models, in one shape for the clients of every API."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import starmap

from flask import Blueprint, Response, g, jsonify, request

from app.catalogue.path import NO_MODEL
from app.core.errors import NotFound
from app.core.model_name import ALIAS_PREFIX, MODELS
from app.routes.auth import require_caller
from app.routes.services import services

bp = Blueprint("models", __name__)
bp.before_request(require_caller)

# The day this list was written: clients want a number, and it must not change between calls.
_CREATED = 1_795_305_600
_CREATED_AT = datetime.fromtimestamp(_CREATED, UTC).isoformat().replace("+00:00", "Z")


@bp.get("/v1/models")
def list_models() -> Response:
    """The names worth choosing from; others work too and mean the default assistant.

    One page, whatever the query says. `models` is where Codex looks for more than names: nothing here.
    """
    labels = _label_always() | _label_offered()
    names = list(labels)
    page = {"has_more": False, "first_id": names[0], "last_id": names[-1]}
    return jsonify(object="list", data=list(starmap(_describe, labels.items())), **page, models=[])


@bp.get("/v1/models/<name>")
def get_model(name: str) -> Response:
    """What is always there is told at once."""
    always = _label_always()
    label = always.get(name) or _label_offered().get(name)
    if label is None:
        raise NotFound(NO_MODEL.fill(name=name[:64], models=", ".join(always)))
    return jsonify(_describe(name, label))


def _label_always() -> dict[str, str]:
    """What people read, by name."""
    return _add_aliases({name: name for name in MODELS})


def _label_offered() -> dict[str, str]:
    """As the upstream offers this caller, which may take two seconds."""
    listing = services().model_list.look(g.caller)
    models = _add_aliases({name: name for name in listing.models or () if name not in MODELS})
    return models | {one.model: one.name or one.id for one in listing.assistants or ()}


def _add_aliases(labels: dict[str, str]) -> dict[str, str]:
    """Claude Code takes up names alone that begin with `claude`; to others they would be a riddle."""
    if "anthropic-version" not in request.headers:
        return labels
    return labels | {ALIAS_PREFIX + name: label for name, label in labels.items() if name.startswith("glm")}


def _describe(name: str, label: str) -> dict[str, object]:
    """OpenAI's fields, then Anthropic's."""
    return {
        "id": name,
        "object": "model",
        "created": _CREATED,
        "owned_by": "chatglm.cn",
        "type": "model",
        "display_name": label,
        "created_at": _CREATED_AT,
        "lifecycle": "active",
    }
