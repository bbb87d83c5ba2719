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


def admit() -> Caller:
    """Raises CredentialsRejected, KeyLimited or ShuttingDown."""
    known = services()
    known.presence.check()
    forwarded = request.headers.get("X-Forwarded-For", "")
    peer = find_peer(request.remote_addr or "", forwarded, known.settings.trusted_proxies)
    caller = known.gate.admit(request.headers.get("Authorization", ""), peer)
    g.caller = caller
    g.record.on_close(lambda: known.gate.leave(caller))
    return caller
