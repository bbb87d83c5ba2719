"""From a drawing request to its pictures: asks the longest unused account until there are enough."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from app.accounts.account import Account
from app.accounts.authenticator import Caller
from app.accounts.pool import AccountPool
from app.catalogue.upstream import NO_PICTURE_CAME
from app.config import Settings
from app.core.errors import EmptyAnswer, GatewayError, NoPicture, SilentAnswer
from app.core.event import ImageAdded
from app.core.reported_error import choose_reported
from app.core.request import Attachment, DrawingRequest, DrawnPicture
from app.exchange.attaching import Attacher
from app.exchange.opener import Plan, ReplyOpener
from app.images.answer import DrawingAnswer
from app.images.download import PictureDownload
from app.images.editing import Editor, is_editable
from app.upstream.request import DRAWING_ASSISTANT_ID, Drawing, StreamRequest

_ASSISTANT_ID = re.compile(r"[0-9a-f]{24}")
_PLEASE_DRAW = "请画："
_DRAW = "画"
_MAX_FAILURES = 3


class ImageService:
    """Thread-safe; lives as long as the process."""

    def __init__(
        self,
        settings: Settings,
        pool: AccountPool,
        opener: ReplyOpener,
        attacher: Attacher,
        download: PictureDownload,
        editor: Editor,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._pool = pool
        self._opener = opener
        self._attacher = attacher
        self._download = download
        self._editor = editor
        self._clock = clock

    def draw(
        self,
        request: DrawingRequest,
        caller: Caller,
        attachments: Sequence[Attachment] = (),
        *,
        hold: Callable[[int], None],
    ) -> list[DrawnPicture]:
        """The pictures, never more than asked for; fewer only where the upstream gave no more.

        `hold` is told how many bytes the pictures themselves take, where they are wanted.

        Raises the GatewayError that says best why there is none. No account is held when this is over.
        """
        files = self._attacher.collect(attachments)
        try:
            plan = Plan(_ask_for(request), self._pool.get_or_add(caller.refresh_tokens), caller, files)
            draw = self._edit if attachments and is_editable(plan.question) else self._gather
            added = draw(plan, request.count)
        finally:
            files.close()
        pictures = [DrawnPicture(event.url, _rewritten(event, request.prompt)) for event in added]
        if request.wants_bytes:
            fetch = self._download.fetch
            pictures = [replace(picture, data=fetch(picture.url, hold)) for picture in pictures]
        return pictures

    def settle(self, seconds: float) -> None:
        """Wait for what goes on although its request was left."""
        self._editor.settle(seconds)

    def _edit(self, plan: Plan, count: int) -> list[ImageAdded]:
        """By the upstream's own call, one by one; what it does not do is drawn after the picture."""
        edited: list[ImageAdded] = []
        ends_at = self._clock() + self._settings.max_reply_seconds
        try:
            while len(edited) < count and self._clock() < ends_at:
                picture = self._editor.edit(plan)
                if picture is None:
                    return edited + self._gather(plan, count - len(edited))
                edited.append(picture)
        except GatewayError:
            if not edited:
                raise
        return edited

    def _gather(self, plan: Plan, count: int) -> list[ImageAdded]:
        """Ask until there are `count` pictures, no account is left, or it took too long."""
        drawn: dict[str, ImageAdded] = {}
        failures: list[GatewayError] = []
        ends_at = self._clock() + self._settings.max_reply_seconds
        while len(drawn) < count and plan.accounts and self._clock() < ends_at:
            answer = self._ask(plan)
            drawn |= {event.url: event for event in answer.pictures}
            if answer.failure is not None:
                failures.append(answer.failure)
                if not answer.failure.try_next_account or len(failures) >= _MAX_FAILURES:
                    break
                plan = _move_on(plan, answer, len(failures))
        if not drawn:
            raise choose_reported(failures)
        return list(drawn.values())[:count]

    def _ask(self, plan: Plan) -> DrawingAnswer:
        """One reply, read to its end and closed; what goes wrong stands in it."""
        try:
            reply = self._opener.open(plan)
        except GatewayError as error:
            return DrawingAnswer(None, failure=_as_drawing_failure(error))
        try:
            answer = DrawingAnswer(reply.account)
            answer.read(reply)
            return answer
        finally:
            reply.close()


def _ask_for(request: DrawingRequest) -> StreamRequest:
    model = request.model.strip().lower()
    return StreamRequest(
        prompt=request.prompt,
        assistant_id=model if _ASSISTANT_ID.fullmatch(model) else DRAWING_ASSISTANT_ID,
        reasoning_effort="low",
        drawing=Drawing(request.aspect_ratio, request.style, request.scene),
    )


def _move_on(plan: Plan, answer: DrawingAnswer, failures: int) -> Plan:
    """The next try: on another account, and insisting where words came instead of a picture.

    For this an only account is asked a second time. Where no reply began, every account has been tried.
    """
    if answer.account is None:
        return replace(plan, accounts=())
    others = [account for account in plan.accounts if account.label != answer.account]
    question = plan.question
    if not isinstance(answer.failure, NoPicture):
        return replace(plan, accounts=others)
    if _DRAW not in question.prompt:
        question = replace(question, prompt=_PLEASE_DRAW + question.prompt)
    accounts: Sequence[Account] = others or (plan.accounts if failures == 1 else ())
    return replace(plan, accounts=accounts, question=question)


def _as_drawing_failure(error: GatewayError) -> GatewayError:
    if isinstance(error, EmptyAnswer) and not isinstance(error, SilentAnswer):
        return NoPicture(NO_PICTURE_CAME)
    return error


def _rewritten(event: ImageAdded, prompt: str) -> str | None:
    """What was drawn, where that is not what was asked for."""
    revised = event.revised_prompt
    return None if revised is None or revised in (prompt.strip(), _PLEASE_DRAW + prompt.strip()) else revised
