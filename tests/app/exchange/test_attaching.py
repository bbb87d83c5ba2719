"""What was uploaded is remembered for an hour, within bounds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO

import pytest

from app.core.request import Attachment
from app.errors import InvalidFile, InvalidFileUrl, InvalidRequest
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
    monkeypatch.setattr(attaching, "_MOST_REMEMBERED", 2)
    memory = UploadMemory()
    for owner in ("a", "b", "a", "c"):
        memory.add(owner, file, UPLOADED)
    assert len(memory) == 2
    assert [memory.find(owner, file) is not None for owner in "abc"] == [True, False, True]


def test_what_can_be_seen_is_refused_before_anything_is_fetched() -> None:
    upstream = UpstreamClient(UpstreamAddress("http://127.0.0.1:9", "s", None, 1))
    attacher = Attacher(
        Fetcher(FetchPolicy(9, 1, frozenset({80}))), upstream, most_files=2, timeout_seconds=1
    )
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


def test_a_file_of_the_request_itself_is_copied_piece_by_piece() -> None:
    upstream = UpstreamClient(UpstreamAddress("http://127.0.0.1:9", "s", None, 1))
    fetcher = Fetcher(FetchPolicy(300_000, 1, frozenset({80})))
    attacher = Attacher(fetcher, upstream, most_files=1, timeout_seconds=1)
    data = sample.png(3, 4) + b"x" * 200_000
    attached = attacher.collect([Attachment("", "hat.png", "image", Brought(data), "image/png")])
    attached._fetch(attached._attachments[0])
    (file,) = attached._files
    assert (file.name, file.width, file.height) == ("hat.png", 3, 4)
    assert file.open().read() == data
    attached.close()
    upstream.close()


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7", b"x" * 400_000])
def test_a_file_of_the_request_is_judged_like_any_other(data: bytes) -> None:
    fetcher = Fetcher(FetchPolicy(300_000, 1, frozenset({80})))
    with pytest.raises(InvalidFile) as raised:
        fetcher.copy(Brought(data), Claim("hat.png", "image/png", is_promised=True), param="image")
    assert raised.value.param == "image"
