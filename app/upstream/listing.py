"""What an account may choose from: the models of its menu, the assistants it used (protocol notes 10).

The list of models was captured, an entry of the list of assistants never was: anything in it counts that has
24 hex digits for an id and a text for a name. Whoever made an assistant chose its name, so all of it is
bounded and cleaned.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, TypeVar

from app.auth_token import AccessToken
from app.core.errors import AccessRejected, GatewayError, UpstreamError, UpstreamTimeout, UpstreamUnreachable
from app.core.listing import MAX_READ_CHARS, Assistant, Listing, clean_name
from app.core.model_name import find_selected_model, is_assistant_id
from app.hub import cooperate
from app.logs import redactor
from app.upstream.client import UpstreamClient
from app.upstream.envelope import first_string
from app.upstream.request import DEFAULT_ASSISTANT_ID, DRAWING_ASSISTANT_ID

MODELS_PATH = "/chatglm/agent-api/operation/detail?tag=available_models"
# The one that was captured last comes first.
ASSISTANTS_PATHS = (
    "/chatglm/feed-api/assistant_top/v4/recent_list",
    "/chatglm/operation-api/assistant_top/v4/recent_list",
)

_CALL_SECONDS = 5.0
_MAX_MODELS = 50
_MAX_MODEL_CHARS = 40
_MAX_ASSISTANTS = 100
_MAX_NODES = 2000
# Who answers to `glm` and `cogview-3`.
_NAMED_ALREADY = (DEFAULT_ASSISTANT_ID, DRAWING_ASSISTANT_ID)

_T = TypeVar("_T")


def ask_listing(client: UpstreamClient, token: AccessToken) -> Listing:
    """What could be read of both lists. Raises the GatewayError of the second where neither could be."""
    models = None
    try:
        models = parse_models(client.ask("GET", MODELS_PATH, token, b"", _CALL_SECONDS))
    except AccessRejected:
        raise
    except GatewayError:
        pass
    try:
        return Listing(models, _ask_assistants(client, token))
    except GatewayError:
        if models is None:
            raise
        return Listing(models)


def _ask_assistants(client: UpstreamClient, token: AccessToken) -> tuple[Assistant, ...] | None:
    """Where one place does not have the list, the other may."""
    first, second = ASSISTANTS_PATHS
    try:
        return parse_assistants(client.ask("GET", first, token, b"", _CALL_SECONDS))
    except (AccessRejected, UpstreamTimeout, UpstreamUnreachable):
        raise
    except UpstreamError:  # as for a call that has died (protocol notes 0.2 row 12)
        return parse_assistants(client.ask("GET", second, token, b"", _CALL_SECONDS))


def parse_models(result: Any) -> tuple[str, ...] | None:
    """The names in `models[].selected_model` that a request can select; None without such a list."""
    models = result.get("models") if isinstance(result, dict) else None
    return _take_distinct(map(_read_model, models), _MAX_MODELS, str) if isinstance(models, list) else None


def parse_assistants(result: Any) -> tuple[Assistant, ...] | None:
    """Every assistant in `result`, however deep, but for those that have a model's name here.

    None where that is neither a list nor an object.
    """
    if not isinstance(result, list | dict):
        return None
    return _take_distinct(_walk(result), _MAX_ASSISTANTS, lambda assistant: assistant.id)


def _read_model(model: Any) -> str | None:
    name = (first_string(model, "selected_model") or "").lower()
    return name if name and len(name) <= _MAX_MODEL_CHARS and find_selected_model(name) == name else None


def _walk(result: list[Any] | dict[str, Any]) -> Iterator[Assistant | None]:
    """Those nearer to the root first, in the order of the list."""
    waiting: deque[Any] = deque([result])
    for _ in range(_MAX_NODES):
        if not waiting:
            return
        node = waiting.popleft()
        assistant = _read_assistant(node)
        if assistant is not None:
            yield assistant if assistant.id not in _NAMED_ALREADY else None
        elif isinstance(node, list | dict):
            children = node.values() if isinstance(node, dict) else node
            waiting.extend(islice(children, _MAX_NODES - len(waiting)))


def _read_assistant(node: Any) -> Assistant | None:
    assistant_id = (first_string(node, "assistant_id", "bot_id", "id", "_id") or "").lower()
    name = first_string(node, "name", "assistant_name", "title", "display_name")
    if name is None or not is_assistant_id(assistant_id):
        return None
    return Assistant(assistant_id, _keep_harmless(name))


def _keep_harmless(name: str) -> str:
    """The name cleaned; none where a secret stands in it, as it was or put together by the cleaning."""
    cooperate()
    name, cleaned = name[:MAX_READ_CHARS], clean_name(name)
    return cleaned if all(redactor.redact(text) == text for text in (name, cleaned)) else ""


def _take_distinct(found: Iterator[_T | None], most: int, key: Callable[[_T], str]) -> tuple[_T, ...]:
    """The first of each key, and no more than so many."""
    distinct: dict[str, _T] = {}
    for one in found:
        if one is not None:
            distinct.setdefault(key(one), one)
        if len(distinct) == most:
            break
    return tuple(distinct.values())
