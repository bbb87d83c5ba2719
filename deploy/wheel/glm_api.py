"""glm-api as it is installed: the files of its checkout lie in `home`, and are found there first."""

from __future__ import annotations

import os
import sys
from pathlib import Path

HOME = Path(__file__).parent / "home"


def main() -> int:
    """The command `glm-api`; returns the exit code."""
    sys.path.insert(0, str(HOME))
    # What must outlive the next version lies outside of this one.
    os.environ.setdefault("GLM_STATE_PATH", str(_find_state_path()))
    from app.command import main as command  # noqa: PLC0415 - found by now

    return command(sys.argv[1:])


def _find_state_path() -> Path:
    """As the XDG base directories have it; the gateway makes what is not there."""
    base = os.environ.get("XDG_STATE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".local/state") / "glm-api/state.sqlite3"
