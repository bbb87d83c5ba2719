"""Editing with whichever account can: the picture is uploaded, and the upstream asked for another one of it.

    request   queue -> token -> upload -> wait ---------------------> the picture, or why there is none
    thread                                  call -> name -> give back

Only its answer names the conversation that a call made. So the call goes on by itself where its request is
left: the account stays with it, and what it made is deleted. It is never made twice for one picture.
"""

from __future__ import annotations

import threading
import time

from app.accounts.lease import Lease
from app.accounts.refresh import Refresher
from app.background import run_in_background
from app.config import Settings
from app.conversations.cleaner import Cleaner
from app.conversations.ledger import Conversation
from app.conversations.use import ConversationUse
from app.core.errors import GatewayError, InternalError, Outcome
from app.core.event import ImageAdded
from app.exchange.clock import StartClock
from app.exchange.echo import Echo
from app.exchange.failover import Failover, Task
from app.exchange.opener import Plan
from app.hub import close_thread_loop
from app.upstream.client import UpstreamClient
from app.upstream.picture_edit import EditAnswer, PictureEdit, Verdict, ask_edit
from app.upstream.request import DRAWING_ASSISTANT_ID, Drawing, StreamRequest


class Editor:
    """Thread-safe; lives as long as the process."""

    def __init__(
        self,
        settings: Settings,
        upstream: UpstreamClient,
        failover: Failover,
        refresher: Refresher,
        cleaner: Cleaner,
    ) -> None:
        self._failover = failover
        self._start_seconds = settings.start_seconds
        self.call_seconds = settings.idle_seconds
        self.upstream = upstream
        self.refresher = refresher
        self.cleaner = cleaner
        self.running: set[EditCall] = set()

    def edit(self, plan: Plan) -> ImageAdded | None:
        """One picture made of the one of `plan`; None where this upstream does not edit, and drew nothing.

        Raises the GatewayError that says best why there is none; then no other way is to be tried.
        """
        url = self._failover.run(_Editing(self, plan, StartClock(self._start_seconds)))
        return None if url is None else ImageAdded("", url)

    def settle(self, seconds: float) -> None:
        """Wait for the calls whose requests were left, so that what they made can be deleted."""
        ends_at = time.monotonic() + seconds
        for call in list(self.running):
            call.wait(max(0.0, ends_at - time.monotonic()))


def is_editable(question: StreamRequest) -> bool:
    """Whether the call has a place for all that was asked for."""
    drawing = question.drawing or Drawing()
    is_plain = (drawing.style, drawing.scene) == ("none", "none")
    return is_plain and question.assistant_id == DRAWING_ASSISTANT_ID


class _Editing(Task[str | None]):
    """The address of the picture from the first account that draws it; None where one says that none will."""

    def __init__(self, editor: Editor, plan: Plan, clock: StartClock) -> None:
        super().__init__(plan.accounts, plan.caller, clock)
        self._editor = editor
        self._plan = plan
        self._echo = Echo(plan.question.prompt)
        self._is_uncertain = False

    def attempt(self, lease: Lease) -> str | None:
        try:
            edit = self._attach(lease)
            answer = self._ask(lease.hand_over(), edit)
            if answer.error is not None and answer.verdict is not Verdict.UNAVAILABLE:
                raise answer.error
        except GatewayError as error:
            self._echo.leave_out(error)
            raise
        return answer.url or None

    def moves_on(self, error: GatewayError) -> bool:
        """Never where the picture may have been drawn, and paid for."""
        return error.try_next_account and not self._is_uncertain

    def _attach(self, lease: Lease) -> PictureEdit:
        account, refresher = lease.account, self._editor.refresher
        with self.clock.limit():
            refresher.access_token(account)
        lease.confirm()
        with self.clock.stopped():
            files = refresher.with_token(account, lambda token: self._plan.files.give(account, token))
        drawing = self._plan.question.drawing or Drawing()
        return PictureEdit(files[0], self._plan.question.prompt, drawing.aspect_ratio)

    def _ask(self, lease: Lease, edit: PictureEdit) -> EditAnswer:
        call = EditCall(self._editor, lease, edit, self.caller.id)
        self._editor.running.add(call)
        run_in_background(call.run)
        call.wait()
        answer = call.take()
        self._is_uncertain = answer.verdict is Verdict.UNCERTAIN
        return answer


class EditCall:
    """One call upstream and what must be given back after it: the lease, and the conversation it made."""

    def __init__(self, editor: Editor, lease: Lease, edit: PictureEdit, caller_id: str) -> None:
        self._editor = editor
        self._lease = lease
        self._edit = edit
        conversation = Conversation("", DRAWING_ASSISTANT_ID, lease.account.owner, caller_id)
        self._use = ConversationUse(editor.cleaner.ledger, editor.cleaner, conversation, 0.0)
        self._is_over = threading.Event()
        self._answer: EditAnswer | None = None
        self._error: GatewayError | None = None

    def wait(self, seconds: float | None = None) -> None:
        """Until everything is given back."""
        self._is_over.wait(seconds)

    def take(self) -> EditAnswer:
        """The answer, once it is over. Raises AccountExpired, or what kept the account from a token."""
        error, self._error = self._error, None
        if self._answer is not None:
            return self._answer
        try:
            raise error or InternalError("A call for a picture ended without a result.")
        finally:
            del error, self  # the traceback holds this frame

    def run(self) -> None:
        """In a thread of its own, once."""
        outcome, error = Outcome.ABANDONED, None
        try:
            self._answer = self._ask()
            error = self._answer.error if self._answer.verdict is not Verdict.UNAVAILABLE else None
            outcome = Outcome.OK if error is None else error.outcome
        except GatewayError as exc:
            self._error = error = exc
            outcome = exc.outcome
        finally:
            try:
                self._use.end(delivered=True)
            finally:
                self._lease.release(outcome, error)
                self._editor.running.discard(self)
                self._is_over.set()
                del error
                close_thread_loop()

    def _ask(self) -> EditAnswer:
        editor = self._editor
        answer = editor.refresher.with_token(
            self._lease.account,
            lambda token: ask_edit(editor.upstream, token, self._edit, timeout_seconds=editor.call_seconds),
        )
        if answer.conversation_id is not None:
            self._use.begin(answer.conversation_id)
        return answer
