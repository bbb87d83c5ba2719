"""The video API (protocol notes 8): orders, their progress, music, and what was not deleted.

A directive in the prompt says how it goes: `[[video looks=2]]` (how often it is still at work), `fail=1`,
`never=1`, `confirm=300` (milliseconds until the order is confirmed).
"""

from __future__ import annotations

import asyncio
import secrets

from upstream_emulator.call import Call
from upstream_emulator.frame import Json
from upstream_emulator.script import find_script
from upstream_emulator.video_book import Video

STATUS = "/chatglm/video-api/v1/chat/status/"
CHAT = "/chatglm/video-api/v1/chat/"
CHOICES = {
    "video_style": ("", "卡通3D", "黑白老照片", "油画", "电影感"),
    "emotional_atmosphere": ("", "温馨和谐", "生动活泼", "紧张刺激", "凄凉寂寞"),
    "mirror_mode": ("", "水平", "垂直", "推近", "拉远"),
}
BAD_REQUEST = 400


def upload(call: Call) -> None:
    """`POST video-api/v1/static/upload`: a reference picture."""
    form = call.request.form
    if form is None or "file" not in form.files:
        call.refuse(400, BAD_REQUEST, "bad request")
        return
    source_id = secrets.token_hex(12)
    call.world.videos.sources[source_id] = call.caller.name
    call.succeed({"source_id": source_id})


def order(call: Call) -> None:
    """`POST video-api/v1/chat`: every field as browsers send it, or none of it."""
    fields, book, name = call.fields, call.world.videos, call.caller.name
    extra = fields.get("advanced_parameter_extra")
    sources = fields.get("source_list", [])
    good = (
        fields.get("conversation_id") == ""
        and bool(fields.get("prompt"))
        and isinstance(extra, dict)
        and extra.keys() == CHOICES.keys()
        and all(extra[key] in words for key, words in CHOICES.items())
        and all(book.sources.get(source) == name for source in sources)
    )
    if not good:
        call.refuse(400, BAD_REQUEST, "bad request")
        return
    video = Video(secrets.token_hex(12), name, find_script(fields["prompt"]))
    book.videos[video.id] = video
    answer = {"chat_id": video.id, "conversation_id": secrets.token_hex(12)}
    asyncio.get_running_loop().call_later(video.script.number("confirm", 0) / 1000, call.succeed, answer)


def status(call: Call) -> None:
    """`GET video-api/v1/chat/status/<chat_id>`."""
    video = call.world.videos.find(call.request.path.removeprefix(STATUS), call.caller.name)
    if video is None:
        call.refuse(404, 404, "not found")
        return
    video.looks += 1
    call.succeed(_progress(video, _origin(call)))


def compose(call: Call) -> None:
    """`POST video-api/v1/static/composite_video`."""
    video = call.world.videos.find(str(call.fields.get("chat_id")), call.caller.name)
    if video is None or not call.fields.get("key") or not call.fields.get("audio_id"):
        call.refuse(400, BAD_REQUEST, "bad request")
    else:
        call.succeed({"url": f"{_origin(call)}/testpath/{video.id}_music.mp4"})


def delete(call: Call) -> None:
    """`DELETE video-api/v1/chat/<chat_id>`."""
    video = call.world.videos.find(call.request.path.removeprefix(CHAT), call.caller.name)
    if video is None:
        call.refuse(404, 404, "not found")
    else:
        video.deleted = True
        call.succeed(None)


def _origin(call: Call) -> str:
    """Videos lie at the emulator itself, so that a demonstration asks no other host."""
    return f"http://{call.request.headers.get('host', '')}"


def _progress(video: Video, origin: str) -> Json:
    name = "processing" if video.looks > 1 else "init"
    result: Json = {"status": name, "msg": "", "plan": "", "cover_url": "", "video_url": ""}
    result |= {"video_duration": "", "resolution": ""}
    if video.script.is_set("never") or video.looks <= video.script.count("looks", 1):
        return result
    if video.script.is_set("fail"):
        return result | {"status": "failed", "msg": "内容不合适"}
    place = f"{origin}/testpath/{video.id}"
    result |= {"status": "finished", "cover_url": f"{place}.jpg", "video_url": f"{place}.mp4"}
    return result | {"video_duration": "6s", "resolution": "1440x960"}
