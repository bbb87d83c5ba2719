"""The door of every route that needs credentials: `bp.before_request(require_caller)`."""

from __future__ import annotations

import hmac

from flask import g, request

from app.accounts.authenticator import Caller
from app.catalogue.credential import METRICS_KEY_SENT
from app.core.errors import CredentialsRejected, KeyLimited
from app.gateway import Gateway
from app.routes.peer import find_peer, is_trusted, warn_of_proxy
from app.routes.services import services
from app.server.request_log import RequestLog

# What proxies add to say for whom they ask.
_FORWARDING = ("X-Forwarded-For", "Forwarded", "X-Real-Ip")


def require_caller() -> None:
    """Admit the caller, who leaves when the response is closed. Preflights carry no credentials."""
    if request.method != "OPTIONS":
        authenticate()


def authenticate_watcher() -> None:
    """Admit the caller of a stream that asks nothing: it takes none of the places of a key's `parallel`."""
    if request.method != "OPTIONS":
        services().authenticator.leave(_authenticate())


def authenticate() -> Caller:
    """Raises CredentialsRejected, KeyLimited or ShuttingDown."""
    caller, known, request_log = _authenticate(), services(), g.request_log
    request_log.on_close(lambda: known.authenticator.leave(caller))
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


def read_authorization() -> str:
    """The Authorization header, or x-api-key as if it stood there behind `Bearer`.

    Where both came, x-api-key counts for nothing, whatever the other one says: balancers, which hash the
    credential, choose by the same rule, so that an account does not meet two owners.
    """
    header = request.headers.get("Authorization")
    return f"Bearer {request.headers.get('X-Api-Key', '')}" if header is None else header


def shows_metrics_key() -> bool:
    """Whether the request carries METRICS_KEY, compared in constant time."""
    key = services().settings.metrics_key
    scheme, _, presented = read_authorization().partition(" ")
    return (
        key is not None
        and scheme.lower() == "bearer"
        and hmac.compare_digest(presented.strip(" \t").encode(), key.encode())
    )


def read_counted_peer() -> str | None:
    """The address that refused tokens count against, None where a proxy stands between that nobody named."""
    remote, trusted = request.remote_addr or "", services().settings.trusted_proxies
    if any(name in request.headers for name in _FORWARDING) and not is_trusted(remote, trusted):
        warn_of_proxy(remote)
        return None
    return _find_peer()


def _find_peer() -> str:
    forwarded = request.headers.get("X-Forwarded-For", "")
    return find_peer(request.remote_addr or "", forwarded, services().settings.trusted_proxies)


def _authenticate() -> Caller:
    known = services()
    known.active_requests.check()
    if shows_metrics_key():  # by name, and not counted as a wrong key
        raise CredentialsRejected(METRICS_KEY_SENT)
    known.authenticator.refuse_own(request.headers.get("X-Api-Key", ""))
    header = read_authorization()
    try:
        caller = known.authenticator.authenticate(header, _find_peer(), counted_peer=read_counted_peer())
    except KeyLimited as limited:
        g.request_log.forget_credentials()
        g.request_log.key = limited.key_label
        raise
    mended = ",".join(caller.refresh_tokens)
    if caller.key is None and mended not in header:
        g.request_log.hold(mended)
    if caller.key is not None:
        g.request_log.key = caller.key.label
    g.caller = caller
    return caller
