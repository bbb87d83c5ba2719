"""What was uploaded is remembered for an hour, within bounds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from app.accounts.account import Account, LoginSlot, Pacing
from app.auth_token import AccessToken
from app.core.errors import (
    FileTooLarge,
    FileUnavailable,
    GatewayError,
    InvalidFile,
    InvalidFileUrl,
    InvalidRequest,
    UpstreamBusy,
    UpstreamUnreachable,
)
from app.core.request import Attachment
from app.exchange import attaching
from app.exchange.attaching import Attacher, UploadMemory
from app.files.attachment import Claim
from app.files.fetch import Fetcher, FetchPolicy
from app.files.spool import SpooledFile
from app.upstream.client import UpstreamAddress, UpstreamClient
from app.upstream.upload import UploadedFile
from tests.app.files import sample
from tests.clock import Clock

UPLOADED = UploadedFile("f", "f", "https://x/y", "first.md", 4)


@pytest.fixture
def file() -> Iterator[SpooledFile]:
    fetcher = Fetcher(FetchPolicy(1000, 5, frozenset({80})))
    file = fetcher.fetch("data:text/markdown,text", name="second.md")
    yield file
    file.close()


def test_an_upload_is_remembered_for_an_hour_by_login_and_bytes(file: SpooledFile) -> None:
    time = Clock(100.0)
    memory = UploadMemory(time)
    assert memory.find("ann", file) is None
    memory.add("ann", file, UPLOADED)
    assert memory.find("ann", file) == replace(UPLOADED, name="second.md")
    assert memory.find("bob", file) is None
    time.now += 3599
    assert memory.find("ann", file) is not None
    time.now += 2
    assert memory.find("ann", file) is None


def test_the_memory_is_bounded(file: SpooledFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attaching, "_MAX_REMEMBERED", 2)
    memory = UploadMemory()
    for owner in ("a", "b", "a", "c"):
        memory.add(owner, file, UPLOADED)
    assert len(memory) == 2
    assert [memory.find(owner, file) is not None for owner in "abc"] == [True, False, True]


def test_what_can_be_seen_is_refused_before_anything_is_fetched() -> None:
    upstream = UpstreamClient(UpstreamAddress("http://127.0.0.1:9", "s", None, 1))
    attacher = Attacher(Fetcher(FetchPolicy(9, 1, frozenset({80}))), upstream, max_files=2, timeout_seconds=1)
    good = Attachment("http://example.org/a.png", "", "first")
    with pytest.raises(InvalidFileUrl) as raised:
        attacher.collect([good, Attachment("http://127.0.0.1/", "", "second")])
    assert raised.value.param == "second"
    with pytest.raises(InvalidRequest) as many:
        attacher.collect([good, good, Attachment("http://example.org/", "", "third")])
    assert many.value.param == "third"
    assert not attacher.collect([])
    attacher.collect([good]).close()
    upstream.close()


class Brought(BytesIO):
    """A file of a form, which nobody may ask for more than a piece of."""

    def read(self, size: int | None = -1) -> bytes:
        assert size is not None
        assert 0 < size <= 65536
        return super().read(size)


TOKEN = AccessToken("access", 0.0, "device")
TEXT = Attachment("data:text/markdown,text", "a.md", "first")
OTHER = Attachment("data:text/markdown,other", "b.md", "second")
PICTURE = Attachment("", "hat.png", "image", media_type="image/png")


class Upstream:
    """Stands for the upstream's client: what is uploaded goes in, or the listed errors come out."""

    def __init__(self, *errors: GatewayError) -> None:
        self._errors = list(errors)
        self.uploads: list[tuple[str, str, bytes, float]] = []

    def upload(self, token: AccessToken, file: SpooledFile, *, timeout_seconds: float) -> UploadedFile:
        self.uploads.append((token.value, file.name, file.open().read(), timeout_seconds))
        if self._errors:
            raise self._errors.pop(0)
        return replace(UPLOADED, name=file.name)


def build_attacher(upstream: Upstream, max_bytes: int = 300_000) -> Attacher:
    client: Any = upstream
    fetcher = Fetcher(FetchPolicy(max_bytes, 7, frozenset({80})))
    return Attacher(fetcher, client, max_files=2, timeout_seconds=7)


def account(owner: str) -> Account:
    return Account("token", "k" * 64, LoginSlot(Pacing()), owner)


def list_names(uploaded: tuple[UploadedFile, ...]) -> list[str]:
    return [file.name for file in uploaded]


