"""Good answers in unusual bytes, in strange company, or of unusual size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from upstream_emulator import content, wire
from upstream_emulator.frame import Block, Fixed, Growing, Json
from upstream_emulator.load import play_chunks
from upstream_emulator.player import Steps
from upstream_emulator.scene import Scene
from upstream_emulator.script import Script
from upstream_emulator.transcript import greeting, thinking

STRANGE_TYPES = ("browser_result", "system_error", "hologram")


def unknown(scene: Scene) -> Steps:
    """Content types, fields, event names and frames that nobody has heard of, around an ordinary answer."""
    blocks: list[Block] = [Fixed([_strange_stage(kind)]) for kind in STRANGE_TYPES]
    meta: Json = {"novel": {"deep": [1, None, True]}}
    events = scene.answer_events([*blocks, Growing("text", content.GREETING, meta=meta)])
    return scene.paced(_among_strangers(events))


def big_line(scene: Scene) -> Steps:
    """One text frame whose line has about `size` bytes (2,000,000)."""
    size = scene.script.text("size", "2000000")
    return play_chunks(replace(scene, script=Script("chunks", "", {"n": "1", "size": size})))


def utf8_split(scene: Scene) -> Steps:
    """Every event is cut inside a character."""
    return scene.paced(wire.split_in_characters(_ordinary_events(scene)))


def byte_by_byte(scene: Scene) -> Steps:
    """One byte in every HTTP chunk."""
    return scene.paced(wire.one_by_one(_ordinary_events(scene)))


def crlf(scene: Scene) -> Steps:
    """CRLF line ends, each event cut between CR and LF. `end=cr`: CR alone."""
    line_end = b"\r" if scene.script.text("end") == "cr" else b"\r\n"
    return scene.paced(wire.with_line_ends(_ordinary_events(scene), line_end))


def comments(scene: Scene) -> Steps:
    """Comments between and inside events, and the fields `id` and `retry`."""
    return scene.paced(wire.with_comments(_ordinary_events(scene)))


def byte_order_mark(scene: Scene) -> Steps:
    """The stream begins with a byte-order mark."""
    return scene.paced(wire.with_byte_order_mark(_ordinary_events(scene)))


def duplicate(scene: Scene) -> Steps:
    """Every frame twice; those that hold a delta only with `all=1`."""
    deltas = scene.script.is_set("all") or scene.envelope.manner.style == "snapshot"
    return scene.paced(wire.twice(_ordinary_events(scene), deltas=deltas))


def _ordinary_events(scene: Scene) -> Iterator[bytes]:
    return scene.answer_events([*thinking(scene), greeting(scene)])


def _strange_stage(kind: str) -> tuple[Json, str, Json]:
    return {"type": kind, "content": "?", "status": "finish", "novel": 1.5}, "finish", {"novel": ["?"]}


def _among_strangers(events: Iterable[bytes]) -> Iterator[bytes]:
    """An unknown event name first, unknown fields in every frame, last a frame with nothing that is known."""
    yield b'event:heartbeat\ndata: {"beat":1}\n\n'
    for event in events:
        yield event.replace(b'{"id"', b'{"novel":{"id":null},"id"', 1)
    yield b'event:message\ndata: {"novel":true}\n\n'
