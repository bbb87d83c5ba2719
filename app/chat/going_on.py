"""Going on without ids: a request whose history stands upstream already sends its last turn alone.

    question --recall--> its history stands upstream: take it out, ask its owner the last turn
                 |                     |
                 |                     +-- any failure before the commit point: that conversation is due
                 v                                         v
              begin anew, on any account, with the whole history merged into one prompt

A good end, delivered word for word, is put back under the history that the client will send next.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from app.accounts.account import Account
from app.accounts.authenticator import Caller
from app.chat.history import HistoryDigest, can_be_gone_on_with
from app.chat.mode import Mode
from app.conversations.cleaner import Cleaner
from app.conversations.continuable import Continuable, ContinuableConversations
from app.core.request import Question, TextPart, Turn
from app.exchange.delivered_text import DeliveredText
from app.exchange.reply import Reply
from app.hub import cooperate

_WORK_OF_A_TURN = 100
_WORK_AT_A_TIME = 256 * 1024
"""In characters; a turn is worth some, however little it says."""


class Recollection:
    """One request's history: `found` is where it stands upstream, None where it does nowhere."""

    __slots__ = ("_going_on", "_history", "found")

    def __init__(self, going_on: GoingOn, history: HistoryDigest, found: Continuable | None) -> None:
        self._going_on = going_on
        self._history = history
        self.found = found

    def narrow(self, question: Question, found: Continuable) -> Question:
        """The same question for a conversation that knows all but its last turn."""
        return replace(
            question,
            turns=question.turns[-1:],
            continued_id=found.conversation_id,
            continued_turn=found.turn,
        )

    def watch(self, reply: Reply, *, is_held: bool) -> None:
        """Remember the conversation of `reply` once its answer was delivered."""

        def note(text: str, told: str, turn: int) -> None:
            histories = frozenset(map(self._history.write_answered, {text, told}))
            self._going_on.remember(histories, reply, turn, is_held=is_held)

        reply.delivered = DeliveredText(note, is_held=is_held)


class GoingOn:
    """Thread-safe; lives as long as the process."""

    def __init__(self, cleaner: Cleaner, keep_seconds: float) -> None:
        self._cleaner = cleaner
        self._keep_seconds = keep_seconds
        self._conversations = ContinuableConversations()

    def recall(
        self, question: Question, mode: Mode, accounts: Sequence[Account], caller: Caller
    ) -> Recollection | None:
        """None where nothing is to be gone on with, now or later. What is found is taken out."""
        if not can_be_gone_on_with(question) or mode.drawing is not None:
            return None
        pool = sorted([account.key for account in accounts])
        how = (mode.assistant_id, mode.chat_mode, mode.selected_model, str(mode.web_search))
        history = HistoryDigest((caller.id, *pool, *how))
        _digest(history, question.turns[:-1])
        found = None
        if len(question.turns) > 1 and question.turns[-2].role == "assistant":
            found = self._conversations.take(history.write(), self._cleaner.clock())
        history.add(question.turns[-1])
        return Recollection(self, history, found)

    def remember(self, histories: frozenset[str], reply: Reply, turn: int, *, is_held: bool) -> None:
        conversation_id, owner = reply.conversation_id, reply.owner
        if conversation_id is None or owner is None:
            return
        due = self._cleaner.clock() + self._keep_seconds
        held = Continuable(histories, conversation_id, owner, turn, due, is_held)
        for pushed_out in self._conversations.put(held):
            if pushed_out.conversation_id != conversation_id:
                self.let_go(pushed_out)

    def let_go(self, conversation: Continuable, *, also_held: bool = False) -> None:
        """Nobody goes on with it any more: it is due, unless a client may come back by its id."""
        if also_held or not conversation.is_held:
            self._cleaner.ledger.postpone(conversation.conversation_id, self._cleaner.clock())
            self._cleaner.serve(conversation.owner)

    def stop(self) -> None:
        """At a shutdown: what no client holds an id of is due."""
        for conversation in self._conversations.take_all():
            self.let_go(conversation)


def _digest(history: HistoryDigest, turns: Sequence[Turn]) -> None:
    """A history is as long as its client likes: others get their turn meanwhile."""
    work = 0
    for turn in turns:
        history.add(turn)
        work += _WORK_OF_A_TURN + sum([len(part.text) for part in turn.parts if isinstance(part, TextPart)])
        if work > _WORK_AT_A_TIME:
            cooperate()
            work = 0
