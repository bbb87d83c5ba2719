"""From a question to its reply: what to ask upstream, and which accounts may."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from app.accounts.account import Account
from app.accounts.authenticator import Caller
from app.accounts.pool import AccountPool
from app.chat.attachment import find_attachments
from app.chat.going_on import GoingOn, Recollection
from app.chat.mode import Mode, choose_mode, choose_options
from app.chat.offer import build_offer, offers_nothing
from app.chat.prompt import build_prompt, choose_spoken, has_history
from app.config import Settings
from app.conversations.ledger import Conversation, Ledger
from app.core.errors import GatewayError, ShuttingDown
from app.core.model_name import strip_silent
from app.core.request import Question
from app.core.usage import TokenEstimate
from app.core.wait import TellWait
from app.exchange.attaching import AttachedFiles, Attacher
from app.exchange.clock import StartClock
from app.exchange.opener import Plan, ReplyOpener, not_found
from app.exchange.reply import Reply
from app.hub import cooperate
from app.identifier import fold_id
from app.metrics.counters import Counters
from app.tools.dialect import Dialect
from app.upstream.request import DEFAULT_ASSISTANT_ID, StreamRequest
from app.upstream.video import VIDEO_ASSISTANT

_MAX_OWNERS_TRIED = 3
_COUNTED_CHARS = 256 * 1024
"""Counted in one go, before others get their turn. They get one as well once a longer prompt is written."""
# An owner that answers something else is not waited for; one that has just answered is about to be free.
_OWNER_SECONDS = 0.25

log = logging.getLogger(__name__)


class Directory(msgspec.Struct, frozen=True):
    """Whom there is to ask: accounts, the owners of conversations, assistants by name."""

    pool: AccountPool
    ledger: Ledger
    find_assistant: Callable[[str, Caller], str | None] = lambda name, caller: None
    """The id of the assistant that a name means to a caller. Never waits."""


class ToolSpeech(msgspec.Struct, frozen=True):
    """How this process and the model speak of tools, and who counts what is called."""

    dialect: Dialect
    counters: Counters


class _Asking(msgspec.Struct, frozen=True):
    """One request: what is asked, how, by whom, of whom."""

    question: Question
    mode: Mode
    caller: Caller
    accounts: list[Account]
    """Everybody's of the caller."""


