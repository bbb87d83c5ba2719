"""Video requests: JSON in, VideoRequest out, and what goes back, in the shape that gateways have for it."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from app.core.errors import InvalidRequest, UnsupportedValue
from app.core.request import Video, VideoRequest
from app.formats.json_body import decode_body

_MAX_PROMPT_CHARS = 8_000
_AUDIO_PATTERN = r"^[0-9A-Za-z_]{1,32}-[0-9A-Za-z]{1,64}\Z"


class VideoBody(msgspec.Struct, frozen=True, rename={"is_async": "async"}):
    """The body of a request; the words of the three choices are the upstream's (protocol notes 8)."""

    prompt: Annotated[str, msgspec.Meta(max_length=_MAX_PROMPT_CHARS)]
    model: Annotated[str, msgspec.Meta(max_length=256)] | None = None
    image_url: str | None = None
    video_style: Literal["", "卡通3D", "黑白老照片", "油画", "电影感"] | None = None
    emotional_atmosphere: Literal["", "温馨和谐", "生动活泼", "紧张刺激", "凄凉寂寞"] | None = None
    mirror_mode: Literal["", "水平", "垂直", "推近", "拉远"] | None = None
    audio_id: Annotated[str, msgspec.Meta(pattern=_AUDIO_PATTERN)] | None = None
    is_async: bool | None = None


# A switch may be text, as forms have it.
_decode_video = msgspec.json.Decoder(VideoBody, strict=False).decode


def parse_video_request(body: bytes) -> VideoRequest:
    """Read and check a request body. Raises InvalidRequest or UnsupportedValue."""
    request = decode_body(_decode_video, body)
    if not request.prompt.strip():
        raise InvalidRequest("`prompt` is empty: say what to film.", param="prompt")
    if request.is_async and request.audio_id:
        raise UnsupportedValue(
            "`audio_id` needs the finished video: leave `async` out to wait for it.", param="audio_id"
        )
    return VideoRequest(
        prompt=request.prompt,
        image_url=request.image_url or None,
        style=request.video_style or "",
        atmosphere=request.emotional_atmosphere or "",
        camera=request.mirror_mode or "",
        audio_id=request.audio_id,
        is_async=request.is_async is True,
    )


def encode_result(video: Video, *, created: int) -> bytes:
    """What a client that waited gets."""
    return msgspec.json.encode({"created": created, "data": [_describe(video)]})


def encode_progress(video: Video, *, created: int) -> bytes:
    """What a client that asks later gets: `data` is empty until the video is finished.

    `created` is the time of now; so long it has been waited for, and from `expires_at` on it is gone.
    """
    status = "completed" if video.is_finished else "processing"
    head: dict[str, object] = {"id": video.id, "object": "video", "created": created, "status": status}
    if video.ordered_at is not None and not video.is_finished:
        head["elapsed_seconds"] = max(0, round(created - video.ordered_at))
    if video.expires_at is not None:
        head["expires_at"] = int(video.expires_at)
    return msgspec.json.encode(head | {"data": [_describe(video)] if video.video_url else []})


def _describe(video: Video) -> dict[str, str]:
    return {
        "video_url": video.video_url,
        "cover_url": video.cover_url,
        "video_duration": video.duration,
        "resolution": video.resolution,
    }
