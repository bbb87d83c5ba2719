"""The composition root: the WSGI application around a running gateway."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from flask import Flask, Request
from flask.sessions import NullSession, SessionInterface
from flask_cors import CORS

from app import logs
from app.catalogue.message import tell_in
from app.config import Settings
from app.formats import openai_error
from app.formats.anthropic_messages import error as anthropic_error
from app.formats.format import ErrorEncoder
from app.gateway import Gateway
from app.origin import EVERY_ORIGIN, compile_origins
from app.routes import (
    accounts,
    chat,
    conversations,
    description,
    health,
    images,
    messages,
    metrics,
    models,
    page,
    picture,
    recording,
    reference,
    responses,
    token,
    videos,
    watch,
)
from app.routes.api_path import ApiPaths
from app.routes.failure import FailurePages
from app.routes.services import EXTENSION
from app.server import request_log

_BLUEPRINTS = (
    accounts.bp,
    chat.bp,
    conversations.bp,
    description.bp,
    health.bp,
    images.bp,
    messages.bp,
    metrics.bp,
    models.bp,
    page.bp,
    picture.bp,
    recording.bp,
    reference.bp,
    responses.bp,
    token.bp,
    videos.bp,
    watch.bp,
)


class _NoSessions(SessionInterface):
    """Nothing here is kept in cookies: the one session of all requests refuses to hold anything."""

    _session = NullSession()

    def open_session(self, app: Flask, request: Request) -> NullSession:
        return self._session


class Application(Flask):
    """Its functions are plain: none has to be asked at each request whether it is a coroutine."""

    session_interface = _NoSessions()

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


def _build_failure_pages() -> FailurePages:
    """On paths that are nobody's own (/v1/models) who sends Anthropic's header hears its shape."""
    by_path: dict[str, ErrorEncoder] = {
        "/v1/chat/": openai_error.encode_error,
        "/v1/responses": openai_error.encode_error,
        "/v1/messages": anthropic_error.encode_error,
    }
    by_header = {"anthropic-version": anthropic_error.encode_error}
    return FailurePages(by_path, by_header, openai_error.encode_error)


def create_app(settings: Settings) -> Flask:
    """The WSGI application around a running gateway."""
    logs.configure(settings.log_level, settings.log_format)
    tell_in(settings.language)
    gateway = Gateway(settings)
    gateway.start()
    app = Application(__name__, static_folder=None)
    app.wsgi_app = ApiPaths(app.wsgi_app)  # type: ignore[method-assign]
    app.url_map.merge_slashes = False  # werkzeug would redirect, which loses a POST or its credentials
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.extensions[EXTENSION] = gateway
    request_log.install(app, gateway.active_requests, gateway.counters)
    for blueprint in _BLUEPRINTS:
        app.register_blueprint(blueprint)
    _build_failure_pages().install(app)
    CORS(
        app,
        resources=["/v1/*", "/token/check"],
        origins=_list_origins(settings.cors_origins),
        methods=["GET", "POST", "DELETE"],
        # What the SDKs of OpenAI and Anthropic read of an answer.
        expose_headers=["X-Request-Id", "Request-Id", "Retry-After", "X-Should-Retry"],
        send_wildcard=True,
        max_age=86400,
    )
    return app


def _list_origins(origins: tuple[str, ...]) -> list[str | re.Pattern[str]]:
    """Compiled, since Flask-CORS takes a text with brackets or stars for a regular expression."""
    return [EVERY_ORIGIN] if origins == (EVERY_ORIGIN,) else [*compile_origins(origins)]