class ChatService:
    """Thread-safe; lives as long as the process."""

    def __init__(
        self,
        settings: Settings,
        directory: Directory,
        opener: ReplyOpener,
        attacher: Attacher,
        tools: ToolSpeech,
        going_on: GoingOn | None = None,
    ) -> None:
        """Without `going_on` every chat without an id begins anew."""
        self._going_on = going_on
        self._tools = tools
        self._settings = settings
        self._pool = directory.pool
        self._ledger = directory.ledger
        self._find_assistant = directory.find_assistant
        self._opener = opener
        self._attacher = attacher

    def open(self, question: Question, caller: Caller, tell: TellWait | None = None) -> Reply:
        """The reply to `question` at its commit point, with a lease in hand; the caller must close it.

        `tell` hears what is waited for until then.

        Raises the GatewayError that says best why no account answers.
        """
        clock, question = self._opener.start_clock(), self._name_assistant(question, caller)
        accounts = self._pool.get_or_add(caller.refresh_tokens)
        asking = _Asking(question, choose_mode(question), caller, accounts)
        recollection = self._recall(asking)
        reply = self._go_on(asking, recollection, clock, tell)
        if reply is None:
            reply = self._open(self._plan(asking, recollection), clock, tell)
        if recollection is not None:
            recollection.watch(reply, is_held=_keeps_conversation(question))
        return reply

    def _name_assistant(self, question: Question, caller: Caller) -> Question:
        """By its id, where the model is an assistant's name."""
        name = strip_silent(question.model)
        found = self._find_assistant(name, caller)
        if found is None:
            return question
        return replace(question, model=found if name == question.model.strip() else f"{found}-silent")

    def _recall(self, asking: _Asking) -> Recollection | None:
        if self._going_on is None:
            return None
        return self._going_on.recall(asking.question, asking.mode, asking.accounts, asking.caller)

    def _go_on(
        self,
        asking: _Asking,
        recollection: Recollection | None,
        clock: StartClock,
        tell: TellWait | None,
    ) -> Reply | None:
        """The last turn asked where the history stands upstream; None where that is not to be."""
        found = recollection.found if recollection is not None else None
        if recollection is None or found is None or self._going_on is None:
            return None
        try:
            narrowed = replace(asking, question=recollection.narrow(asking.question, found))
            plan = self._plan(narrowed, recollection)
            return self._open(replace(plan, queue_seconds=_OWNER_SECONDS), clock, tell)
        except ShuttingDown:
            raise
        except GatewayError as error:
            log.info("a chat begins anew, as its conversation cannot be gone on with (%s)", error.code)
            self._going_on.let_go(found, also_held=True)
            return None

    def _open(self, plan: Plan, clock: StartClock, tell: TellWait | None) -> Reply:
        try:
            return self._opener.open(plan if tell is None else replace(plan, tell=tell), clock)
        finally:
            plan.files.close()

    def count_tokens(self, question: Question) -> int:
        """How many tokens the prompt for `question` has, estimated; nobody is asked, and no file is fetched.

        Raises as `open` does what is wrong with the question itself, but not that it is too long.
        """
        draws = choose_mode(question).drawing is not None
        prompt = build_prompt(
            choose_spoken(question.turns) if draws else question.turns,
            continues=False,
            max_chars=sys.maxsize,
            has_files=bool(find_attachments(question.turns, continues=False)),
            offer=None if draws else build_offer(question, self._tools.dialect),
        )
        estimate = TokenEstimate()
        for begin in range(0, len(prompt), _COUNTED_CHARS):
            estimate.add(prompt[begin : begin + _COUNTED_CHARS])
            cooperate()
        return estimate.tokens

    def _plan(self, asking: _Asking, recollection: Recollection | None) -> Plan:
        question, mode = asking.question, asking.mode
        continued, are_all_new = question.continued_id, question.continued_turn is not None
        says_nothing = mode.drawing is not None or offers_nothing(question)
        offer = None if says_nothing else build_offer(question, self._tools.dialect)
        files = self._collect(question, attaches_earlier=recollection is not None)
        prompt = build_prompt(
            choose_spoken(question.turns) if mode.drawing else question.turns,
            continues=continued is not None,
            are_all_new=are_all_new,
            max_chars=self._settings.max_prompt_chars,
            has_files=bool(files),
            offer=offer,
            place=question.turns_place,
        )
        if len(prompt) > _COUNTED_CHARS:
            cooperate()
        accounts, known = self._find_owners(asking)
        request = StreamRequest(
            prompt=prompt,
            assistant_id=known.assistant_id if known else mode.assistant_id,
            conversation_id=(fold_id(continued) or "") if continued else "",
            chat_mode=mode.chat_mode,
            reasoning_effort=mode.reasoning_effort,
            selected_model=mode.selected_model,
            web_search=mode.web_search,
            drawing=mode.drawing,
            reads_calls=offer is not None and offer.has_tools,
            reads_searches=question.searches_natively,
        )
        is_kept = recollection is not None or _keeps_conversation(question)
        keep_seconds = self._settings.conversation_ttl_seconds if is_kept else 0.0
        options = choose_options(question, mode, self._settings.reasoning)
        if offer is not None:
            counters = self._tools.counters
            options = replace(
                options,
                calls=offer.build_call_options(None if _reads_more(request, files) else prompt, counters),
                json_output=offer.build_json_options(counters),
            )
        return Plan(
            request,
            accounts,
            asking.caller,
            files,
            keep_seconds,
            is_known=known is not None,
            options=options,
            continued_turn=question.continued_turn,
        )

    def _collect(self, question: Question, *, attaches_earlier: bool) -> AttachedFiles:
        """`attaches_earlier`: what earlier turns carried goes along where the chat begins anew."""
        attachments = find_attachments(
            question.turns,
            continues=question.continued_id is not None,
            are_all_new=question.continued_turn is not None,
            max_earlier=self._settings.files_max_count if attaches_earlier else 0,
        )
        return self._attacher.collect(attachments)

    def _find_owners(self, asking: _Asking) -> tuple[list[Account], Conversation | None]:
        """The accounts to ask, which may own the conversation where one goes on, and what is known of it.

        With a gateway key the accounts are the operator's: what the ledger does not know as this caller's is
        somebody else's, or was never there, and the upstream is not asked about it. Nor is it where the
        client goes on from one answer: only the ledger knows which is the latest.
        """
        question, caller, accounts = asking.question, asking.caller, asking.accounts
        named = question.continued_id
        if named is None:
            return accounts, None
        known, turn = self._ledger.get(fold_id(named) or ""), question.continued_turn
        if known is None:
            if caller.key is not None or turn is not None or fold_id(named) is None:
                raise not_found(named, turn)
            return accounts[:_MAX_OWNERS_TRIED], None
        owners = [account for account in accounts if account.owner == known.owner]
        is_held = turn is None or known.due > time.time() or self._ledger.is_in_use(known.id)
        is_own = known.caller == caller.id and known.assistant_id != VIDEO_ASSISTANT
        if not owners or not is_own or not is_held:
            raise not_found(named, turn)
        return owners, known


def _reads_more(request: StreamRequest, files: AttachedFiles) -> bool:
    """The model sees more than the prompt: files, pages, earlier turns, what an assistant was given."""
    return (
        bool(files)
        or bool(request.conversation_id)
        or request.web_search
        or request.chat_mode == "deep_research"
        or request.assistant_id != DEFAULT_ASSISTANT_ID
    )


def _keeps_conversation(question: Question) -> bool:
    """Unless it says so, a client that sends the history itself never comes back by id."""
    if question.keeps_conversation is not None:
        return question.keeps_conversation
    return question.continued_id is not None or not has_history(question.turns)
