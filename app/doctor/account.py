"""The configured and given accounts, asked as the gateway asks them: newest refresh token first, what comes
back is kept in the state file. So this needs the state file's lock, and never runs beside a gateway.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from app.accounts.account import Account
from app.accounts.authenticator import Caller
from app.auth_token import read_expiry
from app.catalogue.message import Message
from app.core.errors import AccountExpired, GatewayError
from app.core.event import ReplyEvent
from app.core.request import Question, TextPart, Turn
from app.core.tool import Tool
from app.doctor import messages
from app.doctor.diagnosis import refuse, say_day
from app.doctor.finding import Finding, Verdict, fail, note, ok, skip
from app.doctor.standing import judge_standing
from app.doctor.toy_tool import TOOL, TOOL_QUESTION, judge_answer, read_answer
from app.exchange.recorder import SMALL_QUESTION
from app.exchange.unusable import ToolCallMalformed
from app.gateway import Gateway

_Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class _Asked:
    """An answer, or why there is none; `left` is what keeps the conversation from being deleted now."""

    events: list[ReplyEvent]
    failure: GatewayError | None
    seconds: float
    left: GatewayError | None


class AccountCheck:
    """Asks through a gateway that was built, but does not run; it stays the caller's."""

    def __init__(self, gateway: Gateway, clock: _Clock = time.time, *, asks_standing: bool = True) -> None:
        self._gateway = gateway
        self._clock = clock
        self._asks_standing = asks_standing

    def check_tokens(self, tokens: tuple[str, ...]) -> Generator[Finding, None, Account | None]:
        """A finding a token; the first account that is alive, if any, is returned.

        Ends early where the upstream refuses more than one token's sake: asking on would make it worse.
        """
        logins: dict[str, Account] = {}
        for number, account in enumerate(self._gateway.pool.get_or_add(tokens), 1):
            subject = f"{account.label} #{number}"
            try:
                with _undisturbed():
                    self._gateway.refresher.renew(account)
            except AccountExpired:
                yield self._explain_dead(account, subject)
            except GatewayError as error:
                yield self._refuse(messages.TOKEN, error, subject)
                if number < len(tokens):
                    yield skip(messages.TOKEN, messages.TOKENS_LEFT, count=len(tokens) - number)
                break
            else:
                known = logins.setdefault(account.owner, account)
                yield _describe(account, known, subject)
                if known is account and self._asks_standing:
                    yield from self._check_standing(account, subject)
        return next(iter(logins.values()), None)

    def _check_standing(self, account: Account, subject: str) -> Iterator[Finding]:
        standing = self._gateway.standings.look([account])[0]
        if standing is not None:
            yield from judge_standing(subject, standing.points, is_blocked=standing.is_blocked)

    def check_chat(self, account: Account) -> Finding:
        """Ask one small question, and delete the conversation."""
        asked = self._ask(account, SMALL_QUESTION)
        if asked.failure is not None:
            return self._refuse(messages.CHAT, asked.failure, account.label)
        if asked.left is not None:
            return note(
                messages.CHAT,
                messages.CHAT_LEFT,
                account.label,
                seconds=asked.seconds,
                code=asked.left.code,
            )
        return ok(messages.CHAT, messages.CHAT_GOOD, account.label, seconds=asked.seconds)

    def check_tools(self, account: Account) -> Finding:
        """Ask one question with a toy tool, and say how the model called it. The conversation is deleted."""
        asked = self._ask(account, TOOL_QUESTION, tools=(TOOL,))
        if isinstance(asked.failure, ToolCallMalformed):
            return note(messages.TOOLS, messages.TOOLS_UNREADABLE, account.label, code=asked.failure.code)
        if asked.failure is not None:
            return self._refuse(messages.TOOLS, asked.failure, account.label)
        answer = read_answer(asked.events, self._gateway.counters)
        return judge_answer(answer, account.label, asked.seconds)

    def _ask(self, account: Account, text: str, tools: tuple[Tool, ...] = ()) -> _Asked:
        """Ask, read the whole answer, and delete the conversation."""
        question = Question((Turn("user", (TextPart(text),)),), model="glm", tools=tools)
        begun, begun_at = time.monotonic(), self._clock()
        events: list[ReplyEvent] = []
        failure: GatewayError | None = None
        try:
            self._read(question, account, events)
        except GatewayError as error:
            failure = error
        seconds = time.monotonic() - begun
        return _Asked(events, failure, seconds, self._delete_since(account.owner, begun_at))

    def _read(self, question: Question, account: Account, events: list[ReplyEvent]) -> None:
        """Put the whole answer into `events`. Raises the GatewayError that it ends with otherwise."""
        reply = self._gateway.chat.open(question, Caller("", "", (account.refresh_token,)))
        try:
            while not reply.finished:
                events += reply.read() or ()
        finally:
            reply.close(in_background=False)

    def _delete_since(self, owner: str, begun_at: float) -> GatewayError | None:
        """Delete what was begun since then; returns what keeps one: the gateway will delete it then."""
        ledger, now = self._gateway.ledger, self._clock()
        for left in (*ledger.list_kept([owner], "", now), ledger.first_due(owner, now)):
            if left is not None and left.created >= begun_at:
                try:
                    self._gateway.cleaner.delete_now(left)
                except GatewayError as error:
                    return error
        return None

    def _refuse(self, check: Message, error: GatewayError, subject: str) -> Finding:
        return refuse(check, error, self._clock, subject)

    def _explain_dead(self, account: Account, subject: str) -> Finding:
        """A refused token may say itself why."""
        token = account.refresh_token
        ended = read_expiry(token)
        reason, until = messages.TOKEN_REFUSED, ""
        if ended is not None and ended <= self._clock():
            reason, until = messages.TOKEN_ENDED, say_day(ended)
        return fail(messages.TOKEN, Verdict.EXPIRED, reason, None, subject, until=until)


def _describe(account: Account, known: Account, subject: str) -> Finding:
    if known is not account:
        return note(messages.TOKEN, messages.TOKEN_TWICE, subject, other=known.label)
    rotated = account.rotated
    until = read_expiry(account.refresh_token if rotated is None else rotated.newest)
    if until is None:
        return ok(messages.TOKEN, messages.TOKEN_ALIVE, subject)
    return ok(messages.TOKEN, messages.TOKEN_ALIVE_UNTIL, subject, until=say_day(until))


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Signals wait: a refresh that is broken off would lose the token that the upstream gave in exchange."""
    waiting: list[int] = []
    before = {
        number: signal.signal(number, lambda number, frame: waiting.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for late in waiting:
            signal.raise_signal(late)
