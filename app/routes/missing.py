"""What a path that leads nowhere is told: the path itself, why, and what is offered instead."""

from __future__ import annotations

from collections.abc import Sequence

from werkzeug.routing import Map

from app.catalogue import path as says
from app.catalogue.message import Message
from app.logs import redactor

_MAX_PATH_CHARS = 100
# By their first names behind /v1, or where /v1 was forgotten.
_NOT_OFFERED = {
    "embeddings": says.EMBEDDINGS,
    "audio": says.AUDIO,
    "conversations": says.CONVERSATIONS,
    "moderations": says.MODERATIONS,
    "completions": says.COMPLETIONS,
    "realtime": says.REALTIME,
    **dict.fromkeys(
        ("assistants", "batches", "files", "fine_tuning", "threads", "uploads", "vector_stores"), says.STORED
    ),
}
_ABOUT_INPUTS = frozenset({"compact", "input_tokens"})
_OLLAMA = frozenset({"chat", "embed", "embeddings", "generate", "ps", "pull", "show", "tags", "version"})


def is_left_out(path: str) -> bool:
    """Whether it is an endpoint of others, which may look like a path of ours with a name in it."""
    return _find_reason(path) is not None


def explain_missing(path: str, offered: Sequence[str]) -> Message:
    """The words of a 404. `path` is without its query; `offered` are the paths of the API."""
    told = says.PATH_WAS.fill(path=redactor.quote(path, _MAX_PATH_CHARS))
    reason = _find_reason(path)
    if reason is not None:
        return says.NOTHING_THERE.then(reason, told)
    said = says.NOTHING_THERE.then(says.API_BELOW_V1, told)
    if any(path.endswith(one.removeprefix("/v1")) for one in offered):
        return said.then(says.TOO_LONG_BASE)
    return said.then(says.OFFERED.fill(paths=", ".join(offered)))


def list_offered(url_map: Map) -> list[str]:
    """The paths of the API, those without a name in them."""
    return sorted(
        {rule.rule for rule in url_map.iter_rules() if rule.rule.startswith("/v1/") and not rule.arguments}
    )


def _find_reason(path: str) -> Message | None:
    """Why there is nothing, where others have something."""
    match [segment for segment in path.split("/") if segment]:
        case ["v1beta", *_]:
            return says.GEMINI
        case ["v1", "models", name] if ":" in name:
            return says.GEMINI
        case ["v1", "responses", name] if name in _ABOUT_INPUTS:
            return says.ABOUT_INPUTS
        case ["api", name, *_] if name in _OLLAMA:
            return says.OLLAMA
        case ["v1", name, *_] | [name, *_]:
            return _NOT_OFFERED.get(name)
        case _:
            return None
