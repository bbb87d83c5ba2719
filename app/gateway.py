"""Everything that lives as long as the process, put together and taken apart in one place."""

from __future__ import annotations

import base64
import logging
import secrets
import time
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any
from urllib.parse import unquote, urlsplit

from app.accounts.account import Account, Pacing
from app.accounts.authenticator import Authenticator
from app.accounts.breaker import Breaker
from app.accounts.check import TokenChecker
from app.accounts.configured_tokens import ConfiguredTokens
from app.accounts.expiry import RowExpiry
from app.accounts.login import Logins
from app.accounts.pool import AccountPool
from app.accounts.refresh import Refresher
from app.accounts.refusal import RefusalLimit
from app.accounts.standing import Standings
from app.accounts.vault import Vault
from app.auth_token import AccessToken, RefreshedTokens
from app.budget import build_body_budget
from app.caller_stats import CallerStats
from app.catalogue.account import OWNER_DEAD
from app.chat.going_on import GoingOn
from app.chat.service import ChatService, Directory, ToolSpeech
from app.config import Settings
from app.conversations.cleaner import Cleaner
from app.conversations.ledger import Conversation, Ledger
from app.core.errors import AccountExpired
from app.core.listing import Listing
from app.exchange.attaching import Attacher
from app.exchange.failover import Failover
from app.exchange.opener import ReplyOpener
from app.exchange.recorder import Recorder
from app.files.fetch import Fetcher
from app.files.policy import build_fetch_policy, build_picture_policy, build_spool_room
from app.images.download import PictureDownload
from app.images.editing import Editor
from app.images.service import ImageService
from app.listing.cache import Listings
from app.listing.service import ModelList
from app.logs import redactor
from app.memory import return_large_blocks
from app.metrics.counters import Counters
from app.server.active_requests import ActiveRequests, Limits, Watches
from app.server.page_address import build_page_address
from app.state import State, open_state
from app.steady_clock import SteadyClock
from app.tools.dialect import WORD_ALPHABET, WORD_CHARS, Dialect
from app.upstream.client import UpstreamAddress, UpstreamClient
from app.upstream.listing import ask_listing
from app.upstream.standing import ask_standing
from app.upstream.video import VIDEO_ASSISTANT, VideoCalls
from app.video.service import VideoService

log = logging.getLogger(__name__)

_MIN_SETTLE_SECONDS = 1.0


