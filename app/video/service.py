"""From a video request to the video: ordered under a lease, then asked for until it is done.

The lease is held while the account uploads and orders. Filming takes minutes and is no chat stream, which is
what an account may have only one of, so the account answers others meanwhile. The video is recorded like a
conversation: it is deleted upstream when it is due, also after a crash.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import TypeVar

from app.accounts.account import Account
from app.accounts.gate import Caller
from app.accounts.lease import Lease
from app.accounts.pool import AccountPool
from app.accounts.refresh import Refresher
from app.config import Settings
from app.conversations.cleaner import Cleaner
from app.conversations.ledger import Conversation
from app.conversations.use import ConversationUse
from app.errors import (
    AccessRejected,
    AccountExpired,
    GatewayError,
    InvalidFile,
    LoginAnswering,
    NotFound,
    Outcome,
    UpstreamTimeout,
    VideoFailed,
    most_telling,
)
from app.files.fetch import Fetcher
from app.files.spool import SpooledFile
from app.hub import NAME_SECONDS, Deadline, Lingering
from app.openai.video import Video, VideoRequest
from app.token import AccessToken
from app.upstream.video import VIDEO_ASSISTANT, VideoCalls, VideoOrder, VideoState

_LOOK_SECONDS = 1.0
_MOST_FAILED_LOOKS = 5
# How long a video that nobody waits for can be had after the longest time it may take.
_COLLECT_SECONDS = 600.0

_T = TypeVar("_T")


class VideoService:
    """Thread-safe; lives as long as the process."""

    def __init__(
        self,
        settings: Settings,
        calls: VideoCalls,
        pool: AccountPool,
        refresher: Refresher,
        cleaner: Cleaner,
        fetcher: Fetcher,
    ) -> None:
        self._settings = settings
        self._calls = calls
        self._pool = pool
        self._refresher = refresher
        self._cleaner = cleaner
        self._fetcher = fetcher

    def film(self, request: VideoRequest, caller: Caller) -> Video:
        """The finished video, or where that is wanted the one that has just been ordered.

        Raises the GatewayError that says best why there is none; nothing is left upstream then.
        """
        if request.image_url is not None:
            self._check_picture(request.image_url)
        keep_seconds = self._settings.video_seconds + _COLLECT_SECONDS if request.is_async else 0.0
        with ExitStack() as stack:
            account, use, video_id = self._order(request, caller, keep_seconds, stack)
            delivered = False
            try:
                video = Video(video_id, "processing")
                if not request.is_async:
                    video = self._wait(account, video_id, request)
                delivered = True
                return video
            finally:
                use.end(delivered=delivered)

    def find(self, video_id: str, caller: Caller) -> Video:
        """How far a video of this caller is. Raises NotFound or VideoFailed."""
        known = self._cleaner.ledger.get(video_id)
        owners = {account.owner: account for account in self._pool.find(caller.refresh_tokens)}
        if (
            known is None
            or known.assistant_id != VIDEO_ASSISTANT
            or known.caller != caller.id
            or known.owner not in owners
        ):
            raise NotFound("There is no such video among your accounts, or its time is over.")
        account = owners[known.owner]
        return _describe(video_id, self._with_token(account, lambda token: self._calls.look(token, video_id)))

    def _check_picture(self, url: str) -> None:
        try:
            self._fetcher.check(url)
        except InvalidFile as error:
            error.param = "image_url"
            raise

    def _order(
        self, request: VideoRequest, caller: Caller, keep_seconds: float, stack: ExitStack
    ) -> tuple[Account, ConversationUse, str]:
        """Ask one account after the other, each at most once."""
        untried = list(self._pool.find(caller.refresh_tokens))
        errors: list[GatewayError] = []
        picture: list[SpooledFile] = []
        while untried:
            try:
                lease = self._pool.acquire(
                    untried, wait_seconds=self._settings.queue_seconds, caller=caller.queue
                )
            except GatewayError as error:
                errors.append(error)
                break
            untried.remove(lease.account)
            try:
                video_id, use = self._order_with(lease, request, caller, keep_seconds, picture, stack)
            except GatewayError as error:
                lease.release(error.outcome, error)
                if isinstance(error, LoginAnswering):
                    untried.append(lease.account)
                elif not error.moves_on:
                    raise
                errors.append(error)
            except BaseException:
                lease.release(Outcome.ABANDONED)
                raise
            else:
                lease.release(Outcome.OK)
                return lease.account, use, video_id
        raise most_telling(errors)

    def _order_with(
        self,
        lease: Lease,
        request: VideoRequest,
        caller: Caller,
        keep_seconds: float,
        picture: list[SpooledFile],
        stack: ExitStack,
    ) -> tuple[str, ConversationUse]:
        account = lease.account
        with self._limit():
            self._refresher.access_token(account)
        lease.confirm()
        if request.image_url is not None and not picture:
            picture.append(self._fetch(request.image_url, stack))
        seconds = self._settings.files_timeout_seconds
        sources: list[str] = []
        if picture:
            file = picture[0]
            with Deadline(seconds, UpstreamTimeout("The upstream did not take the picture in time.")):
                source_id = self._with_token(
                    account, lambda token: self._calls.upload(token, file, timeout_seconds=seconds)
                )
            sources.append(source_id)
        order = VideoOrder(
            request.prompt,
            request.video_style or "",
            request.emotional_atmosphere or "",
            request.mirror_mode or "",
            tuple(sources),
        )
        record = Conversation("", VIDEO_ASSISTANT, account.owner, caller.id)
        use = ConversationUse(self._cleaner.ledger, self._cleaner, record, keep_seconds)
        try:
            # A client that leaves now would leave a video whose name nobody has heard.
            with Lingering(NAME_SECONDS), self._limit():
                video_id = self._with_token(account, lambda token: self._calls.start(token, order))
                use.begin(video_id)
        except BaseException:
            use.end(delivered=False)
            raise
        return video_id, use

    def _fetch(self, url: str, stack: ExitStack) -> SpooledFile:
        file = self._fetcher.fetch(url, param="image_url")
        stack.callback(file.close)
        if not file.is_picture:
            raise InvalidFile("What lies there is no picture.", param="image_url")
        return file

    def _limit(self) -> Deadline:
        return Deadline(self._settings.start_seconds, UpstreamTimeout("The video was not ordered in time."))

    def _wait(self, account: Account, video_id: str, request: VideoRequest) -> Video:
        """Look once a second; a look that fails is no answer yet, several in a row are."""
        ends_at = time.monotonic() + self._settings.video_seconds
        pause = threading.Event()
        failed_looks = 0
        while time.monotonic() < ends_at:
            pause.wait(_LOOK_SECONDS)
            try:
                state = self._with_token(account, lambda token: self._calls.look(token, video_id))
                failed_looks = 0
            except VideoFailed:
                raise
            except GatewayError as error:
                failed_looks += 1
                if not error.moves_on or failed_looks >= _MOST_FAILED_LOOKS:
                    raise
                continue
            if state.is_finished:
                return self._finish(account, video_id, state, request.audio_id)
        raise UpstreamTimeout("The video was not finished in time (GLM_VIDEO_SECONDS).")

    def _finish(self, account: Account, video_id: str, state: VideoState, audio_id: str | None) -> Video:
        video = _describe(video_id, state)
        if audio_id is None:
            return video
        key, _, sound = audio_id.partition("-")
        url = self._with_token(account, lambda token: self._calls.add_music(token, video_id, key, sound))
        return Video(video_id, "completed", url, state.cover_url, state.duration, state.resolution)

    def _with_token(self, account: Account, call: Callable[[AccessToken], _T]) -> _T:
        """One call with the account's token; a kept one that turns out dead is refreshed once."""
        token = self._refresher.access_token(account)
        try:
            return call(token)
        except AccessRejected:
            token = self._refresher.access_token(account, rejected=token)
        try:
            return call(token)
        except AccessRejected as exc:
            raise AccountExpired(f"The upstream refuses account {account.label}.") from exc


def _describe(video_id: str, state: VideoState) -> Video:
    if not state.is_finished:
        return Video(video_id, "processing")
    return Video(video_id, "completed", state.url, state.cover_url, state.duration, state.resolution)
