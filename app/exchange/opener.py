"""From a plan to a reply at its commit point: choose an account, ask, move on while nothing was said."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

import msgspec
from msgspec.structs import replace

from app.accounts.account import Account
from app.accounts.authenticator import Caller
from app.accounts.lease import Lease
from app.accounts.refresh import Refresher
from app.auth_token import AccessToken
from app.catalogue import path
from app.catalogue.account import NEW_TOKEN_REFUSED
from app.config import Settings
from app.conversations.cleaner import Cleaner
from app.conversations.ledger import Conversation
from app.conversations.use import ConversationUse
from app.core.errors import (
    AccessRejected,
    AccountExpired,
    AnswerNotHeld,
    ConversationNotFound,
    ConversationUncertain,
    GatewayError,
    ModelNotFound,
    Outcome,
    SilentAnswer,
    UpstreamChanged,
)
from app.core.reported_error import choose_reported
from app.core.upstream_words import keep_words
from app.core.wait import TellWait, Wait
from app.exchange.answer import Remedies
from app.exchange.attaching import AttachedFiles
from app.exchange.clock import Clocks, StartClock
from app.exchange.echo import Echo
from app.exchange.failover import Failover, Task
from app.exchange.healing import Healing
from app.exchange.reply import Reply
from app.exchange.transforms.options import UNCHANGED, OutputOptions
from app.hub import NAME_SECONDS, Shield
from app.metrics.counters import Counters
from app.upstream.client import UpstreamClient
from app.upstream.request import DEFAULT_ASSISTANT_ID, DRAWING_ASSISTANT_ID, StreamRequest
from app.upstream.stored import build_stored_path
from app.upstream.stream import AnswerStream

_UNCERTAIN_RETRY_SECONDS = 5.0


class Plan(msgspec.Struct, frozen=True):
    """What to ask, of whom, and for how long to keep it. `files` are closed by whoever made the plan."""

    question: StreamRequest
    accounts: Sequence[Account]
    caller: Caller
    files: AttachedFiles
    keep_seconds: float = 0.0
    is_known: bool = False
    """The ledger knows the conversation that is continued, so that it must be kept from the cleaner."""
    options: OutputOptions = UNCHANGED
    continued_turn: int | None = None
    """The answer of the known conversation that this goes on from, None for whichever is the latest."""
    queue_seconds: float | None = None
    """How long to wait for an account, None for GLM_QUEUE_SECONDS."""
    tell: TellWait | None = None
    """Hears what is waited for; None: nobody wants to know."""


class ReplyOpener:
    """Thread-safe; lives as long as the process."""

    def __init__(
        self,
        settings: Settings,
        upstream: UpstreamClient,
        failover: Failover,
        refresher: Refresher,
        cleaner: Cleaner,
        clock: Callable[[], float] = time.monotonic,
        counters: Counters | None = None,
    ) -> None:
        self._failover = failover
        self._start_seconds = settings.start_seconds
        clocks = Clocks(
            commit=settings.commit_seconds,
            idle=settings.idle_seconds,
            heartbeat=min(settings.heartbeat_seconds, settings.idle_seconds),
            whole=settings.max_reply_seconds,
        )
        heals = (counters or Counters()) if settings.heal == "on" else None
        self._parts = _Parts(upstream, refresher, cleaner, settings.first_event_seconds, clocks, clock, heals)

    def start_clock(self) -> StartClock:
        """The time that a request has from here to its commit point, however many plans it tries."""
        return StartClock(self._start_seconds, self._parts.clock)

    def open(self, plan: Plan, clock: StartClock | None = None) -> Reply:
        """The reply at its commit point, with a lease in hand; the caller must close it.

        Raises the GatewayError that says best why no account answers.
        """
        return self._failover.run(_Opening(self._parts, plan, clock or self.start_clock()))


class _Parts(msgspec.Struct, frozen=True):
    """What every opening needs; lives as long as the process."""

    upstream: UpstreamClient
    refresher: Refresher
    cleaner: Cleaner
    first_event_seconds: float
    clocks: Clocks
    clock: Callable[[], float]
    heals: Counters | None
    """Where it counts that answers were cut and went on; None where they shall not."""


class _Opening(Task[Reply]):
    """One plan on its way to a reply."""

    def __init__(self, parts: _Parts, plan: Plan, clock: StartClock) -> None:
        super().__init__(plan.accounts, plan.caller, clock, plan.queue_seconds, plan.tell)
        self._parts = parts
        self._plan = plan
        self._echo = Echo(plan.question.prompt)

    def attempt(self, lease: Lease) -> Reply:
        try:
            reply = self._ask_known_assistant(lease)
        except GatewayError as error:
            self._echo.leave_out(error)
            raise
        reply.own_lease(lease)
        return reply

    def classify(self, error: GatewayError) -> Outcome:
        """Silence about a conversation id says that the id is foreign, and nothing about the account."""
        if self._plan.question.conversation_id and isinstance(error, SilentAnswer):
            return Outcome.ABANDONED
        return error.outcome

    def summarize(self, errors: list[GatewayError]) -> GatewayError:
        conversation_id = self._plan.question.conversation_id
        silent = sum(isinstance(error, SilentAnswer) for error in errors)
        if not conversation_id or not silent:
            return choose_reported(errors)
        if silent == len(errors):
            # Gone, as it seems: whoever asks again hears so at once, and a deletion makes sure.
            cleaner = self._parts.cleaner
            cleaner.ledger.postpone(conversation_id, cleaner.clock())
            cleaner.wake()
            return not_found(conversation_id, self._plan.continued_turn)
        return ConversationUncertain(path.OWNER_UNCERTAIN, retry_after_seconds=_UNCERTAIN_RETRY_SECONDS)

    def _ask_known_assistant(self, lease: Lease) -> Reply:
        try:
            return self._ask_with_good_token(lease)
        except AccessRejected as exc:
            raise keep_words(
                AccountExpired(NEW_TOKEN_REFUSED.fill(account=lease.account.label)), exc
            ) from exc
        except ModelNotFound as exc:
            raise keep_words(_name_model(self._plan.question.assistant_id), exc) from exc

    def _ask_with_good_token(self, lease: Lease) -> Reply:
        """Ask again where a kept access token may be dead: the upstream says 401, or nothing at all."""
        refresher, kept = self._parts.refresher, lease.account.access_token
        token = refresher.find_good_token(lease.account)
        if token is None:
            with self.clock.limit():
                token = refresher.access_token(lease.account)
        lease.confirm()
        try:
            return self._attach_and_ask(lease.account, token)
        except (AccessRejected, SilentAnswer):
            if token is not kept:
                raise
        with self.clock.limit():
            token = refresher.access_token(lease.account, rejected=token)
        return self._attach_and_ask(lease.account, token)

    def _attach_and_ask(self, account: Account, token: AccessToken) -> Reply:
        """Nothing is fetched before there is a token: who has no account here starts no downloads."""
        question = self._plan.question
        if self._plan.files:
            with self.clock.stopped():
                question = replace(question, files=self._plan.files.give(account, token, self._plan.tell))
        if self._plan.tell is not None:
            self._plan.tell(_describe_wait(question))
        with self.clock.limit():
            return self._ask(question, account, token)

    def _ask(self, question: StreamRequest, account: Account, token: AccessToken) -> Reply:
        """At the commit point; the opener's `attempt` gives it the lease."""
        parts, use = self._parts, self._begin_use(account)
        reply: Reply | None = None
        seconds = parts.first_event_seconds
        first_event_by = min(parts.clock() + seconds, self.clock.ends_at)
        try:
            # A client that leaves now would leave a conversation whose name nobody has heard.
            with Shield(NAME_SECONDS):
                stream = parts.upstream.open_stream(token, question, timeout_seconds=seconds)
                stop = partial(parts.upstream.stop_answer, token)
                ask_again = partial(_ask_again, parts, account, replace(question, prompt="", files=()))
                reply = Reply(
                    stream,
                    use,
                    parts.clocks,
                    parts.clock,
                    self._plan.options,
                    stop=stop,
                    remedies=Remedies(ask_again, _build_healing(parts, account, question.assistant_id)),
                )
                reply.echo = self._echo
                reply.wait_first_event(first_event_by)
            reply.prompt.add(question.prompt)
            reply.wait_commit(self.clock.ends_at)
        except BaseException:
            with Shield():  # what is given back here is the account's next question's
                if reply is None:
                    use.end(delivered=False)
                else:
                    reply.close(in_background=False)
            raise
        return reply

    def _begin_use(self, account: Account) -> ConversationUse:
        """A conversation that the ledger knows is kept from the cleaner before it is asked about."""
        question, cleaner = self._plan.question, self._parts.cleaner
        conversation = Conversation(
            question.conversation_id, question.assistant_id, account.owner, self._plan.caller.id
        )
        use = ConversationUse(
            cleaner.ledger,
            cleaner,
            conversation,
            self._plan.keep_seconds,
            goes_on_from=self._plan.continued_turn,
        )
        if self._plan.is_known:
            use.begin(question.conversation_id)
        return use


