"""All checks in their order, each a line, and what is left out because of what went before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from app.accounts.account import Account
from app.accounts.configured_tokens import ConfiguredTokens
from app.config import InvalidSetting, Settings
from app.doctor import messages
from app.doctor.account import AccountCheck
from app.doctor.connectivity import check_line
from app.doctor.credentials import Credentials
from app.doctor.finding import Finding, Mark, Verdict, fail, note, ok, skip
from app.doctor.machine import check_packages, check_port, check_server, guess_url, read_server
from app.doctor.record import Recorder
from app.doctor.remote_gateway import RunningGateway, answers
from app.doctor.running_process import compare_settings
from app.doctor.state_file import look_at_state, take_state
from app.gateway import Gateway, build_address, read_configured_tokens
from app.upstream.client import UpstreamClient


@dataclass(frozen=True, slots=True)
class Order:
    """What the doctor was asked for. With `url` a running gateway asks in the doctor's place.

    `record` names the file for the shapes of one question, which the first account alone is asked.
    """

    credentials: Credentials
    url: str | None = None
    chat: bool = False
    tools: bool = False
    record: str | None = None


def examine(environ: Mapping[str, str], order: Order) -> Iterator[Finding]:
    """Findings as they are made; what advice may name stands among their values."""
    yield check_packages()
    try:
        settings = Settings.from_env(environ)
        roster = read_configured_tokens(settings)
        server = read_server()
    except (InvalidSetting, OSError, SystemExit) as exc:
        yield fail(messages.SETTINGS, Verdict.SETTINGS, messages.REASON, reason=exc)
        return
    for finding in _examine(environ, settings, roster, server, order):
        yield replace(finding, values={"site": settings.upstream_url} | finding.values)


def _examine(
    environ: Mapping[str, str],
    settings: Settings,
    roster: ConfiguredTokens,
    server: dict[str, Any],
    order: Order,
) -> Iterator[Finding]:
    yield _describe(settings, roster)
    if order.url is None:  # else it listens already, wherever that is
        yield check_port(server, answers) or check_server(server, settings)
    credentials = order.credentials.with_tokens(roster.tokens())
    if order.url is not None:
        yield from _ask_gateway(settings, environ, RunningGateway(order.url, credentials), order)
    else:
        yield from _ask_here(settings, credentials, guess_url(server), order)
    if not order.chat and order.record is None:
        yield skip(messages.CHAT, messages.CHAT_UNASKED)
    if not order.tools:
        yield skip(messages.TOOLS, messages.TOOLS_UNASKED)


def _ask_here(settings: Settings, credentials: Credentials, url: str, order: Order) -> Iterator[Finding]:
    reaches = True
    for finding in _check_line(settings):
        reaches = reaches and finding.verdict is None
        yield finding
    recorder = None if order.record is None else Recorder(order.record)
    if reaches and credentials.tokens:
        yield from _visit(settings, credentials.tokens, url, order, recorder)
    else:
        yield look_at_state(settings.state_path)
        yield skip(messages.TOKEN, messages.TOKENS_UNREACHED if credentials.tokens else messages.TOKENS_NONE)
    if recorder is not None and not recorder.is_done:
        yield skip(messages.RECORD, messages.RECORD_NOTHING)


def _ask_gateway(
    settings: Settings, environ: Mapping[str, str], gateway: RunningGateway, order: Order
) -> Iterator[Finding]:
    """The gateway's own line counts. Where it works, what fails here is a difference and no fault."""
    told = []
    for finding in gateway.check(chat=order.chat, tools=order.tools):
        told.append(finding)
        yield finding
    yield from compare_settings(gateway.url, environ)
    works = any(one.mark is Mark.OK and one.check is messages.TOKEN for one in told)
    for finding in _check_line(settings):
        yield note(finding.check, messages.GATEWAY_REACHES) if works and finding.verdict else finding


def _check_line(settings: Settings) -> Iterator[Finding]:
    with closing(UpstreamClient(build_address(settings))) as client:
        yield from check_line(client, settings)


def _visit(
    settings: Settings, tokens: tuple[str, ...], url: str, order: Order, recorder: Recorder | None
) -> Iterator[Finding]:
    """Ask for each token, with the state file in hand: what the upstream gives in exchange must be kept."""
    custody, state = take_state(settings.state_path)
    yield custody
    if state is None:
        is_running = custody.words is messages.STATE_HELD
        yield skip(messages.TOKEN, messages.TOKENS_RUNNING if is_running else messages.TOKENS_KEPT, url=url)
        return
    # Who looks does not wait as long as who reads; built, and never started.
    patience = min(settings.idle_seconds, settings.first_event_seconds)
    upstream = recorder.build_client(build_address(settings)) if recorder else None
    with closing(Gateway(replace(settings, idle_seconds=patience), state, upstream)) as gateway:
        if answers(url):  # with another state file
            yield skip(messages.TOKEN, messages.TOKENS_RUNNING, url=url)
            return
        check = AccountCheck(gateway, asks_standing=recorder is None)
        alive = yield from check.check_tokens(tokens[:1] if recorder else tokens)
        if recorder is not None:
            yield from _record(check, alive, recorder)
        elif order.chat:
            yield check.check_chat(alive) if alive else skip(messages.CHAT, messages.CHAT_NOBODY)
        if order.tools and recorder is None:
            yield check.check_tools(alive) if alive else skip(messages.TOOLS, messages.CHAT_NOBODY)


def _record(check: AccountCheck, alive: Account | None, recorder: Recorder) -> Iterator[Finding]:
    """A refusal is recorded as well: its shape may be what nobody knows yet."""
    answer = check.check_chat(alive) if alive else skip(messages.CHAT, messages.CHAT_NOBODY)
    yield answer
    yield recorder.write(is_whole=answer.mark in (Mark.OK, Mark.NOTE))


def _describe(settings: Settings, roster: ConfiguredTokens) -> Finding:
    if not settings.gateway_keys:
        return ok(messages.SETTINGS, messages.SETTINGS_PASS_THROUGH)
    if not roster.tokens():
        return note(messages.SETTINGS, messages.SETTINGS_NO_SHARE, shard=settings.pool_shard)
    keys, tokens = len(settings.gateway_keys), len(roster.tokens())
    return ok(messages.SETTINGS, messages.SETTINGS_KEYS, keys=keys, tokens=tokens)
