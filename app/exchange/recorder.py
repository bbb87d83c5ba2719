"""One question of the operator's own to one of the accounts, and the shapes of all that came of it.

Nothing is kept: what came is held, in bounds, until it has become a text, which is handed out. One at a time.
What makes the text is loaded for the first recording (docs/decisions/0018).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from app.accounts.account import Account
from app.accounts.authenticator import Caller
from app.accounts.pool import AccountPool
from app.accounts.refresh import Refresher
from app.catalogue.credential import RECORDING_NOT_ADMIN
from app.catalogue.load import RECORDING_ALREADY
from app.catalogue.upstream import NO_ANSWER_IN_TIME, RECORDING_HOLDS_SECRET
from app.conversations.cleaner import Cleaner
from app.core.errors import GatewayError, KeyForbidden, TooManyStreams, UpstreamChanged, UpstreamTimeout
from app.exchange.attaching import Attacher
from app.exchange.opener import Plan, ReplyOpener
from app.hub import Deadline
from app.logs import redactor
from app.upstream.client import UpstreamAddress, UpstreamClient
from app.upstream.request import StreamRequest
from app.upstream.standing import ask_standing

if TYPE_CHECKING:
    from app.upstream.recording import RecordingClient

SMALL_QUESTION = "1+1=? 只回答数字"

_RECORD_SECONDS = 60.0
_MAX_RECORDED_BYTES = 256 * 1024
_RETRY_SECONDS = 10.0
_KEEP_SECONDS = 60.0  # so long its conversation is left to whoever made it, before the gateway deletes it


class Recorder:
    """Thread-safe; lives as long as the process."""

    def __init__(
        self,
        address: UpstreamAddress,
        pool: AccountPool,
        refresher: Refresher,
        cleaner: Cleaner,
        attacher: Attacher,
        build_opener: Callable[[UpstreamClient], ReplyOpener],
    ) -> None:
        self._address = address
        self._pool = pool
        self._refresher = refresher
        self._cleaner = cleaner
        self._attacher = attacher
        self._build_opener = build_opener
        self._is_recording = False

    def record(self, caller: Caller) -> str:
        """The recording (upstream/recording.py), also of a question that failed.

        Raises KeyForbidden for everybody but an admin key, TooManyStreams while one is made, UpstreamChanged
        where a secret would be in it, and why no account could be asked.
        """
        if caller.key is None or not caller.key.is_admin:
            raise KeyForbidden(RECORDING_NOT_ADMIN)
        if self._is_recording:
            raise TooManyStreams(RECORDING_ALREADY, retry_after_seconds=_RETRY_SECONDS)
        self._is_recording = True
        try:
            return self._record(caller)
        finally:
            self._is_recording = False

    def _record(self, caller: Caller) -> str:
        from app.command import find_version  # noqa: PLC0415
        from app.upstream.recording import Recording, RecordingClient, SecretFound  # noqa: PLC0415

        recording = Recording(_MAX_RECORDED_BYTES)
        client = RecordingClient(self._address, recording)
        try:
            with Deadline(_RECORD_SECONDS, UpstreamTimeout(NO_ANSWER_IN_TIME)):
                self._ask(client, caller)
        except GatewayError:
            if not recording.has_calls:
                raise
        finally:
            client.close()
        try:
            return recording.build_text(find_version(), redactor)
        except SecretFound:
            raise UpstreamChanged(RECORDING_HOLDS_SECRET) from None

    def _ask(self, client: RecordingClient, caller: Caller) -> None:
        accounts = self._pool.get_or_add(caller.refresh_tokens)
        question = StreamRequest(SMALL_QUESTION)
        plan = Plan(question, accounts, caller, self._attacher.collect(()), keep_seconds=_KEEP_SECONDS)
        reply = self._build_opener(client).open(plan)
        account = next(account for account in accounts if account.label == reply.account)
        try:
            while not reply.finished:
                reply.read()
        finally:
            reply.close(in_background=False)
            self._delete(client, account, reply.conversation_id)
        with suppress(GatewayError):
            self._refresher.with_token(account, lambda token: ask_standing(client, token))

    def _delete(self, client: RecordingClient, account: Account, conversation_id: str | None) -> None:
        """By this client, so that it is recorded which call deletes; where that fails, the gateway will."""
        ledger, clock = self._cleaner.ledger, self._cleaner.clock
        conversation = ledger.get(conversation_id or "")
        if conversation is None or not ledger.claim(conversation.id):
            return
        name, assistant_id = conversation.id, conversation.assistant_id
        try:
            self._refresher.with_token(
                account, lambda token: client.delete_conversation(token, name, assistant_id)
            )
            ledger.forget(name)
        except GatewayError:
            ledger.postpone(name, clock())
            self._cleaner.wake()
        finally:
            ledger.unclaim(name)
