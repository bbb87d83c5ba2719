"""Videos against the upstream emulator: who is asked, for how long, and what is left when it is over."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from gevent import GreenletExit

from app.accounts.authenticator import Caller
from app.accounts.breaker import Breaker
from app.accounts.login import Logins
from app.accounts.pool import AccountPool
from app.accounts.refresh import Refresher
from app.accounts.vault import Vault
from app.config import Settings
from app.conversations.cleaner import Cleaner
from app.conversations.ledger import Ledger
from app.core.errors import (
    AccountExpired,
    GatewayError,
    InvalidFile,
    InvalidFileUrl,
    NotFound,
    UpstreamBusy,
    UpstreamTimeout,
    UpstreamUnreachable,
    VideoFailed,
)
from app.core.request import Video, VideoRequest
from app.exchange.failover import Failover
from app.files.fetch import Fetcher, FetchPolicy
from app.state import MEMORY, State, open_state
from app.upstream.client import UpstreamAddress, UpstreamClient
from app.upstream.video import VideoCalls
from app.video import service as module
from app.video.service import VideoService
from upstream_emulator.drawing import build_png
from upstream_emulator.emulator import UpstreamEmulator

NEVER = "[[video never=1]]"
PICTURE = "data:image/png;base64," + base64.b64encode(build_png(3)).decode()


class Rig:
    """A video service on one account, told before each call what shall go wrong with it."""

    def __init__(self, upstream: UpstreamEmulator, state: State, **settings: Any) -> None:
        known = Settings(video_seconds=settings.pop("video_seconds", 5.0), **settings)
        self.calls: list[str] = []
        self.failures: dict[str, list[BaseException]] = {}
        self.leased: dict[str, int] = {}
        self.client = UpstreamClient(UpstreamAddress(upstream.url, known.sign_secret, None, 5))
        self.pool = AccountPool(Logins(state))
        self.ledger = Ledger(state)
        self.breaker = Breaker(1)
        videos = VideoCalls(self.client)
        refresher = Refresher(self.client.refresh, Vault(state), self.pool.identify)
        self.cleaner = Cleaner(
            self.ledger,
            lambda kept: refresher.with_token(
                self.pool.get_or_add(["demo-anna"])[0], lambda token: videos.delete(token, kept.id)
            ),
            self.pool.owners,
        )
        self.service = VideoService(
            known,
            self._watch(videos),
            self.pool,
            Failover(self.pool, self.breaker, 0.1),
            refresher,
            self.cleaner,
            Fetcher(FetchPolicy(100_000, 5, frozenset({80}))),
        )

    def _watch(self, videos: VideoCalls) -> VideoCalls:
        """`videos`, every call noted, and failing where it shall."""
        for name in ("upload", "start", "look", "add_music"):
            setattr(videos, name, self._noting(name, getattr(videos, name)))
        return videos

    def _noting(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def note(*args: Any, **named: Any) -> Any:
            self.calls.append(name)
            self.leased[name] = self.pool.leased
            if self.failures.get(name):
                raise self.failures[name].pop(0)
            return call(*args, **named)

        return note

    def film(self, prompt: str = "一只猫", *tokens: str, **fields: Any) -> Video:
        return self.service.film(VideoRequest(prompt, **fields), Caller("", "", tokens or ("demo-anna",)))

    def find(self, video_id: str, *tokens: str, caller: str = "") -> Video:
        return self.service.find(video_id, Caller(caller, "", tokens or ("demo-anna",)))


@pytest.fixture(autouse=True)
def look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOOK_SECONDS", 0.002)


@pytest.fixture
def state() -> State:
    return open_state(MEMORY)


@pytest.fixture
def build(upstream: UpstreamEmulator, state: State) -> Iterator[Callable[..., Rig]]:
    made: list[Rig] = []

    def build(**settings: Any) -> Rig:
        made.append(Rig(upstream, state, **settings))
        made[-1].cleaner.start()
        return made[-1]

    yield build
    for rig in made:
        rig.cleaner.stop(5)
        rig.client.close()


@pytest.fixture
def rig(build: Callable[..., Rig]) -> Iterator[Rig]:
    rig = build()
    yield rig
    assert rig.pool.leased == 0
    assert rig.ledger.in_use == 0


def everything_is_deleted(upstream: UpstreamEmulator) -> bool:
    return bool(upstream.wait_until(lambda state: state["undeleted_videos"] == 0))


def test_the_lease_is_held_for_ordering_alone(rig: Rig, upstream: UpstreamEmulator) -> None:
    video = rig.film(image_url=PICTURE, audio_id="epic-1")
    assert (video.is_finished, video.video_url[-10:]) == (True, "_music.mp4")
    assert rig.leased == {"upload": 1, "start": 1, "look": 0, "add_music": 0}
    assert everything_is_deleted(upstream)


def test_waiting_is_bounded(build: Callable[..., Rig], upstream: UpstreamEmulator) -> None:
    rig = build(video_seconds=0.05)
    with pytest.raises(UpstreamTimeout, match="GLM_VIDEO_SECONDS"):
        rig.film(NEVER)
    assert rig.calls.count("look") > 1
    assert everything_is_deleted(upstream)


def test_some_looks_may_fail(rig: Rig) -> None:
    rig.failures["look"] = [UpstreamUnreachable("away")] * 4
    assert rig.film("[[video looks=2]]").is_finished


@pytest.mark.parametrize(
    ("failures", "looks"),
    [
        ([UpstreamUnreachable("away")] * 9, 5),
        ([NotFound("gone")], 1),
        ([VideoFailed("no")], 1),
        ([AccountExpired("dead")], 1),
    ],
)
def test_what_ends_the_waiting(
    rig: Rig, upstream: UpstreamEmulator, failures: list[GatewayError], looks: int
) -> None:
    rig.failures["look"] = list(failures)
    with pytest.raises(type(failures[0])):
        rig.film(NEVER)
    assert rig.calls.count("look") == looks
    assert everything_is_deleted(upstream)


@pytest.mark.parametrize("call", ["start", "look", "add_music"])
def test_a_client_that_leaves_frees_the_account_and_leaves_no_video(
    rig: Rig, upstream: UpstreamEmulator, call: str
) -> None:
    rig.failures[call] = [GreenletExit()]
    with pytest.raises(GreenletExit):
        rig.film(audio_id="epic-1")
    assert rig.pool.leased == 0
    assert everything_is_deleted(upstream)
    rig.cleaner.stop(5)
    assert rig.ledger.count() == 0


def test_it_can_be_asked_for_later_also_after_a_restart(
    build: Callable[..., Rig], upstream: UpstreamEmulator
) -> None:
    ordered = build().film("[[video looks=1]]", is_async=True)
    assert ordered == Video(ordered.id, ordered_at=ordered.ordered_at, expires_at=ordered.expires_at)
    rig = build()
    looked = rig.find(ordered.id)
    assert not looked.is_finished
    assert None not in (ordered.ordered_at, ordered.expires_at, looked.ordered_at, looked.expires_at)
    assert abs((looked.expires_at or 0) - (ordered.expires_at or 0)) < 5
    assert abs((looked.ordered_at or 0) - (ordered.ordered_at or 0)) < 5
    assert rig.find(ordered.id).video_url.endswith(".mp4")
    assert upstream.state()["undeleted_videos"] == 1


def test_only_who_ordered_it_can_ask_for_it(rig: Rig) -> None:
    video_id = rig.film(NEVER, is_async=True).id
    with pytest.raises(NotFound):
        rig.find(video_id, "demo-bert")
    with pytest.raises(NotFound):
        rig.find(video_id, caller="another key of the same pool")
    with pytest.raises(NotFound):
        rig.find("0" * 24)
    assert rig.calls.count("look") == 0


def test_one_that_failed_says_so_later(rig: Rig) -> None:
    video_id = rig.film("[[video fail=1 looks=0]]", is_async=True).id
    with pytest.raises(VideoFailed, match="内容不合适"):
        rig.find(video_id)


def test_one_that_is_gone_upstream_is_deleted_all_the_same(rig: Rig, upstream: UpstreamEmulator) -> None:
    """Its owner may have deleted it in the web chat."""
    video_id = rig.film(NEVER, is_async=True).id
    kept = rig.ledger.get(video_id)
    assert kept is not None
    rig.cleaner.delete_now(kept)
    rig.ledger.begin(kept)
    rig.ledger.end(video_id, now=0.0, due=kept.due)
    with pytest.raises(NotFound, match="any more"):
        rig.find(video_id)
    rig.cleaner.delete_now(kept)
    assert rig.ledger.count() == 0


def test_a_dead_account_is_passed_over(rig: Rig) -> None:
    assert rig.film("一只猫", "dead-one", "demo-anna").is_finished


def test_a_picture_is_fetched_once_and_given_to_each_account(rig: Rig, upstream: UpstreamEmulator) -> None:
    rig.failures["upload"] = [UpstreamUnreachable("away")]
    assert rig.film("一只猫", "demo-anna", "demo-bert", image_url=PICTURE).is_finished
    assert rig.calls[:3] == ["upload", "upload", "start"]


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("ftp://x/y", InvalidFileUrl),
        ("http://10.0.0.1/x.png", InvalidFileUrl),
        ("data:application/pdf;base64,JVBERi0xLjc=", InvalidFile),
    ],
)
def test_a_picture_that_is_none_orders_nothing(rig: Rig, url: str, error: type[GatewayError]) -> None:
    with pytest.raises(error) as raised:
        rig.film(image_url=url)
    assert raised.value.param == "image_url"
    assert rig.calls == []


def test_while_the_upstream_is_down_it_is_hardly_asked(rig: Rig) -> None:
    rig.failures["start"] = [UpstreamUnreachable("away")] * 9
    with pytest.raises(UpstreamUnreachable):
        rig.film()
    with pytest.raises(UpstreamBusy):
        rig.film()
    assert rig.calls == ["start"]


def test_a_video_that_is_taken_closes_the_breaker(rig: Rig) -> None:
    rig.breaker._failures = 1
    rig.film()
    assert not rig.breaker.is_open
