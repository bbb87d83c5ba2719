"""From a video request to the video: ordered under a lease, then asked for until it is done.

The lease is held while the account uploads and orders. Filming takes minutes and is no chat stream, which is
what an account may have only one of, so the account answers others meanwhile. The video is recorded like a
conversation: it is deleted upstream when it is due, also after a crash.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import msgspec
from msgspec.structs import replace

from app.accounts.account import Account
from app.accounts.authenticator import Caller
from app.accounts.lease import Lease
from app.accounts.pool import AccountPool
from app.accounts.refresh import Refresher
from app.catalogue.file import NO_PICTURE_LIES_THERE
from app.catalogue.path import NO_VIDEO
from app.catalogue.upstream import PICTURE_NOT_TAKEN, VIDEO_LATE
from app.config import Settings
from app.conversations.cleaner import Cleaner
from app.conversations.ledger import Conversation
from app.conversations.use import ConversationUse
from app.core.errors import AccountExpired, GatewayError, InvalidFile, NotFound, Outcome, UpstreamTimeout
from app.core.request import Video, VideoRequest
from app.exchange.clock import StartClock
from app.exchange.echo import Echo
from app.exchange.failover import Failover, Task
from app.files.fetch import Fetcher
from app.files.spool import SpooledFile
from app.hub import NAME_SECONDS, Deadline, Shield
from app.identifier import fold_id
from app.upstream.video import VIDEO_ASSISTANT, VideoCalls, VideoOrder, VideoState

_LOOK_SECONDS = 1.0
_MAX_FAILED_LOOKS = 5
# How long a video that nobody waits for can be had after the longest time it may take.
_COLLECT_SECONDS = 600.0


class _Order(msgspec.Struct, frozen=True):
    """A video that an account has been asked for; `use` keeps it from being deleted until it ends."""

    account: Account
    use: ConversationUse
    video_id: str


class _Parts(msgspec.Struct, frozen=True):
    """What every order needs; lives as long as the process."""

    settings: Settings
    calls: VideoCalls
    refresher: Refresher
    cleaner: Cleaner
    fetcher: Fetcher


class _Ordering(Task[_Order]):
    """Ordered from the first account that takes the order, which is free again then."""

    def __init__(
        self,
        parts: _Parts,
        request: VideoRequest,
        accounts: Sequence[Account],
        caller: Caller,
        stack: ExitStack,
    ) -> None:
        """`stack` closes what is fetched."""
        super().__init__(accounts, caller, StartClock(parts.settings.start_seconds))
        self._parts = parts
        self._request = request
        self._stack = stack
        self._pictures: list[SpooledFile] = []

    def attempt(self, lease: Lease) -> _Order:
        with _leaving_out(Echo(self._request.prompt)):
            return self._order(lease)

    def _order(self, lease: Lease) -> _Order:
        with self.clock.limit():
            self._parts.refresher.access_token(lease.account)
        lease.confirm()
        with self.clock.stopped():
            if self._request.image_url is not None and not self._pictures:
                self._pictures.append(self._fetch(self._request.image_url))
            sources = [self._upload(lease.account, picture) for picture in self._pictures]
        order = self._start(lease.account, _build_order(self._request, sources))
        lease.release(Outcome.OK)
        return order

    def _fetch(self, url: str) -> SpooledFile:
        file = self._parts.fetcher.fetch(url, param="image_url")
        self._stack.callback(file.close)
        if not file.is_picture:
            raise InvalidFile(NO_PICTURE_LIES_THERE, param="image_url")
        return file

    def _upload(self, account: Account, picture: SpooledFile) -> str:
        calls, seconds = self._parts.calls, self._parts.settings.files_timeout_seconds
        with Deadline(seconds, UpstreamTimeout(PICTURE_NOT_TAKEN)):
            return self._parts.refresher.with_token(
                account, lambda token: calls.upload(token, picture, timeout_seconds=seconds)
            )

    def _start(self, account: Account, order: VideoOrder) -> _Order:
        calls, cleaner = self._parts.calls, self._parts.cleaner
        keep_seconds = 0.0
        if self._request.is_async:
            keep_seconds = keep_for(self._parts.settings)
        record = Conversation("", VIDEO_ASSISTANT, account.owner, self.caller.id)
        use = ConversationUse(cleaner.ledger, cleaner, record, keep_seconds)
        try:
            # A client that leaves now would leave a video whose name nobody has heard.
            with self.clock.limit(), Shield(NAME_SECONDS):
                video_id = self._parts.refresher.with_token(account, lambda token: calls.start(token, order))
                use.begin(video_id)
        except BaseException:
            use.end(delivered=False)
            raise
        return _Order(account, use, video_id)


class VideoService:
    """Thread-safe; lives as long as the process."""

    def __init__(
        self,
        settings: Settings,
        calls: VideoCalls,
        pool: AccountPool,
        failover: Failover,
        refresher: Refresher,
        cleaner: Cleaner,
        fetcher: Fetcher,
    ) -> None:
        self._pool = pool
        self._failover = failover
        self._parts = _Parts(settings, calls, refresher, cleaner, fetcher)

    def film(self, request: VideoRequest, caller: Caller) -> Video:
        """The finished video, or where that is wanted the one that has just been ordered.

        Raises the GatewayError that says best why there is none; nothing is left upstream then.
        """
        if request.image_url is not None:
            self._check_picture(request.image_url)
        with ExitStack() as stack, _leaving_out(Echo(request.prompt)):
            accounts = self._pool.get_or_add(caller.refresh_tokens)
            order = self._failover.run(_Ordering(self._parts, request, accounts, caller, stack))
            delivered = False
            try:
                now = time.time()
                video = Video(order.video_id, ordered_at=now, expires_at=now + keep_for(self._parts.settings))
                if not request.is_async:
                    video = self._wait(order, request.audio_id)
                delivered = True
                return video
            finally:
                order.use.end(delivered=delivered)

    def find(self, video_id: str, caller: Caller) -> Video:
        """How far a video of this caller is. Raises NotFound or VideoFailed."""
        known = self._parts.cleaner.ledger.get(fold_id(video_id) or "")
        owners = {account.owner: account for account in self._pool.get_or_add(caller.refresh_tokens)}
        if (
            known is None
            or known.assistant_id != VIDEO_ASSISTANT
            or known.caller != caller.id
            or known.owner not in owners
        ):
            raise NotFound(NO_VIDEO)
        account = owners[known.owner]
        with _leaving_out(Echo(None)):
            video = _describe(known.id, self._look(account, known.id))
        return replace(video, ordered_at=known.created, expires_at=known.due)

    def _check_picture(self, url: str) -> None:
        try:
            self._parts.fetcher.check(url)
        except InvalidFile as error:
            error.param = "image_url"
            raise

    def _wait(self, order: _Order, audio_id: str | None) -> Video:
        """Look once a second; a look that fails is no answer yet, several in a row are."""
        ends_at = time.monotonic() + self._parts.settings.video_seconds
        pause = threading.Event()
        failed_looks = 0
        while time.monotonic() < ends_at:
            pause.wait(_LOOK_SECONDS)
            try:
                state = self._look(order.account, order.video_id)
                failed_looks = 0
            except GatewayError as error:
                failed_looks += 1
                is_final = not error.try_next_account or isinstance(error, AccountExpired)
                if is_final or failed_looks >= _MAX_FAILED_LOOKS:
                    raise
                continue
            if state.is_finished:
                return self._finish(order, state, audio_id)
        raise UpstreamTimeout(VIDEO_LATE)

    def _look(self, account: Account, video_id: str) -> VideoState:
        parts = self._parts
        return parts.refresher.with_token(account, lambda token: parts.calls.look(token, video_id))

    def _finish(self, order: _Order, state: VideoState, audio_id: str | None) -> Video:
        video_id = order.video_id
        if audio_id is None:
            return _describe(video_id, state)
        key, _, sound = audio_id.partition("-")
        url = self._parts.refresher.with_token(
            order.account, lambda token: self._parts.calls.add_music(token, video_id, key, sound)
        )
        return Video(video_id, True, url, state.cover_url, state.duration, state.resolution)


@contextmanager
def _leaving_out(echo: Echo) -> Iterator[None]:
    try:
        yield
    except GatewayError as error:
        echo.leave_out(error)
        raise


def keep_for(settings: Settings) -> float:
    """For how many seconds a video can be asked for that nobody waits for."""
    return settings.video_seconds + _COLLECT_SECONDS


def _build_order(request: VideoRequest, sources: Sequence[str]) -> VideoOrder:
    return VideoOrder(
        request.prompt,
        request.style,
        request.atmosphere,
        request.camera,
        tuple(sources),
    )


def _describe(video_id: str, state: VideoState) -> Video:
    if not state.is_finished:
        return Video(video_id)
    return Video(video_id, True, state.url, state.cover_url, state.duration, state.resolution)
