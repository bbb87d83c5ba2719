"""How an answer that was cut goes on (protocol notes 0.2 row 5).

What the real one does is not known, so that all of it can be played: the answer again from its start
(`repeat`), or what was missing (`rest`), under the same ids or under new ones.
"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Sequence

from upstream_emulator.frame import FIELD_OF_KIND, Json

BEHAVIOURS = ("repeat", "rest")


def continue_frames(
    frames: Sequence[Json], at: int, behaviour: str, *, new_ids: bool, deltas: bool
) -> list[Json]:
    """The frames that follow a cut after the first `at` of `frames`, which grow by deltas or by snapshots."""
    # One by one: frames may share their parts.
    left = [copy.deepcopy(frame) for frame in (frames if behaviour == "repeat" else frames[at:])]
    if not new_ids:
        return left
    if behaviour == "rest":
        _leave_out(left, _list_unfinished(frames[:at], deltas=deltas), deltas=deltas)
    ids: dict[str, str] = {}
    for frame in left:
        frame["id"] = f"{int(frame['id'], 16) + 2:024x}"
        for part in frame["parts"]:
            part["id"] = frame["id"]
            part["logic_id"] = ids.setdefault(part["logic_id"], str(uuid.uuid4()))
    return left


def _leave_out(frames: Sequence[Json], said: dict[str, str], *, deltas: bool) -> None:
    """Under another id, an unfinished part shows only what comes after the cut."""
    for frame in frames:
        for part in frame["parts"]:
            item, text = part["content"][0], said.get(part["logic_id"], "")
            field = FIELD_OF_KIND.get(item["type"])
            is_whole = not deltas or part["status"] == "finish" or frame["status"] == "finish"
            if field and is_whole:
                item[field] = item[field].removeprefix(text)


def _list_unfinished(frames: Sequence[Json], *, deltas: bool) -> dict[str, str]:
    """logic id -> all that was said of each part that had not come to its end."""
    said: dict[str, str] = {}
    for frame in frames:
        for part in frame["parts"]:
            field = FIELD_OF_KIND.get(part["content"][0]["type"])
            if part["status"] == "finish":
                said.pop(part["logic_id"], None)
            elif field:
                before = said.get(part["logic_id"], "") if deltas else ""
                said[part["logic_id"]] = before + part["content"][0][field]
    return said
