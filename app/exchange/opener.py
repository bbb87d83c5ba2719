"""From a plan to a reply at its commit point: choose an account, ask, move on while nothing was said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from app.accounts.account import Account
from app.accounts.gate import Caller
from app.accounts.lease import Lease
from app.accounts.refresh import Refresher
from app.config import Settings
from app.conversations.cleaner import Cleaner
from app.conversations.ledger import Conversation
from app.conversations.use import ConversationUse
from app.errors import (
    AccessRejected,
    AccountExpired,
    ConversationNotFound,
    ConversationUncertain,
    GatewayError,
    ModelNotFound,
    Outcome,
    SilentAnswer,
    UpstreamInvalid,
    choose_reported,
)
from app.exchange.attaching import AttachedFiles
from app.exchange.clock import StartClock
from app.exchange.reply import Clocks, Reply
from app.exchange.transforms.options import UNCHANGED, OutputOptions
from app.exchange.turn import Turns
from app.hub import NAME_SECONDS, Shield
from app.token import AccessToken
from app.upstream.client import UpstreamClient
from app.upstream.request import DEFAULT_ASSISTANT_ID, DRAWING_ASSISTANT_ID, StreamRequest

_UNCERTAIN_RETRY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What to ask, of whom, and for how long to keep it. `files` are closed by whoever made the plan."""

    question: StreamRequest
    accounts: Sequence[Account]
    caller: Caller
    files: AttachedFiles
    keep_seconds: float = 0.0
    is_known: bool = False
    """The ledger knows the conversation that is continued, so that it must be kept from the cleaner."""
    options: OutputOptions = UNCHANGED


class ReplyOpener:
    """Thread-safe; lives as long as the process."""

    def __init__(
        self,
        settings: Settings,
        upstream: UpstreamClient,
        turns: Turns,
        refresher: Refresher,
        cleaner: Cleaner,
    ) -> None:
        self._settings = settings
        self._upstream = upstream
        self._turns = turns
        self._refresher = refresher
        self._ledger = cleaner.ledger
        self._cleaner = cleaner
        self._clocks = Clocks(
            first_event=settings.first_event_seconds,
            commit=settings.commit_seconds,
            idle=settings.idle_seconds,
            heartbeat=min(settings.heartbeat_seconds, settings.idle_seconds),
            whole=settings.max_reply_seconds,
        )

    def open(self, plan: Plan) -> Reply:
        """The reply at its commit point, with a lease in hand; the caller must close it.

        Raises the GatewayError that says best why no account answers.
        """
        clock = StartClock(self._settings.start_seconds)
        return self._turns.take(
            plan.accounts,
            plan.caller,
            clock,
            lambda lease: self._attempt(plan, lease, clock),
            judge=lambda error: _outcome_of(error, plan),
            conclude=lambda errors: self._conclude(plan, errors),
        )

    def _attempt(self, plan: Plan, lease: Lease, clock: StartClock) -> Reply:
        """Ask one account, within what is left of the time."""
        try:
            reply = self._ask_with_good_token(plan, lease, clock)
        except AccessRejected as exc:
            raise AccountExpired(
                f"The upstream refuses account {lease.account.label} although its token is new."
            ) from exc
        except ModelNotFound as exc:
            raise _name_model(plan.question.assistant_id) from exc
        reply.hold(lease)
        return reply

    def _ask_with_good_token(self, plan: Plan, lease: Lease, clock: StartClock) -> Reply:
        """Ask again where a kept access token may be dead: the upstream says 401, or nothing at all."""
        kept = lease.account.access_token
        with clock.limit():
            token = self._refresher.access_token(lease.account)
        lease.confirm()
        try:
            return self._attach_and_ask(plan, lease.account, token, clock)
        except (AccessRejected, SilentAnswer):
            if token is not kept:
                raise
        with clock.limit():
            token = self._refresher.access_token(lease.account, rejected=token)
        return self._attach_and_ask(plan, lease.account, token, clock)

    def _attach_and_ask(self, plan: Plan, account: Account, token: AccessToken, clock: StartClock) -> Reply:
        """Nothing is fetched before there is a token: who has no account here starts no downloads."""
        if plan.files:
            with clock.stopped():
                uploaded = plan.files.give(account, token)
            plan = replace(plan, question=replace(plan.question, files=uploaded))
        with clock.limit():
            return self._ask(plan, account, token, clock.ends_at)

    def _ask(self, plan: Plan, account: Account, token: AccessToken, deadline: float) -> Reply:
        use = self._begin_use(plan, account)
        reply: Reply | None = None
        try:
            # A client that leaves now would leave a conversation whose name nobody has heard.
            with Shield(NAME_SECONDS):
                stream = self._upstream.open_stream(
                    token, plan.question, timeout_seconds=self._settings.first_event_seconds
                )
                stop = partial(self._upstream.stop_answer, token)
                reply = Reply(stream, use, self._clocks, options=plan.options, stop=stop)
                reply.hear(deadline)
            reply.prompt.add(plan.question.prompt)
            reply.start(deadline)
        except BaseException:
            if reply is None:
                use.end(delivered=False)
            else:
                reply.close()
            raise
        return reply

    def _conclude(self, plan: Plan, errors: list[GatewayError]) -> GatewayError:
        """What to tell the caller when every account failed."""
        conversation_id = plan.question.conversation_id
        silent = sum(isinstance(error, SilentAnswer) for error in errors)
        if not conversation_id or not silent:
            return choose_reported(errors)
        if silent == len(errors):
            self._ledger.forget(conversation_id)
            return not_found(conversation_id)
        return ConversationUncertain(
            "Not every account could say whether the conversation is its own. Try again shortly.",
            retry_after_seconds=_UNCERTAIN_RETRY_SECONDS,
        )

    def _begin_use(self, plan: Plan, account: Account) -> ConversationUse:
        question = plan.question
        conversation = Conversation(
            question.conversation_id, question.assistant_id, account.owner, plan.caller.id
        )
        use = ConversationUse(self._ledger, self._cleaner, conversation, plan.keep_seconds)
        if plan.is_known:
            use.begin(question.conversation_id)
        return use


def _outcome_of(error: GatewayError, plan: Plan) -> Outcome:
    """Silence about a conversation id says that the id is foreign, and nothing about the account."""
    if plan.question.conversation_id and isinstance(error, SilentAnswer):
        return Outcome.ABANDONED
    return error.outcome


def _name_model(assistant_id: str) -> GatewayError:
    """That an assistant which everybody has is missing is no mistake of the caller's."""
    if assistant_id in (DEFAULT_ASSISTANT_ID, DRAWING_ASSISTANT_ID):
        return UpstreamInvalid("The upstream does not know its own assistant any more: it has changed.")
    return ModelNotFound(
        f"The upstream knows no assistant {assistant_id!r}. Take the last part of its address.", param="model"
    )


def not_found(conversation_id: str) -> ConversationNotFound:
    """The error for a conversation that is not among the accounts of its request."""
    return ConversationNotFound(
        f"There is no conversation {conversation_id[:64]!r} among the accounts of this request. "
        "Leave conversation_id out to begin a new one.",
        param="conversation_id",
    )