def _describe_wait(question: StreamRequest) -> Wait:
    """What the upstream does until its first word."""
    if question.drawing is not None:
        return Wait("draw")
    if question.chat_mode == "deep_research":
        return Wait("research")
    return Wait("search" if question.web_search else "ask")


def _build_healing(parts: _Parts, account: Account, assistant_id: str) -> Healing | None:
    if parts.heals is None:
        return None
    upstream, most = parts.upstream, min(parts.first_event_seconds, parts.clocks.idle)

    def resume(stream: AnswerStream) -> AnswerStream:
        return upstream.continue_stream(parts.refresher.access_token(account), stream, timeout_seconds=most)

    def ask_stored(name: str, seconds: float) -> object:
        token, path = parts.refresher.access_token(account), build_stored_path(name, assistant_id)
        return upstream.ask("GET", path, token, b"", min(most, seconds))

    return Healing(resume, parts.heals, ask_stored, parts.clocks.idle, parts.clock)


def _ask_again(
    parts: _Parts, account: Account, question: StreamRequest, conversation_id: str, prompt: str
) -> AnswerStream:
    """One more question of a reply's own in its conversation, with the same account.

    `question` is the first one without its text, which would stay in memory for as long as the answer runs.
    """
    token = parts.refresher.access_token(account)
    question = replace(question, prompt=prompt, conversation_id=conversation_id)
    return parts.upstream.open_stream(token, question, timeout_seconds=parts.first_event_seconds)


def _name_model(assistant_id: str) -> GatewayError:
    """That an assistant which everybody has is missing is no mistake of the caller's."""
    if assistant_id in (DEFAULT_ASSISTANT_ID, DRAWING_ASSISTANT_ID):
        return UpstreamChanged("The upstream does not know its own assistant any more: it has changed.")
    return ModelNotFound(path.NO_ASSISTANT.fill(assistant_id=assistant_id), param="model")


def not_found(conversation_id: str, continued_turn: int | None = None) -> GatewayError:
    """The error for a conversation that is not among the accounts of its request, or for an answer of one."""
    if continued_turn is not None:
        return AnswerNotHeld(path.NOT_HELD, param="previous_response_id")
    return ConversationNotFound(
        path.NO_CONVERSATION.fill(conversation_id=conversation_id[:64]), param="conversation_id"
    )
