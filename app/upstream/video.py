"""The video API of the upstream (protocol notes 8): calls, and what their answers mean."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import msgspec

from app.auth_token import AccessToken
from app.catalogue.path import VIDEO_GONE
from app.catalogue.upstream import VIDEO_REFUSED
from app.core.errors import ConversationNotFound, NotFound, UpstreamInvalid, VideoFailed
from app.core.upstream_words import UpstreamWords
from app.logs import redactor
from app.upstream.client import UpstreamClient
from app.upstream.envelope import first_string
from app.upstream.upload import MultipartBody, Upload

# Stands for an assistant where a video is recorded among the conversations.
VIDEO_ASSISTANT = "video"

_API = "/chatglm/video-api/v1"
_CALL_SECONDS = 15.0
_MUSIC_SECONDS = 30.0
_AT_WORK = frozenset({"init", "processing"})
_MAX_WORDS_CHARS = 200


class VideoOrder(msgspec.Struct, frozen=True):
    """What to film; empty texts leave the choice to the upstream."""

    prompt: str
    video_style: str = ""
    emotional_atmosphere: str = ""
    mirror_mode: str = ""
    source_ids: Sequence[str] = ()


class VideoState(msgspec.Struct, frozen=True):
    """How far a video is; the addresses are there when it is finished. The upstream's duration is text."""

    is_finished: bool
    url: str = ""
    cover_url: str = ""
    duration: str = ""
    resolution: str = ""


class VideoCalls:
    """Thread-safe. Every method raises the GatewayError that the upstream's behaviour amounts to."""

    def __init__(self, client: UpstreamClient) -> None:
        self._client = client

    def upload(self, token: AccessToken, file: Upload, *, timeout_seconds: float) -> str:
        """Give the account a reference picture; returns what to call it."""
        body = MultipartBody(file, {})
        result = self._client.ask("POST", f"{_API}/static/upload", token, body, timeout_seconds)
        return _named(result, "source_id")

    def start(self, token: AccessToken, order: VideoOrder) -> str:
        """Order a video; returns its id."""
        result = self._client.ask("POST", f"{_API}/chat", token, build_order(order), _CALL_SECONDS)
        return _named(result, "chat_id")

    def look(self, token: AccessToken, video_id: str) -> VideoState:
        """How far it is. Raises VideoFailed where it will never be finished, NotFound where it is gone."""
        path = f"{_API}/chat/status/{video_id}"
        return parse_state(self._client.ask("GET", path, token, b"", _CALL_SECONDS, missing=_gone()))

    def add_music(self, token: AccessToken, video_id: str, key: str, audio_id: str) -> str:
        """Returns the address of the finished video with music."""
        body = msgspec.json.encode({"chat_id": video_id, "key": key, "audio_id": audio_id})
        result = self._client.ask("POST", f"{_API}/static/composite_video", token, body, _MUSIC_SECONDS)
        return _named(result, "url")

    def delete(self, token: AccessToken, video_id: str) -> None:
        """Remove a video from the account's history; one that is not there any more is removed."""
        path = f"{_API}/chat/{video_id}"
        with suppress(NotFound, ConversationNotFound):
            self._client.ask("DELETE", path, token, b"", _CALL_SECONDS, missing=_gone())


def build_order(order: VideoOrder) -> bytes:
    body: dict[str, object] = {"conversation_id": "", "prompt": order.prompt}
    if order.source_ids:
        body["source_list"] = list(order.source_ids)
    body["advanced_parameter_extra"] = {
        "emotional_atmosphere": order.emotional_atmosphere,
        "mirror_mode": order.mirror_mode,
        "video_style": order.video_style,
    }
    return msgspec.json.encode(body)


def parse_state(result: Any) -> VideoState:
    status = first_string(result, "status")
    if status in _AT_WORK:
        return VideoState(is_finished=False)
    url = first_string(result, "video_url") or ""
    if status != "finished" or not url.startswith(("http://", "https://")):
        words = redactor.quote(first_string(result, "msg") or status or "nothing", _MAX_WORDS_CHARS)
        raise _failed(status or "", words)
    return VideoState(
        is_finished=True,
        url=url,
        cover_url=first_string(result, "cover_url") or "",
        duration=first_string(result, "video_duration") or "",
        resolution=first_string(result, "resolution") or "",
    )


def _failed(status: str, words: str) -> VideoFailed:
    error = VideoFailed(VIDEO_REFUSED.fill(words=words))
    error.upstream = UpstreamWords(status, words)
    return error


def _gone() -> NotFound:
    return NotFound(VIDEO_GONE)


def _named(result: Any, name: str) -> str:
    value = first_string(result, name)
    if value is None:
        raise UpstreamInvalid(f"The upstream's video answer names no {name}.")
    return value
