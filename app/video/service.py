"""From a video request to the video: ordered under a lease, then asked for until it is done.

The lease is held while the account uploads and orders. Filming takes minutes and is no chat stream, which is
what an account may have only one of, so the account answers others meanwhile. The video is recorded like a
conversation: it is deleted upstream when it is due, also after a crash.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from app.accounts.account import Account
from app.accounts.gate import Caller
from app.accounts.lease import Lease
from app.accounts.pool import AccountPool
from app.accounts.refresh import Refresher
from app.config import Settings
from app.conversations.cleaner import Cleaner
from app.conversations.ledger import Conversation
from app.conversations.use import ConversationUse
from app.errors import AccountExpired, GatewayError, InvalidFile, NotFound, Outcome, UpstreamTimeout
from app.exchange.clock import StartClock
from app.exchange.turn import Turns
from app.files.fetch import Fetcher
from app.files.spool import SpooledFile
from app.hub import NAME_SECONDS, Deadline, Lingering
from app.identifier import fold_id
from app.openai.video import Video, VideoRequest
from app.upstream.video import VIDEO_ASSISTANT, VideoCalls, VideoOrder, VideoState

_LOOK_SECONDS = 1.0
_MOST_FAILED_LOOKS = 5
# How long a video that nobody waits for can be had after the longest time it may take.
_COLLECT_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class _Order:
    """A video that an account has been asked for; `use` keeps it from being deleted until it ends."""

    account: Account
    use: ConversationUse
    video_id: str


class VideoService:
    """Thread-safe; lives as long as the process."""

    def __init__(
        self,
        settings: Settings,
        calls: VideoCalls,
        pool: AccountPool,
        turns: Turns,
        refresher: Refresher,
        cleaner: Cleaner,
        fetcher: Fetcher,
    ) -> None:
        self._settings = settings
        self._calls = calls
        self._pool = pool
        self._turns = turns
        self._refresher = refresher
        self._cleaner = cleaner
        self._fetcher = fetcher

    def film(self, request: VideoRequest, caller: Caller) -> Video:
        """The finished video, or where that is wanted the one that has just been ordered.

        Raises the GatewayError that says best why there is none; nothing is left upstream then.
        """
        if request.image_url is not None:
            self._check_picture(request.image_url)
        with ExitStack() as stack:
            order = self._order(request, caller, stack)
            delivered = False
            try:
                video = Video(order.video_id, "processing")
                if not request.is_async:
                    video = self._wait(order, request.audio_id)
                delivered = True
                return video
            finally:
                order.use.end(delivered=delivered)

    def find(self, video_id: str, caller: Caller) -> Video:
        """How far a video of this caller is. Raises NotFound or VideoFailed."""
        known = self._cleaner.ledger.get(fold_id(video_id) or "")
        owners = {account.owner: account for account in self._pool.find(caller.refresh_tokens)}
        if (
            known is None
            or known.assistant_id != VIDEO_ASSISTANT
            or known.caller != caller.id
            or known.owner not in owners
        ):
            raise NotFound("There is no such video among your accounts, or its time is over.")
        account = owners[known.owner]
        return _describe(known.id, self._look(account, known.id))

    def _check_picture(self, url: str) -> None:
        try:
            self._fetcher.check(url)
        except InvalidFile as error:
            error.param = "image_url"
            raise

    def _order(self, request: VideoRequest, caller: Caller, stack: ExitStack) -> _Order:
        """Ordered from the first account that takes the order, which is free again then."""
        clock = StartClock(self._settings.start_seconds)
        pictures: list[SpooledFile] = []

        def attempt(lease: Lease) -> _Order:
            with clock.limit():
                self._refresher.access_token(lease.account)
            lease.confirm()
            if request.image_url is not None and not pictures:
                with clock.stopped():
                    pictures.append(self._fetch(request.image_url, stack))
            with clock.stopped():
                sources = [self._upload(lease.account, picture) for picture in pictures]
            order = self._start(lease.account, _build_order(request, sources), request, caller, clock)
            lease.release(Outcome.OK)
            return order

        return self._turns.take(self._pool.find(caller.refresh_tokens), caller, clock, attempt)

    def _upload(self, account: Account, picture: SpooledFile) -> str:
        seconds = self._settings.files_timeout_seconds
        with Deadline(seconds, UpstreamTimeout("The upstream did not take the picture in time.")):
            return self._refresher.with_token(
                account, lambda token: self._calls.upload(token, picture, timeout_seconds=seconds)
            )

    def _start(
        self, account: Account, order: VideoOrder, request: VideoRequest, caller: Caller, clock: StartClock
    ) -> _Order:
        keep_seconds = self._settings.video_seconds + _COLLECT_SECONDS if request.is_async else 0.0
        record = Conversation("", VIDEO_ASSISTANT, account.owner, caller.id)
        use = ConversationUse(self._cleaner.ledger, self._cleaner, record, keep_seconds)
        try:
            # A client that leaves now would leave a video whose name nobody has heard.
            with clock.limit(), Lingering(NAME_SECONDS):
                video_id = self._refresher.with_token(account, lambda token: self._calls.start(token, order))
                use.begin(video_id)
        except BaseException:
            use.end(delivered=False)
            raise
        return _Order(account, use, video_id)

    def _fetch(self, url: str, stack: ExitStack) -> SpooledFile:
        file = self._fetcher.fetch(url, param="image_url")
        stack.callback(file.close)
        if not file.is_picture:
            raise InvalidFile("What lies there is no picture.", param="image_url")
        return file

    def _wait(self, order: _Order, audio_id: str | None) -> Video:
        """Look once a second; a look that fails is no answer yet, several in a row are."""
        ends_at = time.monotonic() + self._settings.video_seconds
        pause = threading.Event()
        failed_looks = 0
        while time.monotonic() < ends_at:
            pause.wait(_LOOK_SECONDS)
            try:
                state = self._look(order.account, order.video_id)
                failed_looks = 0
            except GatewayError as error:
                failed_looks += 1
                is_final = not error.moves_on or isinstance(error, AccountExpired)
                if is_final or failed_looks >= _MOST_FAILED_LOOKS:
                    raise
                continue
            if state.is_finished:
                return self._finish(order, state, audio_id)
        raise UpstreamTimeout("The video was not finished in time (GLM_VIDEO_SECONDS).")

    def _look(self, account: Account, video_id: str) -> VideoState:
        return self._refresher.with_token(account, lambda token: self._calls.look(token, video_id))

    def _finish(self, order: _Order, state: VideoState, audio_id: str | None) -> Video:
        video_id = order.video_id
        if audio_id is None:
            return _describe(video_id, state)
        key, _, sound = audio_id.partition("-")
        url = self._refresher.with_token(
            order.account, lambda token: self._calls.add_music(token, video_id, key, sound)
        )
        return Video(video_id, "completed", url, state.cover_url, state.duration, state.resolution)


def _build_order(request: VideoRequest, sources: Sequence[str]) -> VideoOrder:
    return VideoOrder(
        request.prompt,
        request.video_style or "",
        request.emotional_atmosphere or "",
        request.mirror_mode or "",
        tuple(sources),
    )


def _describe(video_id: str, state: VideoState) -> Video:
    if not state.is_finished:
        return Video(video_id, "processing")
    return Video(video_id, "completed", state.url, state.cover_url, state.duration, state.resolution)
