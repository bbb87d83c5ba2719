"""glm-api: an OpenAI-compatible gateway to the caller's own accounts of the chatglm.cn web chat."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask
from flask_cors import CORS
from werkzeug.exceptions import HTTPException

from app import logs
from app.accounts.pool import AccountPool
from app.accounts.refresh import Refresher
from app.chat.service import ChatService
from app.config import Settings
from app.conversations.cleaner import Cleaner
from app.conversations.ledger import Conversation, Ledger
from app.errors import AccessRejected, AccountExpired, GatewayError
from app.routes import chat, health, journal, models, token
from app.routes.responses import render_error, render_http_error, render_unexpected
from app.routes.services import EXTENSION, Services
from app.state import State
from app.upstream.client import UpstreamAddress, UpstreamClient


def create_app(settings: Settings) -> Flask:
    """Put the gateway together; the only place where clients, threads and state are made."""
    logs.configure(settings.log_level, settings.log_format)
    upstream = UpstreamClient(
        UpstreamAddress(
            settings.upstream_url, settings.sign_secret, settings.proxy, settings.connect_timeout_seconds
        )
    )
    pool = AccountPool()
    refresher = Refresher(upstream.refresh)
    ledger = Ledger(State())
    cleaner = Cleaner(ledger, _deleter(pool, refresher, upstream))
    cleaner.start()

    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.extensions[EXTENSION] = Services(
        chat=ChatService(settings, upstream, pool, refresher, ledger, cleaner), pool=pool, refresher=refresher
    )
    journal.install(app)
    for blueprint in (chat.bp, models.bp, token.bp, health.bp):
        app.register_blueprint(blueprint)
    app.register_error_handler(GatewayError, render_error)
    app.register_error_handler(HTTPException, render_http_error)
    app.register_error_handler(Exception, render_unexpected)
    CORS(app, resources=["/v1/*", "/token/check"], origins=list(settings.cors_origins), max_age=86400)
    return app


def _deleter(
    pool: AccountPool, refresher: Refresher, upstream: UpstreamClient
) -> Callable[[Conversation], None]:
    """The cleaner's arm: delete a conversation with its owner's own token."""

    def delete(conversation: Conversation) -> None:
        account = pool.get(conversation.owner)
        if account is None:
            raise AccountExpired("The owner of this conversation has not shown up yet.")
        token = refresher.access_token(account)
        try:
            upstream.delete_conversation(token, conversation.id, conversation.assistant_id)
        except AccessRejected:
            token = refresher.access_token(account, rejected=token)
            upstream.delete_conversation(token, conversation.id, conversation.assistant_id)

    return delete
