"""The page's parser of Markdown under Node.js, beside markdown-it. A missing package is a failure.

Run by `make test-markdown`, which installs them.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "app" / "page"
# Of the clock, not of the processor: other programs may be at work.
SECONDS = 280

Check = Callable[..., Any]


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page's files where Node.js takes them for modules, as browsers do."""
    place = tmp_path_factory.mktemp("page")
    shutil.copytree(PAGE, place, dirs_exist_ok=True)
    (place / "package.json").write_text('{"type": "module"}')
    return place


@pytest.fixture(scope="session")
def check(page: Path) -> Check:
    """Runs a command of check.mjs, with `given` as JSON, and reads what it writes."""

    def run(command: str, *arguments: int, given: object = None) -> Any:
        finished = subprocess.run(
            ["node", str(HERE / "check.mjs"), str(page), command, *map(str, arguments)],
            input=json.dumps(given),
            capture_output=True,
            encoding="utf-8",
            timeout=SECONDS,
            check=False,
        )
        assert finished.returncode == 0, finished.stderr
        return json.loads(finished.stdout)

    return run
