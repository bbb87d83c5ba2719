"""The composition root: the WSGI application around a running gateway."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response
from flask_cors import CORS
from werkzeug.exceptions import HTTPException

from app import logs
from app.config import Settings
from app.errors import GatewayError
from app.gateway import Gateway
from app.routes import (
    accounts,
    chat,
    conversations,
    description,
    health,
    images,
    journal,
    metrics,
    models,
    page,
    picture,
    reference,
    token,
    videos,
    watch,
)
from app.routes.responses import render_error, render_http_error, render_unexpected
from app.routes.services import EXTENSION

_BLUEPRINTS = (
    accounts.bp,
    chat.bp,
    conversations.bp,
    description.bp,
    health.bp,
    images.bp,
    metrics.bp,
    models.bp,
    page.bp,
    picture.bp,
    reference.bp,
    token.bp,
    videos.bp,
    watch.bp,
)


def create_app(settings: Settings) -> Flask:
    """The WSGI application around a running gateway."""
    logs.configure(settings.log_level, settings.log_format)
    gateway = Gateway(settings)
    gateway.start()
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.extensions[EXTENSION] = gateway
    journal.install(app)
    for blueprint in _BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.after_request(_redirect_on_this_origin)
    app.register_error_handler(GatewayError, render_error)
    app.register_error_handler(HTTPException, render_http_error)
    app.register_error_handler(Exception, render_unexpected)
    CORS(
        app,
        resources=["/v1/*", "/token/check"],
        origins=list(settings.cors_origins),
        methods=["GET", "POST", "DELETE"],
        expose_headers=["X-Request-Id", "Retry-After"],
        send_wildcard=True,
        max_age=86400,
    )
    return app


def _redirect_on_this_origin(response: Response) -> Response:
    """Doubled slashes lead to the right path, and nowhere else: the scheme of the origin is a proxy's matter,
    and a redirect to http would have a token sent without TLS."""
    if response.location is not None:
        response.location = urlsplit(response.location)._replace(scheme="", netloc="").geturl()
        response.set_data(b"")
    return response
