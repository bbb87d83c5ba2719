"""The way to the upstream, without any account: name, connection, TLS, clock, signature.

One call in nobody's name goes the way that the gateway's calls go. Where it does not get through, the error
below ours says where it stopped.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from app.catalogue.message import Message
from app.config import Settings
from app.core.errors import AccessRejected, GatewayError, UpstreamError, UpstreamInvalid, UpstreamTimeout
from app.doctor import advice, messages
from app.doctor.cause import find_cause, say_cause
from app.doctor.diagnosis import refuse
from app.doctor.finding import Finding, Mark, Verdict, fail, note, ok, skip
from app.upstream.adapter import build_any_time_context
from app.upstream.client import UpstreamClient
from app.upstream.head import AnswerHead
from app.upstream.probe import ProbeResult

# A Date has whole seconds and was on its way; signatures are refused some minutes off, nobody knows how many.
_RIGHT_SECONDS = 5.0
_WRONG_SECONDS = 60.0
# OpenSSL's numbers for certificates whose time has not come, or is over.
_WRONG_TIME = (9, 10)


def check_line(
    client: UpstreamClient, settings: Settings, clock: Callable[[], float] = time.time
) -> Iterator[Finding]:
    """Findings one by one; nothing else needs to be asked of the upstream after one that failed."""
    host, proxy = _host(settings.upstream_url), _host(settings.proxy or "")
    begun = time.monotonic()
    try:
        probe = client.probe()
    except GatewayError as error:
        yield _explain(error, settings, clock)
        return
    seconds = time.monotonic() - begun
    if settings.proxy:
        yield ok(messages.NETWORK, messages.NETWORK_PROXIED, host=host, seconds=seconds, proxy=proxy)
    else:
        yield ok(messages.NETWORK, messages.NETWORK_DIRECT, host=host, seconds=seconds)
    # The answer was written about half-way; its time is cut to whole seconds.
    ahead = None if probe.now is None else clock() - seconds / 2 - probe.now - 0.5
    yield _judge_clock(ahead, seconds)
    yield _judge_signature(probe, ahead, settings, clock)


def _judge_clock(ahead: float | None, seconds: float = 0.0) -> Finding:
    """`ahead` is by how much this machine's clock is; `seconds` is how long the question took."""
    if ahead is None:
        return skip(messages.CLOCK, messages.CLOCK_UNKNOWN)
    off = abs(ahead)
    direction = messages.AHEAD if ahead > 0 else messages.BEHIND
    if off <= _RIGHT_SECONDS + seconds:
        return ok(messages.CLOCK, messages.CLOCK_RIGHT, seconds=max(1.0, off))
    if off <= _WRONG_SECONDS:
        return note(messages.CLOCK, messages.CLOCK_SLIGHTLY_OFF, seconds=off, direction=direction)
    return fail(messages.CLOCK, Verdict.CLOCK, messages.CLOCK_WRONG, seconds=off, direction=direction)


def _judge_signature(
    probe: ProbeResult, ahead: float | None, settings: Settings, clock: Callable[[], float]
) -> Finding:
    refusal, status = probe.refusal, probe.status
    if probe.refuses_signature:
        is_late = ahead is not None and abs(ahead) > _RIGHT_SECONDS
        own = settings.sign_secret != Settings().sign_secret
        verdict = Verdict.CLOCK if is_late else Verdict.SETTINGS if own else Verdict.CHANGED
        step = advice.UNSET_SECRET if verdict is Verdict.SETTINGS else None
        return fail(messages.SIGNING, verdict, messages.SIGNING_REFUSED, step, status=status)
    if isinstance(refusal, UpstreamInvalid):
        verdict = Verdict.BLOCKED if status in (403, 405) else Verdict.CHANGED
        return fail(messages.SIGNING, verdict, messages.PAGE, advice.OPEN_BROWSER, status=status)
    if status in (404, 405):
        return fail(messages.SIGNING, Verdict.CHANGED, messages.PATH_GONE, status=status)
    if isinstance(refusal, AccessRejected) or type(refusal) is UpstreamError:
        return ok(messages.SIGNING, messages.SIGNING_ACCEPTED)
    return refuse(messages.SIGNING, refusal, clock)


def _explain(error: GatewayError, settings: Settings, clock: Callable[[], float]) -> Finding:
    """Where the call stopped on its way."""
    host, reason = _host(settings.upstream_url), say_cause(error)
    certificate = find_cause(error, ssl.SSLCertVerificationError)
    if certificate is not None:
        return _explain_certificate(certificate, settings, clock)
    if settings.proxy and find_cause(error, ssl.SSLError) is None:
        return _stop(messages.PROXY_FAILED, advice.MEND_PROXY, proxy=_host(settings.proxy), reason=reason)
    if find_cause(error, socket.gaierror) is not None:
        return _stop(messages.NAME_UNKNOWN, advice.RESOLVE, host=urlsplit(settings.upstream_url).hostname)
    if isinstance(error, UpstreamTimeout):
        return _stop(messages.TOO_SLOW, host=host)
    return _stop(messages.NOT_CONNECTED, host=host, reason=reason)


def _explain_certificate(
    refused: ssl.SSLCertVerificationError, settings: Settings, clock: Callable[[], float]
) -> Finding:
    """A wrong clock makes good certificates look bad: ask for the time whatever the time."""
    host, reason = _host(settings.upstream_url), refused.verify_message
    if refused.verify_code not in _WRONG_TIME:
        return _stop(messages.NOT_TRUSTED, advice.TRUST_NOBODY, host=host, reason=reason)
    now = None if settings.proxy else _ask_time(settings)
    judged = _judge_clock(None if now is None else clock() - now)
    if judged.mark is Mark.FAIL:
        return judged
    stopped = _stop(messages.CLOCK_OR_CERTIFICATE, advice.CLOCK_OR_CERTIFICATE, host=host, reason=reason)
    return replace(stopped, verdict=Verdict.CLOCK) if now is None else stopped


def _stop(message: Message, step: Message | None = None, **values: object) -> Finding:
    return fail(messages.NETWORK, Verdict.NETWORK, message, step, "", **values)


def _ask_time(settings: Settings) -> float | None:
    """The time of a server whose certificate is right but for the time; it is told nothing."""
    parts = urlsplit(settings.upstream_url)
    connection = http.client.HTTPSConnection(
        parts.hostname or "",
        parts.port,
        timeout=settings.connect_timeout_seconds,
        context=build_any_time_context(),
    )
    connection.response_class = AnswerHead
    try:
        connection.request("HEAD", "/")
        return parsedate_to_datetime(connection.getresponse().headers.get("Date", "")).timestamp()
    except (OSError, ValueError, http.client.HTTPException, UpstreamInvalid):
        return None
    finally:
        connection.close()


def _host(url: str) -> str:
    """Host and port alone: the rest of a proxy's address may be its password."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname or ""