def test_files_are_fetched_once_and_uploaded_once_an_account() -> None:
    upstream = Upstream()
    attacher = build_attacher(upstream)
    attached = attacher.collect([TEXT, OTHER])
    assert (bool(attached), repr(attached)) == (True, "<AttachedFiles 0 of 2>")
    for owner in ("ann", "ann", "bob"):
        assert list_names(attached.give(account(owner), TOKEN)) == ["a.md", "b.md"]
    assert repr(attached) == "<AttachedFiles 2 of 2>"
    ann = [("access", "a.md", b"text", 7), ("access", "b.md", b"other", 7)]
    assert upstream.uploads == ann + ann
    attached.close()
    attached.close()
    again = attacher.collect([replace(TEXT, name="c.md")])
    assert list_names(again.give(account("ann"), TOKEN)) == ["c.md"]  # the same bytes, within the hour
    assert len(upstream.uploads) == 4
    again.close()


def test_an_upload_that_failed_is_tried_with_the_next_account_without_fetching_again() -> None:
    upstream = Upstream(UpstreamUnreachable("away"))
    with closing(build_attacher(upstream).collect([TEXT])) as attached:
        with pytest.raises(UpstreamUnreachable):
            attached.give(account("ann"), TOKEN)
        assert list_names(attached.give(account("bob"), TOKEN)) == ["a.md"]


@pytest.mark.parametrize(("error", "param"), [(FileTooLarge("large"), "first"), (UpstreamBusy("busy"), None)])
def test_what_the_upstream_will_not_take_is_named(error: GatewayError, param: str | None) -> None:
    with closing(build_attacher(Upstream(error)).collect([TEXT])) as attached:
        with pytest.raises(type(error)) as raised:
            attached.give(account("ann"), TOKEN)
        assert raised.value.param == param


def test_what_cannot_be_fetched_is_named() -> None:
    upstream = Upstream()
    with closing(build_attacher(upstream, max_bytes=4).collect([TEXT, OTHER])) as attached:
        with pytest.raises(FileTooLarge) as raised:
            attached.give(account("ann"), TOKEN)
        assert (raised.value.param, upstream.uploads) == ("second", [])


def test_all_files_of_a_request_share_the_time_for_fetching(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, asked = Clock(100.0), []
    monkeypatch.setattr(attaching, "time", SimpleNamespace(monotonic=clock))
    attacher = build_attacher(Upstream())
    fetch = attacher.fetcher.fetch

    def fetch_slowly(url: str, *, seconds: float, **named: Any) -> SpooledFile:
        asked.append(seconds)
        clock.now += 3
        return fetch(url, seconds=seconds, **named)

    monkeypatch.setattr(attacher.fetcher, "fetch", fetch_slowly)
    with closing(attacher.collect([TEXT, OTHER])) as attached:
        attached.give(account("ann"), TOKEN)
    assert asked == [7, 4]


def test_dead_links_of_earlier_turns_cost_little_time_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is new comes first; the newest of the others next, as long as there is time for them."""
    clock, asked = Clock(100.0), []
    monkeypatch.setattr(attaching, "time", SimpleNamespace(monotonic=clock))
    attacher = build_attacher(Upstream())
    attacher._max_files = 9
    fetch = attacher.fetcher.fetch

    def fetch_slowly(url: str, *, seconds: float, **named: Any) -> SpooledFile:
        asked.append((url.rpartition(",")[2], seconds))
        clock.now += min(3, max(seconds, 0))
        if "dead" in url:
            raise FileUnavailable("not in time")
        return fetch(url, seconds=5, **named)

    monkeypatch.setattr(attacher.fetcher, "fetch", fetch_slowly)
    earlier = [
        Attachment(f"data:text/markdown,{name}", f"{name}.md", name, is_optional=True)
        for name in ("oldest", "old", "dead")
    ]
    with closing(attacher.collect([*earlier, OTHER])) as attached:
        for owner in ("ann", "bob"):
            assert list_names(attached.give(account(owner), TOKEN)) == ["oldest.md", "old.md", "b.md"]
    assert asked == [("other", 7), ("dead", 4), ("old", 1), ("oldest", 0)]


def test_a_file_of_the_request_itself_is_copied_piece_by_piece() -> None:
    upstream, data = Upstream(), sample.png(3, 4) + b"x" * 200_000
    with closing(build_attacher(upstream).collect([replace(PICTURE, file=Brought(data))])) as attached:
        attached.give(account("ann"), TOKEN)
        (file,) = attached._files.values()
        assert (file.name, file.width, file.height) == ("hat.png", 3, 4)
    assert upstream.uploads == [("access", "hat.png", data, 7)]


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7", b"x" * 400_000])
def test_a_file_of_the_request_is_judged_like_any_other(data: bytes) -> None:
    fetcher = Fetcher(FetchPolicy(300_000, 1, frozenset({80})))
    with pytest.raises(InvalidFile) as raised:
        fetcher.copy(Brought(data), Claim("hat.png", "image/png", is_promised=True), param="image")
    assert raised.value.param == "image"
