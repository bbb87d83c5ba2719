"""Everything the upstream can be made to stream, by name.

Parameters that every scenario understands: `style` (snapshot, delta, mixed), `flag` (0, 1, 2; see
`upstream_emulator.frame.Manner`), `dialect=2026` (of snapshots, which look like 2024 otherwise), `pace`
(milliseconds between frames), `delay` (milliseconds before the first event) and `head` (before the HTTP
head). Answers that are no stream are in `upstream_emulator.fault`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from upstream_emulator import agent, drawing, oddity, transcript, trouble
from upstream_emulator.content import text
from upstream_emulator.load import play_chunks
from upstream_emulator.player import Steps
from upstream_emulator.scene import Scene

Scenario = Callable[[Scene], Steps]

SCENARIOS: Mapping[str, Scenario] = {
    "": transcript.friendly,
    "text": transcript.plain,
    "slowstart": transcript.plain,
    "think": transcript.think,
    "search": transcript.search,
    "search-e1": transcript.search_2024,
    "code": transcript.code,
    "draw": drawing.draw,
    "draw-e1": drawing.draw_2024,
    "repeat": transcript.repeat,
    "alternate": transcript.alternate,
    "session": transcript.session,
    "replay": transcript.replay,
    "chunks": play_chunks,
    "filter": trouble.content_filter,
    "agent": agent.act,
    "busy": trouble.busy,
    "error-frame": trouble.error_frame,
    "part-error": trouble.part_error,
    "cut": trouble.cut,
    "noend": trouble.no_end,
    "stall": trouble.stall,
    "reset": trouble.reset,
    "final-differs": trouble.final_differs,
    "no-part-finish": trouble.no_part_finish,
    "finish-without-parts": trouble.finish_without_parts,
    "late": trouble.late,
    "unknown": oddity.unknown,
    "bigline": oddity.big_line,
    "utf8split": oddity.utf8_split,
    "bytes": oddity.byte_by_byte,
    "crlf": oddity.crlf,
    "comments": oddity.comments,
    "bom": oddity.byte_order_mark,
    "duplicate": oddity.duplicate,
}
DEFAULT_DELAYS = {"slowstart": 500.0}


def play(scene: Scene) -> Steps:
    """The steps of the scenario that the scene's script names."""
    name = scene.script.name
    delay = scene.script.number("delay", DEFAULT_DELAYS.get(name, 0))
    if delay:
        yield delay / 1000
    yield from SCENARIOS.get(name, _unheard_of)(scene)


def _unheard_of(scene: Scene) -> Steps:
    """Says that a directive names nothing, so that a mistyped test does not pass by chance."""
    names = ", ".join(sorted(SCENARIOS))
    return scene.answer([text(f"没有名为 {scene.script.name} 的场景。", f"可用的场景：{names}。")])
