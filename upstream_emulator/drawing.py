"""The drawing assistant: what it wants to be asked, the pictures it draws, their bytes (protocol notes 7)."""

from __future__ import annotations

import re
import struct
import zlib
from typing import Any

from upstream_emulator.connection import Exchange
from upstream_emulator.content import DRAWN, FILE_HOST, old_picture, pictures, text
from upstream_emulator.frame import Fixed, Json
from upstream_emulator.player import Steps
from upstream_emulator.scene import Scene
from upstream_emulator.validation import MISSING, NOT_A_STRING, NOT_AN_OBJECT, Location, build_problem

ASSISTANT = "65a232c082ff90a2ad2f15e2"
PICTURES = "/testpath/"
ASPECT_RATIOS = ("1:1", "2:3", "3:2", "3:4", "4:3", "9:16", "16:9")
MAX_QUOTED_CHARACTERS = 200

_PICTURE_NAME = re.compile(r"[0-9a-f-]{20,40}_([0-9])(_[0-9])?\.(jpg|png)")


def find_drawing_problems(body: dict[str, Any]) -> list[Json]:
    """What browsers of 2026 say about a drawing must be said, and be one of the things they offer."""
    if body.get("assistant_id") != ASSISTANT:
        return []
    place: Location = ["meta_data", "cogview"]
    cogview = (body.get("meta_data") or {}).get("cogview")
    if not isinstance(cogview, dict):
        return [build_problem(place, MISSING if cogview is None else NOT_AN_OBJECT)]
    problems = [
        build_problem([*place, name], NOT_A_STRING)
        for name in ("aspect_ratio", "style", "scene", "chat_model")
        if not isinstance(cogview.get(name), str)
    ]
    if not problems and cogview["aspect_ratio"] not in ASPECT_RATIOS:
        problems.append(build_problem([*place, "aspect_ratio"], ("unexpected value", "value_error.const")))
    return problems


def origin_of_pictures(assistant_id: str, host: str) -> str:
    """The drawing assistant's pictures can be fetched from the emulator itself."""
    return f"http://{host}" if assistant_id == ASSISTANT and host else FILE_HOST


def draw(scene: Scene) -> Steps:
    """4.9 f4: pictures out of order, none marked finished, and an end marker without a picture.

    `n` (4): how many; 0 tells in words that none was drawn, with `silent=1` without words. `revised`: the
    rewritten prompt. `lost=1`: their bytes cannot be fetched.
    """
    count = min(scene.script.count("n", 4), 4)
    if not count and not scene.script.is_set("silent"):
        return scene.answer([text("我没有画出来，", "请换个说法。")])
    prompt = scene.script.text("revised") or scene.question.strip()[:MAX_QUOTED_CHARACTERS]
    name = "lost" if scene.script.is_set("lost") else scene.envelope.message_id
    drawn = [pictures(scene.origin, name, prompt, count)] if count else []
    events = scene.beginning(Fixed([({"type": "text", "text": ""}, "init", {})]), *drawn)
    next(events)  # A drawing of 2026 has no empty first frame.
    return scene.ended_by(events, _drawing_end(scene))


def draw_2024(scene: Scene) -> Steps:
    """4.9 f1."""
    return scene.in_style("snapshot").answer([old_picture(scene.origin), text(DRAWN)])


def send_picture(exchange: Exchange) -> None:
    """`GET /testpath/NAME`: a picture, a little wider for each number, without login (public addresses)."""
    name = _PICTURE_NAME.fullmatch(exchange.request.path.removeprefix(PICTURES))
    if name is None or exchange.request.method != "GET":
        exchange.reply(404, "text/html", b"<html><title>404 Not Found</title></html>")
    else:
        exchange.reply(200, "image/png", build_png(int(name[1]) + 1))


def build_png(width: int) -> bytes:
    """A grey picture, one pixel high."""
    head = struct.pack(">IIBBBBB", width, 1, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"\0" + b"\x80" * width)
    chunks = [(b"IHDR", head), (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_png_chunk(kind, data) for kind, data in chunks)


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _drawing_end(scene: Scene) -> Json:
    item: Json = {"type": "one_to_more_finish", "image": [{}], "status": "finish"}
    meta: Json = {"cogview": {"generate_image_type": 1}, "answer_type": "multi"}
    end = Fixed([(item, "finish", {})])
    return scene.envelope.frame([end.last_part(scene.envelope)], status="finish", meta_data=meta)
