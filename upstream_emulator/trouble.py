"""Answers that go wrong inside the stream (protocol notes 4.7 - 4.9), or end in an unusual way.

Where a docstring mentions `at`, it is how much comes before the trouble.
"""

from __future__ import annotations

import uuid

from upstream_emulator import content
from upstream_emulator.continuation import BEHAVIOURS, continue_frames
from upstream_emulator.frame import Block, Envelope, Fixed, Growing, Json, build_frames, encode_event
from upstream_emulator.player import Ending, Steps
from upstream_emulator.scene import Scene
from upstream_emulator.stored import KINDS, store
from upstream_emulator.transcript import greeting, thinking


def content_filter(scene: Scene) -> Steps:
    """4.9 g. `at=0`: nothing before it; `part=1`: told by the part, as seen with guests in 2026."""
    trouble: Json = {"intervene_text": content.FILTERED}
    if scene.script.is_set("part"):
        stage = ({"type": "text", "text": ""}, "intervene", {"error": {"intervene_type": 1, **trouble}})
        part = Fixed([stage]).last_part(scene.envelope)
        return scene.ended_by(_beginning(scene), scene.envelope.frame([part], status="intervene"))
    return scene.ended_by(_beginning(scene), scene.envelope.frame([], status="intervene", last_error=trouble))


def busy(scene: Scene) -> Steps:
    """4.9 h: the first frame, then the refusal without any id, then the end. `at=1`: after some text.

    `code`: another number than 1301, with words of its own, as `error_code` where `field` says so; `part=1`:
    told by a part (protocol notes 0.2 row 14).
    """
    if "code" in scene.script.values:
        return scene.ended_by(_beginning(scene, at=0), _refusal(scene))
    refusal: Json = {"status": "init", "parts": [], "last_error": {"code": "1301", "message": content.BUSY}}
    return scene.ended_by(_beginning(scene, at=0), refusal)


def _refusal(scene: Scene) -> Json:
    code = scene.script.text("code")
    words = "高峰期排队中，请稍后再试" if code == "10062" else "internal server error"
    error: Json = {scene.script.text("field", "code"): code, "message": words}
    if not scene.script.is_set("part"):
        return scene.envelope.frame([], last_error=error)
    part = scene.envelope.part(str(uuid.uuid4()), {}, "error", error=error)
    return scene.envelope.frame([part | {"content": []}])


def error_frame(scene: Scene) -> Steps:
    """4.8: status error. `at=0`: nothing before it; `kind=code`: a bare code in the stream instead (4.1)."""
    if scene.script.text("kind") == "code":
        return scene.ended_by(_beginning(scene), {"code": 40102, "message": "refresh_token已过期"})
    return scene.ended_by(_beginning(scene), build_generator_exit(scene.envelope))


def part_error(scene: Scene) -> Steps:
    """4.3: a thinking part in the state `error` that means nothing; the answer follows."""
    item: Json = {"type": "think", "think": "用户在问好。", "tool_calls": {}}
    return scene.answer([Fixed([(item, "init", {}), (item, "error", {})]), greeting(scene)])


def cut(scene: Scene) -> Steps:
    """4.9 i: the connection closes without an end after N events (`at`, 3). `inside=1`: in the next one.

    `think=1`: thoughts come first. `heal=repeat`, `heal=rest`: a `continue_stream` goes on with it, so or so
    (`upstream_emulator.continuation`); `ids=new`: under new ids; `again=N`: and is cut itself after N events.
    `stored=whole`, `other`, `unfinished`, `unnamed`: what `conversation/messages` has of it.
    """
    events, at = _cut_off(scene)
    half = [events[at][: len(events[at]) // 2]] if scene.script.is_set("inside") else []
    return scene.paced(events[:at] + half, Ending.CUT)


def no_end(scene: Scene) -> Steps:
    """The body ends well, but no frame ever said finish. `at=0`: after the empty first frame."""
    return scene.paced(_beginning(scene))


def stall(scene: Scene) -> Steps:
    """Silence after N events (`at`, 3; 0 = after the HTTP head) until the client leaves, or for `seconds`."""
    events = list(scene.answer_events([greeting(scene)]))
    at = scene.script.count("at", 3)
    if "seconds" in scene.script.values:
        return scene.paced(events[:at], scene.script.number("seconds", 1), *events[at:])
    return scene.paced(events[:at], Ending.STALL)


def reset(scene: Scene) -> Steps:
    """The connection is reset after N events (`at`, 3); the rest as for `cut`."""
    events, at = _cut_off(scene)
    return scene.paced(events[:at], Ending.RESET)


def final_differs(scene: Scene) -> Steps:
    """The final snapshot is not what was streamed."""
    pieces = ("今天", "天气", "很好，", "适合出门。")
    return scene.answer([Growing("text", pieces, final="今天天气不错。")])


def no_part_finish(scene: Scene) -> Steps:
    """No part ever says finish; the answer as a whole does."""
    return scene.answer([Growing("text", greeting(scene).pieces, finishes=False)])


def finish_without_parts(scene: Scene) -> Steps:
    """The frame that ends the answer has no parts. `parts=none`: and not even the field; `open=1`: nor did
    the part ever finish."""
    finish = scene.envelope.frame([], status="finish")
    if scene.script.text("parts") == "none":
        del finish["parts"]
    block = Growing("text", greeting(scene).pieces, finishes=not scene.script.is_set("open"))
    return scene.ended_by(scene.beginning(block), finish)


def late(scene: Scene) -> Steps:
    """Frames after the finish (4.5, doubtful): the finish again. `done=1`: and a `[DONE]`."""
    events = list(scene.answer_events([greeting(scene)]))
    done = [b"data: [DONE]\n\n"] if scene.script.is_set("done") else []
    return scene.paced([*events, events[-1], *done])


def build_generator_exit(envelope: Envelope) -> Json:
    """The frame that ends an answer whose making was stopped."""
    error: Json = {"error_code": 10024, "err_msg": "generator exit"}
    return envelope.frame([], status="error", error=error, last_error=error)


def _cut_off(scene: Scene) -> tuple[list[bytes], int]:
    """The events of an answer, and how many of them come. What may follow is kept for `continue_stream`."""
    thoughts = thinking(scene) if scene.script.is_set("think") else []
    frames = list(build_frames(scene.envelope, [*thoughts, greeting(scene)]))
    at = min(scene.script.count("at", 3), len(frames) - 1)
    behaviour, manner = scene.script.text("heal"), scene.envelope.manner
    if behaviour in BEHAVIOURS:
        new_ids = scene.script.text("ids") == "new"
        left = continue_frames(frames, at, behaviour, new_ids=new_ids, deltas=manner.may_hold_deltas)
        scene.leave([encode_event(frame) for frame in left])
    if (kind := scene.script.text("stored")) in KINDS:
        scene.store(store(frames, scene.question, kind))
    return [encode_event(frame) for frame in frames], at


def _beginning(scene: Scene, at: int = 1) -> list[bytes]:
    """The events before the trouble: the empty first frame and, unless `at=0`, a text that has only begun."""
    shown: list[Block] = [Growing("text", ("你好", "，我是"), finishes=False)]
    return list(scene.beginning(*(shown if scene.script.count("at", at) else [])))
