"""The bytes of a drawn picture: what is no picture, and what cannot be had, is the upstream's fault."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from app.core.errors import FileUnavailable, OutOfRoom, UpstreamInvalid, UpstreamUnreachable
from app.files.fetch import Fetcher, FetchPolicy
from app.files.spool import SpooledFile
from app.images.download import PictureDownload
from tests.app.files import sample


class Noting(Fetcher):
    """Notes the files that it gave, to see them closed: the leak guard looks at the rest."""

    def fetch(self, url: str, **named: Any) -> SpooledFile:
        if url == "gone":
            raise FileUnavailable("The server does not give it.")
        return super().fetch(url, **named)


@pytest.fixture
def download() -> PictureDownload:
    return PictureDownload(Noting(FetchPolicy(100_000, 5, frozenset({80}))))


def encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_a_picture_comes_as_base64(download: PictureDownload) -> None:
    picture = encode(sample.png(3, 4))
    held: list[int] = []
    assert download.fetch(f"data:image/png;base64,{picture}", held.append) == picture
    assert held == [3 * len(sample.png(3, 4))]


def test_without_room_there_is_no_picture(download: PictureDownload) -> None:
    def refuse(_: int) -> None:
        raise OutOfRoom("full")

    with pytest.raises(OutOfRoom):
        download.fetch(f"data:image/png;base64,{encode(sample.png(3, 4))}", refuse)


def test_what_is_no_picture_is_not_handed_out(download: PictureDownload) -> None:
    with pytest.raises(UpstreamInvalid, match="no picture"):
        download.fetch(f"data:text/plain;base64,{encode(b'words')}", print)


def test_what_cannot_be_fetched_can_still_be_had_by_its_address(download: PictureDownload) -> None:
    with pytest.raises(UpstreamUnreachable, match=r"file not to be had.*response_format url"):
        download.fetch("gone", print)
