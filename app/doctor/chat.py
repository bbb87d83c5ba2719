"""One small question to one account, and no trace of it."""

from __future__ import annotations

import time
from collections.abc import Callable

from app.accounts.account import Account
from app.conversations.ledger import Conversation, Ledger
from app.errors import GatewayError, UpstreamTimeout
from app.token import AccessToken
from app.upstream.client import UpstreamClient
from app.upstream.request import DEFAULT_ASSISTANT_ID, StreamRequest

QUESTION = "1+1=? 只回答数字"


class SmallChat:
    """`hold` it once, then `clean` up, whatever became of it."""

    def __init__(
        self,
        client: UpstreamClient,
        ledger: Ledger,
        account: Account,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._ledger = ledger
        self._account = account
        self._clock = clock
        self._left: tuple[AccessToken, Conversation] | None = None

    def hold(self, token: AccessToken, silent_seconds: float) -> None:
        """Hear the whole answer. Raises the GatewayError that it ends with otherwise."""
        stream = self._client.open_stream(token, StreamRequest(QUESTION), timeout_seconds=silent_seconds)
        try:
            while not stream.finished:
                said = stream.read(silent_seconds)
                self._record(token, stream.conversation_id)
                if said is None:
                    raise UpstreamTimeout("The upstream accepted the question and then said nothing.")
        finally:
            stream.close()

    def clean(self) -> GatewayError | None:
        """Delete the conversation, or return what keeps it: the ledger then leaves it to the gateway."""
        if self._left is None:
            return None
        token, conversation = self._left
        try:
            self._client.delete_conversation(token, conversation.id, conversation.assistant_id)
        except GatewayError as error:
            return error
        self._ledger.forget(conversation.id)
        return None

    def _record(self, token: AccessToken, conversation_id: str | None) -> None:
        """Once it has a name, also one that was named and failed in the same breath."""
        if conversation_id is not None and self._left is None:
            now = self._clock()
            conversation = Conversation(
                conversation_id, DEFAULT_ASSISTANT_ID, self._account.owner, "", now, now, now
            )
            self._ledger.begin(conversation)
            self._left = token, conversation
