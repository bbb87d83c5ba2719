"""The captured frames of the real upstream in upstream_emulator/captures (see the README there)."""

from __future__ import annotations

import re
from pathlib import Path

CAPTURES = Path(__file__).parent / "captures"


def capture_names() -> list[str]:
    return sorted(path.stem for path in CAPTURES.glob("*.sse"))


def read_capture(name: str) -> list[bytes] | None:
    """The events of a capture, byte for byte, or None when there is none of that name."""
    if name not in capture_names():
        return None
    return re.findall(rb".*?\n\n", (CAPTURES / f"{name}.sse").read_bytes(), re.DOTALL)


def captured_conversation_id(name: str) -> str:
    """The conversation that a capture speaks of; empty when there is no such capture."""
    found = re.search(rb'"conversation_id":"(.+?)"', b"".join(read_capture(name) or []))
    return found[1].decode() if found else ""
