"""The door of every route that needs credentials: `bp.before_request(require_caller)`."""

from __future__ import annotations

from flask import g, request

from app.accounts.gate import Caller
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


def _let_in() -> Caller:
    known = services()
    known.presence.check()
    forwarded = request.headers.get("X-Forwarded-For", "")
    peer = find_peer(request.remote_addr or "", forwarded, known.settings.trusted_proxies)
    caller = known.gate.admit(request.headers.get("Authorization", ""), peer)
    g.caller = caller
    return caller
