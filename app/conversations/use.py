"""One reply's use of one conversation: it is not deleted meanwhile, and it is afterwards."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from app.conversations.cleaner import Cleaner
from app.conversations.ledger import Conversation, Ledger


class ConversationUse:
    """Begins when the conversation has a name, ends with the reply. `end` is idempotent."""

    def __init__(
        self,
        ledger: Ledger,
        cleaner: Cleaner,
        conversation: Conversation,
        keep_seconds: float,
        clock: Callable[[], float] | None = None,
        *,
        goes_on_from: int | None = None,
    ) -> None:
        """`conversation` says all but the times; its id is empty while the upstream has not named it.

        The clock is the cleaner's own unless another one is given; `goes_on_from` as in Ledger.begin.
        """
        self._ledger = ledger
        self._cleaner = cleaner
        self._conversation = conversation
        self._keep_seconds = keep_seconds
        self._continues = bool(conversation.id)
        self._clock = clock or cleaner.clock
        self._goes_on_from = goes_on_from
        self._id: str | None = None
        self.turn = 1
        """Which answer of the conversation this is; those that came to no good end do not count."""

    def begin(self, conversation_id: str) -> None:
        """Record the conversation; naming it twice changes nothing. Raises as Ledger.begin does."""
        if self._id is None:
            now = self._clock()
            due = now + self._keep_seconds
            named = replace(self._conversation, id=conversation_id, created=now, last_used=now, due=due)
            had = self._ledger.begin(named, is_new=not self._continues, goes_on_from=self._goes_on_from)
            self.turn = had + 1
            self._id = conversation_id

    def forgo(self) -> None:
        """Nobody will go on with it: it is due when this use ends."""
        self._keep_seconds = 0.0

    def end(self, *, delivered: bool, is_answered: bool = False) -> None:
        """The reply is over. A new conversation of which the client never heard goes at once."""
        conversation_id, self._id = self._id, None
        if conversation_id is not None:
            now = self._clock()
            keep = self._keep_seconds if delivered or self._continues else 0.0
            self._ledger.end(conversation_id, now=now, due=now + keep, is_answered=is_answered)
            if keep:
                self._cleaner.expect(now + keep)
            else:
                self._cleaner.serve(self._conversation.owner)
