"""Video requests: JSON in, VideoRequest out, and what goes back, in the shape that gateways have for it."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from app.errors import InvalidRequest, UnsupportedValue
from app.openai.body import decode_body

_MOST_PROMPT_CHARS = 8_000
_AUDIO_PATTERN = r"^[0-9A-Za-z_]{1,32}-[0-9A-Za-z]{1,64}\Z"

Status = Literal["processing", "completed"]


class VideoRequest(msgspec.Struct, frozen=True, rename={"is_async": "async"}):
    """A valid request; the words of the three choices are the upstream's (protocol notes 8)."""

    prompt: Annotated[str, msgspec.Meta(max_length=_MOST_PROMPT_CHARS)]
    model: Annotated[str, msgspec.Meta(max_length=256)] | None = None
    image_url: str | None = None
    video_style: Literal["", "卡通3D", "黑白老照片", "油画", "电影感"] | None = None
    emotional_atmosphere: Literal["", "温馨和谐", "生动活泼", "紧张刺激", "凄凉寂寞"] | None = None
    mirror_mode: Literal["", "水平", "垂直", "推近", "拉远"] | None = None
    audio_id: Annotated[str, msgspec.Meta(pattern=_AUDIO_PATTERN)] | None = None
    is_async: bool | None = None


class Video(msgspec.Struct, frozen=True):
    """A video as the client hears of it; the addresses are empty while it is made."""

    id: str
    status: Status
    video_url: str = ""
    cover_url: str = ""
    video_duration: str = ""
    resolution: str = ""


_decode_video = msgspec.json.Decoder(VideoRequest).decode


def parse_video_request(body: bytes) -> VideoRequest:
    """Read and check a request body. Raises InvalidRequest or UnsupportedValue."""
    request = decode_body(_decode_video, body)
    if not request.prompt.strip():
        raise InvalidRequest("`prompt` is empty: say what to film.", param="prompt")
    if request.is_async and request.audio_id:
        raise UnsupportedValue(
            "`audio_id` needs the finished video: leave `async` out to wait for it.", param="audio_id"
        )
    return request


def encode_result(video: Video, *, created: int) -> bytes:
    """What a client that waited gets."""
    return msgspec.json.encode({"created": created, "data": [_describe(video)]})


def encode_progress(video: Video, *, created: int) -> bytes:
    """What a client that asks later gets: `data` is empty until the video is finished."""
    head = {"id": video.id, "object": "video", "created": created, "status": video.status}
    return msgspec.json.encode(head | {"data": [_describe(video)] if video.video_url else []})


def _describe(video: Video) -> dict[str, str]:
    return {
        "video_url": video.video_url,
        "cover_url": video.cover_url,
        "video_duration": video.video_duration,
        "resolution": video.resolution,
    }
