"""Whether the tests notice mistakes: each is made in a copy of the tree, and the tests of its room are run.

    python -m tests.mutants [--sample 100] [--seed 1] [--room exchange] [--module reply] [--jobs 2]

Prints what nobody noticed, and the share of what was. A survivor is a question: either a test is missing, or
the line may as well be left out, or both ways mean the same.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from tests.mutant import Mutant, list_mutants

ROOT = Path(__file__).parents[1]
ROOMS = {
    "exchange": ["exchange/*.py", "exchange/transforms/*.py"],
    "upstream": [f"upstream/{name}.py" for name in ("reducer", "merge", "stream", "sse", "body")],
    "accounts": [f"accounts/{name}.py" for name in ("pool", "queue", "lease", "refresh", "breaker")],
}
"""By the folder of their tests under tests/app: the modules of app/ in which mistakes are made."""

_COPIED = ("app", "demo", "tests", "upstream_emulator", "pyproject.toml")
_MAX_SECONDS = 240.0
_TOLD_EVERY = 25
_PYTEST = ("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:randomly", "--timeout", "20")


class Copies:
    """Copies of the tree, each used by one thread at a time; the tree itself is only read."""

    def __init__(self, count: int, directory: Path) -> None:
        self._free: SimpleQueue[Path] = SimpleQueue()
        for number in range(count):
            place = directory / str(number)
            place.mkdir()
            for name in _COPIED:
                source = ROOT / name
                if source.is_dir():
                    shutil.copytree(source, place / name, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copy(source, place / name)
            self._free.put(place)

    def notice(self, mutant: Mutant) -> bool:
        """Whether the tests of its room fail with the mistake in place, or never end."""
        place = self._free.get()
        module = place / mutant.path
        rightly = module.read_text()
        try:
            module.write_text(mutant.source)
            return not _pass(place, mutant.path)
        finally:
            module.write_text(rightly)
            self._free.put(place)

    def check(self, paths: list[str]) -> None:
        """Raises SystemExit where tests fail without any mistake: then they could notice nothing."""
        place = self._free.get()
        for room in sorted({_find_room(path) for path in paths}):
            if not _pass(place, f"app/{room}/any.py"):
                raise SystemExit(f"tests/app/{room} fail as they are: mend them first")
        self._free.put(place)


def _pass(place: Path, path: str) -> bool:
    """Whether the tests of a module's room pass; the module's own go first, since they mostly tell."""
    own = Path("tests", path).with_name(f"test_{Path(path).name}")
    is_own_there = (place / own).exists()
    return (not is_own_there or _run(place, own)) and _run(place, Path("tests/app", _find_room(path)))


def _run(place: Path, tests: Path) -> bool:
    environ = os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "HYPOTHESIS_STORAGE_DIRECTORY": str(place / ".h")}
    command = [sys.executable, *_PYTEST, "--hypothesis-seed", "0", str(tests)]
    try:
        run = subprocess.run(
            command, cwd=place, env=environ, capture_output=True, timeout=_MAX_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return run.returncode == 0


def _find_room(path: str) -> str:
    return Path(path).parts[1]


def _list_all(room: str | None, module: str | None) -> list[Mutant]:
    patterns = [pattern for name, some in ROOMS.items() if room in (None, name) for pattern in some]
    paths = [path for pattern in patterns for path in sorted((ROOT / "app").glob(pattern))]
    chosen = [path for path in paths if module in (None, path.stem)]
    if not chosen:
        raise SystemExit("there is no such module")
    return [
        mutant
        for path in chosen
        for mutant in list_mutants(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))
    ]


def main() -> int:
    parser = argparse.ArgumentParser(prog="make mutants ARGS=", description=__doc__.splitlines()[0])
    parser.add_argument("--sample", type=int, default=100, help="how many mistakes, 0 for all (default 100)")
    parser.add_argument("--seed", type=int, default=1, help="which ones (default 1)")
    parser.add_argument("--room", choices=ROOMS)
    parser.add_argument("--module", help="one module by its name, without .py")
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    mutants = _list_all(asked.room, asked.module)
    print(f"{len(mutants)} mistakes can be made here", flush=True)
    if 0 < asked.sample < len(mutants):
        mutants = random.Random(asked.seed).sample(mutants, asked.sample)
    begun_at, survivors = time.monotonic(), []
    with tempfile.TemporaryDirectory(prefix="mutants-") as directory, ThreadPoolExecutor(asked.jobs) as pool:
        copies = Copies(asked.jobs, Path(directory))
        copies.check([mutant.path for mutant in mutants])
        for done, is_noticed in enumerate(pool.map(copies.notice, mutants), 1):
            if not is_noticed:
                survivors.append(mutants[done - 1])
                print(f"not noticed: {survivors[-1]}", flush=True)
            if done % _TOLD_EVERY == 0:
                print(f"{done} of {len(mutants)} done", flush=True)
    noticed = len(mutants) - len(survivors)
    minutes = (time.monotonic() - begun_at) / 60
    print(f"{noticed} of {len(mutants)} noticed, {noticed / len(mutants):.0%}, in {minutes:.1f} minutes")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
