"""Videos that were ordered, and the pictures they were ordered with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from upstream_emulator.script import Script


@dataclass(slots=True)
class Video:
    """`looks` counts how often its progress was asked for."""

    id: str
    account: str
    script: Script
    looks: int = 0
    deleted: bool = False


class VideoBook:
    """Videos and their reference pictures, since the last reset."""

    def __init__(self) -> None:
        self.videos: dict[str, Video] = {}
        self.sources: dict[str, str] = {}

    def __iter__(self) -> Iterator[Video]:
        return iter(self.videos.values())

    def find(self, video_id: str, account: str) -> Video | None:
        video = self.videos.get(video_id)
        return None if video is None or video.deleted or video.account != account else video
