"""The door of every route that needs credentials: `bp.before_request(require_caller)`."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from functools import partial
from typing import Any

from flask import Request, g
from flask.globals import app_ctx, request_ctx

from app.accounts.authenticator import Caller
from app.catalogue.credential import METRICS_KEY_SENT
from app.core.errors import CredentialsRejected, KeyLimited
from app.gateway import Gateway
from app.routes.peer import Networks, find_peer, is_trusted, warn_of_proxy
from app.routes.services import services
from app.server.request_log import RequestLog

# What proxies add to say for whom they ask.
_FORWARDING = frozenset({"HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP"})


def require_caller() -> None:
    """Admit the caller, who leaves when the response is closed. Preflights carry no credentials."""
    request = request_ctx.request
    if request.method != "OPTIONS":
        _admit(request)


def authenticate_watcher() -> None:
    """Admit the caller of a stream that asks nothing: it takes none of the places of a key's `parallel`."""
    request = request_ctx.request
    if request.method != "OPTIONS":
        known = services()
        g.caller = _authenticate(known, request, g.request_log)
        known.authenticator.leave(g.caller)


def authenticate() -> Caller:
    """Raises CredentialsRejected, KeyLimited or ShuttingDown."""
    return _admit(request_ctx.request)


def _admit(request: Request) -> Caller:
    """What flask's own `request` and `g` stand for is taken once: they look for it at each use."""
    known, held = services(), app_ctx.g
    request_log: RequestLog = held.request_log
    caller = held.caller = _authenticate(known, request, request_log)
    request_log.on_close(partial(known.authenticator.leave, caller))
    if request.method == "POST" and request.path.startswith("/v1/"):
        _note_request(caller, known, request_log)
    return caller


def _note_request(caller: Caller, known: Gateway, request_log: RequestLog) -> None:
    """For the watch. Nothing is kept of a caller of whose tokens the upstream never accepted one."""
    history = known.caller_stats.of(caller.queue)
    history.begin()

    def note_end() -> None:
        history.end(request_log.sample(), known.pool.waiting(caller.queue))
        if caller.key is not None or known.pool.knows_any(caller.refresh_tokens):
            known.caller_stats.keep(caller.queue, history)

    request_log.on_close(note_end)


def _read_authorization(environ: Mapping[str, Any]) -> str:
    """The Authorization header, or x-api-key as if it stood there behind `Bearer`.

    Where both came, x-api-key counts for nothing, whatever the other one says: balancers, which hash the
    credential, choose by the same rule, so that an account does not meet two owners.
    """
    header: str | None = environ.get("HTTP_AUTHORIZATION")
    return f"Bearer {environ.get('HTTP_X_API_KEY', '')}" if header is None else header


def shows_metrics_key() -> bool:
    """Whether the request carries METRICS_KEY."""
    return _is_metrics_key(_read_authorization(request_ctx.request.environ), services().settings.metrics_key)


def _is_metrics_key(authorization: str, key: str | None) -> bool:
    """Compared in constant time."""
    scheme, _, presented = authorization.partition(" ")
    return (
        key is not None
        and scheme.lower() == "bearer"
        and hmac.compare_digest(presented.strip(" \t").encode(), key.encode())
    )


def read_counted_peer() -> str | None:
    """The address that refused tokens count against, None where a proxy stands between that nobody named."""
    return _find_peers(request_ctx.request, services().settings.trusted_proxies)[1]


def _find_peers(request: Request, trusted: Networks) -> tuple[str, str | None]:
    """The client's address, as far as proxies are believed, and that of `read_counted_peer`."""
    remote = request.remote_addr or ""
    if _FORWARDING.isdisjoint(request.environ):
        return remote, remote
    peer = find_peer(remote, request.environ.get("HTTP_X_FORWARDED_FOR", ""), trusted)
    if is_trusted(remote, trusted):
        return peer, peer
    warn_of_proxy(remote)
    return peer, None


def _authenticate(known: Gateway, request: Request, request_log: RequestLog) -> Caller:
    known.active_requests.check()
    environ, settings = request.environ, known.settings
    authorization = _read_authorization(environ)
    if _is_metrics_key(authorization, settings.metrics_key):  # by name, and not counted as a wrong key
        raise CredentialsRejected(METRICS_KEY_SENT)
    if "HTTP_X_API_KEY" in environ:
        known.authenticator.refuse_own(environ["HTTP_X_API_KEY"])
    peer, counted_peer = _find_peers(request, settings.trusted_proxies)
    try:
        caller = known.authenticator.authenticate(authorization, peer, counted_peer=counted_peer)
    except KeyLimited as limited:
        request_log.forget_credentials()
        request_log.key = limited.key_label
        raise
    mended = ",".join(caller.refresh_tokens)
    if caller.key is None and mended not in authorization:
        request_log.hold(mended)
    if caller.key is not None:
        request_log.key = caller.key.label
    return caller