class Gateway:
    """The parts and their wiring; the only place where clients, threads and state are made."""

    def __init__(
        self, settings: Settings, state: State | None = None, upstream: UpstreamClient | None = None
    ) -> None:
        """Asks nobody before `start`. What is given, and not opened here, is the gateway's from then on.

        Raises StateInUse or StateTooNew for the state file, OSError or InvalidSetting for the tokens file.
        """
        self.settings = settings
        _keep_secrets(settings)
        self.configured_tokens = read_configured_tokens(settings)
        self.active_requests, self.counters = ActiveRequests(_limits(settings)), Counters()
        self.watches = Watches(replaces_oldest=settings.pass_through or not settings.gateway_keys)
        self.state = state or open_state(settings.state_path)
        self.upstream = upstream or UpstreamClient(build_address(settings))
        self.bodies = build_body_budget(settings.max_body_bytes, settings.bodies_max_bytes)
        self.fetcher, self.pictures = _build_fetchers(settings)
        clock, refusals = SteadyClock(), RefusalLimit()
        logins, vault = Logins(self.state), Vault(self.state)
        self._expiry = RowExpiry(clock, (vault.forget_expired, logins.forget_unused))
        self.pool = AccountPool(
            logins,
            pacing=Pacing(settings.account_min_interval_seconds, settings.account_replies_per_hour),
            queue_length=settings.queue_length,
            on_arrival=self._welcome,
            counters=self.counters,
            is_configured=self.configured_tokens.__contains__,
        )
        self.refresher = Refresher(self._refresh, vault, self.pool.identify, counters=self.counters)
        self.standings = Standings(partial(ask_standing, self.upstream))
        self.model_list = ModelList(self.pool, Listings(self._ask_listing))
        self.checker = TokenChecker(self.pool, self.refresher, refusals=refusals)
        self.ledger, self.caller_stats = Ledger(self.state), CallerStats()
        self.cleaner = Cleaner(self.ledger, self._delete, self.pool.owners, clock)
        failover = Failover(self.pool, Breaker(settings.breaker_failures), settings.queue_seconds, refusals)
        opener, attacher = self._build_opener(failover, self.upstream), self._build_attacher()
        speech = ToolSpeech(_draw_dialect(), self.counters)
        self.going_on = _build_going_on(settings, self.cleaner)
        self.chat = ChatService(settings, self._build_directory(), opener, attacher, speech, self.going_on)
        self._videos = VideoCalls(self.upstream)
        self.video = VideoService(
            settings, self._videos, self.pool, failover, self.refresher, self.cleaner, self.fetcher
        )
        self.images = self._build_images(failover, opener, attacher)
        self.recorder = self._build_recorder(failover, attacher)
        self.authenticator = Authenticator(
            settings.gateway_keys,
            self.configured_tokens,
            pass_through=settings.pass_through,
            own_secrets=tuple(filter(None, _list_secrets(settings))),
        )

    def start(self) -> None:
        return_large_blocks()
        self.cleaner.start()
        self._expiry.start()
        # Configured accounts need not wait for a caller to clean up what an earlier process left.
        self.pool.get_or_add(self.configured_tokens.tokens())

    def log_start(self, addresses: Sequence[Any]) -> None:
        """One line of what an operator wants to know; `addresses` are those of the listening sockets."""
        fields = {
            "page": ",".join(map(build_page_address, addresses)),
            "keys": len(self.settings.gateway_keys),
            "accounts": len(self.configured_tokens.tokens()) if self.settings.gateway_keys else "callers",
            "upstream": self.settings.upstream_url,
            "state": self.settings.state_path,
            "kept": "yes" if self.state.is_kept else "in memory",
        }
        log.info("ready", extra={"fields": fields})

    def stop(self, seconds: float) -> None:
        """Delete what is due within so many seconds, then give back everything."""
        ends_at = time.monotonic() + seconds
        self.active_requests.close()
        self._expiry.stop()
        if self.going_on is not None:
            self.going_on.stop()
        self.images.settle(seconds - _MIN_SETTLE_SECONDS)
        self.cleaner.stop(max(_MIN_SETTLE_SECONDS, ends_at - time.monotonic()))
        self.close(ends_at - time.monotonic())

    def close(self, settle_seconds: float = _MIN_SETTLE_SECONDS) -> None:
        """Give back what a gateway holds that was never started: running refreshes may end first."""
        self.refresher.settle(max(_MIN_SETTLE_SECONDS, settle_seconds))
        self.upstream.close()
        self.state.close()

    def _build_opener(self, failover: Failover, upstream: UpstreamClient) -> ReplyOpener:
        return ReplyOpener(
            self.settings, upstream, failover, self.refresher, self.cleaner, counters=self.counters
        )

    def _build_attacher(self) -> Attacher:
        max_files, seconds = self.settings.files_max_count, self.settings.files_timeout_seconds
        return Attacher(self.fetcher, self.upstream, max_files=max_files, timeout_seconds=seconds)

    def _build_recorder(self, failover: Failover, attacher: Attacher) -> Recorder:
        address, build_opener = build_address(self.settings), partial(self._build_opener, failover)
        return Recorder(address, self.pool, self.refresher, self.cleaner, attacher, build_opener)

    def _build_images(self, failover: Failover, opener: ReplyOpener, attacher: Attacher) -> ImageService:
        editor = Editor(self.settings, self.upstream, failover, self.refresher, self.cleaner)
        download = PictureDownload(self.pictures)
        return ImageService(self.settings, self.pool, opener, attacher, download, editor)

    def _refresh(self, refresh_token: str) -> RefreshedTokens:
        """The upstream's call; what it took and gave is known for a secret from then on."""
        hold = redactor.hold(refresh_token)
        try:
            tokens = self.upstream.refresh(refresh_token)
            for secret in (refresh_token, tokens.access_token.value, tokens.refresh_token or ""):
                redactor.accept(secret)
            return tokens
        finally:
            hold.release()

    def _build_directory(self) -> Directory:
        return Directory(self.pool, self.ledger, self.model_list.find_assistant)

    def _ask_listing(self, account: Account) -> Listing:
        """No token is renewed for a list that is refused: a chat will do that."""
        return ask_listing(self.upstream, self.refresher.access_token(account))

    def _welcome(self, account: Account) -> None:
        """An account has shown up: what an earlier process left there can be deleted now."""
        if account.owner != account.key:  # it may have answered before its login was known
            self.ledger.adopt(account.key, account.owner)
        self.cleaner.serve(account.owner)

    def _delete(self, conversation: Conversation) -> None:
        """The cleaner's arm: delete a conversation with its owner's own token."""
        account = self.pool.find_owner(conversation.owner)
        if account is None:
            raise AccountExpired(OWNER_DEAD)
        self.refresher.with_token(account, lambda token: self._delete_with(token, conversation))

    def _delete_with(self, token: AccessToken, conversation: Conversation) -> None:
        """Videos are recorded among the conversations."""
        if conversation.assistant_id == VIDEO_ASSISTANT:
            self._videos.delete(token, conversation.id)
        else:
            self.upstream.delete_conversation(token, conversation.id, conversation.assistant_id)


