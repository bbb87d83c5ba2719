"""From a request to a reply at its commit point: choose an account, ask, move on while nothing was said."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from app.accounts.account import Account
from app.accounts.lease import Lease
from app.accounts.pool import AccountPool
from app.accounts.refresh import Refresher
from app.chat.mode import choose_mode
from app.chat.prompt import build_prompt, has_history
from app.chat.reply import Clocks, Reply
from app.config import Settings
from app.conversations.cleaner import Cleaner
from app.conversations.ledger import Conversation, Ledger
from app.conversations.use import ConversationUse
from app.errors import (
    AccessRejected,
    ConversationNotFound,
    GatewayError,
    Outcome,
    SilentAnswer,
    UpstreamTimeout,
    most_telling,
)
from app.hub import Deadline
from app.openai.request import ChatRequest
from app.token import AccessToken
from app.upstream.client import UpstreamClient
from app.upstream.request import StreamRequest

_MOST_OWNERS_TRIED = 3


@dataclass(frozen=True, slots=True)
class _Plan:
    """What to ask, of whom, and for how long to keep it."""

    question: StreamRequest
    accounts: Sequence[Account]
    keep_seconds: float
    is_known: bool
    """The ledger knows the conversation that is continued, so that it must be kept from the cleaner."""


class ChatService:
    """Thread-safe; lives as long as the process."""

    def __init__(
        self,
        settings: Settings,
        upstream: UpstreamClient,
        pool: AccountPool,
        refresher: Refresher,
        ledger: Ledger,
        cleaner: Cleaner,
    ) -> None:
        self._settings = settings
        self._upstream = upstream
        self._pool = pool
        self._refresher = refresher
        self._ledger = ledger
        self._cleaner = cleaner
        self._clocks = Clocks(
            first_event=settings.first_event_seconds,
            commit=settings.commit_seconds,
            idle=settings.idle_seconds,
            heartbeat=min(settings.heartbeat_seconds, settings.idle_seconds),
            whole=settings.max_reply_seconds,
        )

    def open(self, request: ChatRequest, refresh_tokens: Sequence[str]) -> Reply:
        """The reply to `request` at its commit point, with a lease in hand; the caller must close it.

        Raises the GatewayError that says best why no account answers.
        """
        plan = self._plan(request, refresh_tokens)
        deadline = time.monotonic() + self._settings.start_seconds
        untried = list(plan.accounts)
        errors: list[GatewayError] = []
        while untried:
            lease = self._acquire(untried, deadline, errors)
            untried.remove(lease.account)
            try:
                return self._attempt(plan, lease, deadline)
            except GatewayError as error:
                lease.release(error.outcome, error)
                if not error.moves_on:
                    raise
                errors.append(error)
            except BaseException:
                lease.release(Outcome.ABANDONED)
                raise
        raise _conclude(plan, errors)

    def _plan(self, request: ChatRequest, refresh_tokens: Sequence[str]) -> _Plan:
        continued = request.continued_id
        mode = choose_mode(request)
        prompt = build_prompt(
            request.messages, continues=continued is not None, max_chars=self._settings.max_prompt_chars
        )
        accounts = self._pool.find(refresh_tokens)
        assistant_id = mode.assistant_id
        known = None
        if continued is not None:
            known = self._ledger.get(continued)
            accounts = _find_owners(continued, known, accounts)
            assistant_id = known.assistant_id if known else assistant_id
        question = StreamRequest(
            prompt=prompt,
            assistant_id=assistant_id,
            conversation_id=continued or "",
            chat_mode=mode.chat_mode,
            reasoning_effort=mode.reasoning_effort,
            selected_model=mode.selected_model,
            web_search=mode.web_search,
        )
        # A client that sends the history itself never comes back by id.
        keeps = continued is not None or not has_history(request.messages)
        keep_seconds = self._settings.conversation_ttl_seconds if keeps else 0.0
        return _Plan(question, accounts, keep_seconds, is_known=known is not None)

    def _acquire(self, accounts: list[Account], deadline: float, errors: list[GatewayError]) -> Lease:
        left = max(0.0, deadline - time.monotonic())
        try:
            return self._pool.acquire(accounts, wait_seconds=min(self._settings.queue_seconds, left))
        except GatewayError as error:
            raise most_telling([*errors, error]) from None

    def _attempt(self, plan: _Plan, lease: Lease, deadline: float) -> Reply:
        """Ask one account, twice where its access token turns out to be dead (protocol notes 4.9 j, 1.3)."""
        overtime = UpstreamTimeout("No answer began in time (GLM_START_SECONDS).")
        with Deadline(max(0.001, deadline - time.monotonic()), overtime):
            kept = lease.account.access_token
            token = self._refresher.access_token(lease.account)
            try:
                reply = self._ask(plan, lease.account, token, deadline)
            except (AccessRejected, SilentAnswer):
                if token is not kept:
                    raise
                token = self._refresher.access_token(lease.account, rejected=token)
                reply = self._ask(plan, lease.account, token, deadline)
        reply.hold(lease)
        return reply

    def _ask(self, plan: _Plan, account: Account, token: AccessToken, deadline: float) -> Reply:
        use = self._begin_use(plan, account)
        try:
            stream = self._upstream.open_stream(
                token, plan.question, timeout_seconds=self._settings.first_event_seconds
            )
        except BaseException:
            use.end(delivered=False)
            raise
        reply = Reply(stream, use, self._clocks)
        reply.prompt.add(plan.question.prompt)
        try:
            reply.start(deadline)
        except BaseException:
            reply.close()
            raise
        return reply

    def _begin_use(self, plan: _Plan, account: Account) -> ConversationUse:
        use = ConversationUse(
            self._ledger,
            self._cleaner,
            assistant_id=plan.question.assistant_id,
            owner=account.key,
            keep_seconds=plan.keep_seconds,
            continues=bool(plan.question.conversation_id),
        )
        if plan.is_known:
            use.begin(plan.question.conversation_id)
        return use


def _find_owners(conversation_id: str, known: Conversation | None, accounts: list[Account]) -> list[Account]:
    """The accounts that may own the conversation: the one the ledger names, else the first few."""
    if known is None:
        return accounts[:_MOST_OWNERS_TRIED]
    owners = [account for account in accounts if account.key == known.owner]
    if not owners:
        raise _not_found(conversation_id)
    return owners


def _conclude(plan: _Plan, errors: list[GatewayError]) -> GatewayError:
    conversation_id = plan.question.conversation_id
    if conversation_id and all(isinstance(error, SilentAnswer) for error in errors):
        return _not_found(conversation_id)
    return most_telling(errors)


def _not_found(conversation_id: str) -> ConversationNotFound:
    return ConversationNotFound(
        f"There is no conversation {conversation_id[:64]!r} among the accounts of this request. "
        "Leave conversation_id out to begin a new one.",
        param="conversation_id",
    )
