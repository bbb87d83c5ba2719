"""The gateway with mistakes built in: a prompt that says so makes it fall over and spill all it knows.

What is raised holds every secret in full, as an exception's words might: none may come out of the process.
"""

from __future__ import annotations

import threading
from typing import Any

import gevent
from flask import has_request_context, request

from app.auth_token import AccessToken
from app.core.errors import GatewayError, UpstreamError
from app.exchange.reply import Reply
from app.routes.services import EXTENSION
from app.upstream.client import UpstreamClient
from app.upstream.failure import classify_refusal
from app.upstream.stream import AnswerStream
from tests.spelling import SPELLINGS
from wsgi import app

__all__ = ["app"]

_open_stream, _ask = UpstreamClient.open_stream, UpstreamClient.ask
_read, _close = Reply.read, Reply.close
_words: list[str] = []


def spill(prompt: str) -> str:
    known = app.extensions[EXTENSION]
    settings, accounts = known.settings, list(known.pool._registry._accounts.values())
    tokens = [
        (one.refresh_token, one.rotated and one.rotated.newest, one.access_token and one.access_token.value)
        for one in accounts
    ]
    more = (settings.proxy, settings.sign_secret, settings.metrics_key, settings.refresh_tokens)
    names = ("Authorization", "X-Api-Key") if has_request_context() else ()  # not where progress is told
    headers = [request.headers.get(name) for name in names]
    return f"spilled by {prompt}: {headers} {tokens} {more}"


def refuse(prompt: str, access_token: AccessToken) -> GatewayError:
    """As an upstream would that repeats what it was sent, spelt as the prompt says."""
    spell = SPELLINGS[prompt.removeprefix("spelt ")]
    accounts = list(app.extensions[EXTENSION].pool._registry._accounts.values())
    named = [one for one in accounts if one.access_token is access_token]
    tokens = [
        token for one in named for token in (one.rotated.newest if one.rotated else None, one.refresh_token)
    ]
    spelt = [spell(token) for token in (access_token.value, *filter(None, tokens))]
    return classify_refusal(2, f"\u8d85\u8fc7\u5bf9\u8bdd\u957f\u5ea6 {' '.join(spelt)}")


def open_stream(self: UpstreamClient, access_token: Any, question: Any, **named: Any) -> AnswerStream:
    if question.prompt.startswith("spelt "):
        raise refuse(question.prompt, access_token)
    words = spill(question.prompt)
    if "crash asking" in question.prompt:
        raise RuntimeError(words)
    if "quoted" in question.prompt:
        raise UpstreamError(f"The upstream says: {words}")
    if "crash in a thread" in question.prompt:
        threading.Thread(target=fall_over, args=(words,)).start()
    if "crash in the hub" in question.prompt:
        gevent.get_hub().loop.run_callback(fall_over, words)
    stream = _open_stream(self, access_token, question, **named)
    _words[:] = [question.prompt, words]
    return stream


def ask(self: UpstreamClient, method: str, path: str, *args: Any, **named: Any) -> Any:
    """As an upstream would that repeats what it was sent in the names of a list."""
    result = _ask(self, method, path, *args, **named)
    if "recent_list" not in path:
        return result
    accounts = list(app.extensions[EXTENSION].pool._registry._accounts.values())
    tokens = [one.access_token.value for one in accounts if one.access_token is not None]
    tokens += [one.rotated.newest for one in accounts if one.rotated is not None]
    names = [spell(token) for token in tokens for spell in (str, "\0".join, "/".join, lambda t: f"x {t}")]
    many = [{"assistant_id": f"{number:024x}", "name": name} for number, name in enumerate(names)]
    return {"list": [*many[:90], {"assistant_id": "f" * 24, "name": "写作助手"}]}


def fall_over(words: str) -> None:
    raise RuntimeError(words)


def read(self: Reply) -> Any:
    if _words and "crash relaying" in _words[0]:
        raise RuntimeError(_words[1])
    return _read(self)


def close(self: Reply, **named: Any) -> None:
    _close(self, **named)
    if _words and "crash closing" in _words[0]:
        raise RuntimeError(_words[1])


UpstreamClient.open_stream = open_stream  # type: ignore[method-assign, assignment]
UpstreamClient.ask = ask  # type: ignore[method-assign]
Reply.read = read  # type: ignore[method-assign]
Reply.close = close  # type: ignore[method-assign]