def _keep_secrets(settings: Settings) -> None:
    for secret in _list_secrets(settings):
        redactor.keep(secret)


def _list_secrets(settings: Settings) -> Iterator[str]:
    """The operator's own, in every form they are used in. Tokens and keys are kept where they are read."""
    yield settings.sign_secret
    yield settings.metrics_key or ""
    proxy = urlsplit(settings.proxy or "")
    if proxy.password:
        password = unquote(proxy.password)
        yield from (proxy.password, password)
        login = f"{unquote(proxy.username or '')}:{password}"
        yield base64.b64encode(login.encode("latin-1", "replace")).decode()


def read_configured_tokens(settings: Settings) -> ConfiguredTokens:
    """Raises OSError or InvalidSetting for the tokens file."""
    return ConfiguredTokens(settings.refresh_tokens, settings.refresh_tokens_file, shard=settings.pool_shard)


def _build_fetchers(settings: Settings) -> tuple[Fetcher, Fetcher]:
    """For what users attach, and for what the upstream drew; one room on the disk is for both."""
    room = build_spool_room(settings)
    return Fetcher(build_fetch_policy(settings, room)), Fetcher(build_picture_policy(settings, room))


def _build_going_on(settings: Settings, cleaner: Cleaner) -> GoingOn | None:
    """None where every chat without an id begins anew."""
    if settings.continue_chats == "off" or not settings.conversation_ttl_seconds:
        return None
    return GoingOn(cleaner, settings.conversation_ttl_seconds)


def _draw_dialect() -> Dialect:
    """A word of its own for each process: what it was for another one means nothing here."""
    return Dialect("".join([secrets.choice(WORD_ALPHABET) for _ in range(WORD_CHARS)]))


def _limits(settings: Settings) -> Limits:
    return Limits(
        max_replies=settings.max_streams,
        write_seconds=settings.client_write_seconds,
        drain_seconds=settings.drain_seconds,
        drain_file=settings.drain_file,
    )


def build_address(settings: Settings) -> UpstreamAddress:
    return UpstreamAddress(
        settings.upstream_url, settings.sign_secret, settings.proxy, settings.connect_timeout_seconds
    )
