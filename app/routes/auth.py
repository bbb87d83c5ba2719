"""The door of every route that needs credentials: `bp.before_request(require_caller)`."""

from __future__ import annotations

import hmac

from flask import g, request

from app.accounts.gate import Caller
from app.errors import CredentialsRejected
from app.routes.peer import find_peer
from app.routes.services import services


def require_caller() -> None:
    """Admit the caller, who leaves when the response is closed. Preflights carry no credentials."""
    if request.method != "OPTIONS":
        admit()


def look_in() -> None:
    """Admit the caller of a stream that asks nothing: it takes none of the places of a key's `parallel`."""
    if request.method != "OPTIONS":
        services().gate.leave(_let_in())


def admit() -> Caller:
    """Raises CredentialsRejected, KeyLimited or ShuttingDown."""
    caller, known, record = _let_in(), services(), g.record
    record.on_close(lambda: known.gate.leave(caller))
    if request.method == "POST" and request.path.startswith("/v1/"):
        history = known.traffic.of(caller.queue)
        history.begin()
        record.on_close(lambda: history.end(record.sample(), known.pool.waiting(caller.queue)))
    return caller


def shows_metrics_key() -> bool:
    """Whether the request carries METRICS_KEY, compared in constant time."""
    key = services().settings.metrics_key
    scheme, _, presented = request.headers.get("Authorization", "").partition(" ")
    return (
        key is not None
        and scheme.lower() == "bearer"
        and hmac.compare_digest(presented.strip().encode(), key.encode())
    )


def _let_in() -> Caller:
    known = services()
    known.presence.check()
    if shows_metrics_key():  # else it would go upstream as somebody's refresh token
        raise CredentialsRejected("METRICS_KEY opens /metrics alone. Send a refresh token or a gateway key.")
    forwarded = request.headers.get("X-Forwarded-For", "")
    peer = find_peer(request.remote_addr or "", forwarded, known.settings.trusted_proxies)
    caller = known.gate.admit(request.headers.get("Authorization", ""), peer)
    g.caller = caller
    return caller
