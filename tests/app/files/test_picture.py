"""Width and height from headers, damaged ones, and pictures that would blow up whoever decodes them."""

from __future__ import annotations

import io
import random
import time
from collections.abc import Callable

import pytest

from app.core.errors import InvalidFile
from app.files.picture import MAX_PIXELS, MAX_SIDE_PIXELS, measure_picture
from tests.app.files import sample

Build = Callable[[int, int], bytes]
BUILDERS: dict[str, list[Build]] = {
    "image/png": [sample.png],
    "image/jpeg": [sample.jpeg],
    "image/gif": [sample.gif],
    "image/bmp": [sample.bmp, sample.old_bmp],
    "image/webp": [sample.webp, sample.lossy_webp, sample.lossless_webp],
}
ALL = [(media_type, build) for media_type, builders in BUILDERS.items() for build in builders]
EXIF = sample.jpeg_segment(0xE1, b"Exif" + sample.jpeg(99, 98))


def measure(media_type: str, data: bytes) -> tuple[int, int]:
    return measure_picture(media_type, io.BytesIO(data))


@pytest.mark.parametrize(("media_type", "build"), ALL)
@pytest.mark.parametrize("size", [(1, 1), (640, 480), (480, 641), (12000, 9000)])
def test_the_size_of_every_format(media_type: str, build: Build, size: tuple[int, int]) -> None:
    assert measure(media_type, build(*size)) == size


@pytest.mark.parametrize(
    "before",
    [
        EXIF,
        EXIF * 50,
        b"\xff" * 9 + EXIF[1:],
        sample.jpeg_segment(0xC4, b"x" * 60000) * 20,
        b"\xff\xd0\xff\x01",
    ],
)
def test_a_jpegs_size_stands_behind_other_segments(before: bytes) -> None:
    assert measure("image/jpeg", sample.jpeg(640, 480, before=before)) == (640, 480)


def test_a_bmp_from_top_to_bottom() -> None:
    assert measure("image/bmp", sample.bmp(7, -5)) == (7, 5)


@pytest.mark.parametrize(("media_type", "build"), ALL)
def test_cut_anywhere_it_is_damaged_or_measured(media_type: str, build: Build) -> None:
    data = build(640, 480)
    found: set[object] = set()
    for end in range(len(data)):
        try:
            found.add(measure(media_type, data[:end]))
        except InvalidFile as error:
            found.add(error.message.partition(":")[0])
    assert found <= {(640, 480), "The picture is damaged"}


@pytest.mark.parametrize(
    "size", [(100_000, 100_000), (MAX_SIDE_PIXELS + 1, 1), (1, 40_000), (20_000, 20_000)]
)
def test_a_bomb_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(InvalidFile, match=f"too large: {size[0]} x {size[1]}"):
        measure("image/png", sample.png(*size))
    assert MAX_PIXELS == 12_000 * 10_000
    assert measure("image/png", sample.png(12_000, 10_000)) == (12_000, 10_000)


@pytest.mark.parametrize("size", [(0, 5), (5, 0)])
def test_nothing_is_no_size(size: tuple[int, int]) -> None:
    with pytest.raises(InvalidFile, match="damaged"):
        measure("image/gif", sample.gif(*size))


@pytest.mark.parametrize(
    "data",
    [b"\xff\xd8\xff" + b"\xff" * 3_000_000, b"\xff\xd8" + b"\xff\xe0\x00\x00" * 900_000, b"\xff\xd8\xff\xda"],
)
def test_a_jpeg_that_never_comes_to_its_size(data: bytes) -> None:
    begun = time.process_time()
    with pytest.raises(InvalidFile):
        measure("image/jpeg", data)
    assert time.process_time() - begun < 1


def test_no_bytes_confuse_it() -> None:
    rng = random.Random(7)
    for media_type, build in ALL * 200:
        data = bytearray(build(640, 480))
        for _ in range(3):
            data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            measure(media_type, bytes(data))
        except InvalidFile:
            pass
