"""The Makefile explains itself, installs once, and says so when it cannot work."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "Makefile").read_text()


def make(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    # A make that runs these tests leaves flags in the environment that would reach this one.
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", *arguments], cwd=cwd, env=environ, capture_output=True, text=True, check=False
    )


def test_help_is_the_default_and_lists_every_target() -> None:
    targets = set(re.findall(r"^\.PHONY: (\S+)$", TEXT, re.MULTILINE))
    listed = set(re.findall(r"^  make (\S+) ", make().stdout, re.MULTILINE))
    assert listed == targets
    assert targets >= {
        "help",
        "install",
        "demo",
        "demo-serve",
        "run",
        "test",
        "check",
        "bench",
        "lock",
        "clean",
    }


def test_check_is_everything() -> None:
    assert re.search(r"^check: lint types layers test ", TEXT, re.MULTILINE)


def test_installing_is_pinned_and_without_builds() -> None:
    assert "--require-hashes --only-binary :all:" in TEXT


def test_nothing_is_installed_twice(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text(TEXT)
    for lock in ("requirements.txt", "requirements-dev.txt"):
        (tmp_path / lock).touch()
    stamp = tmp_path / ".venv" / ".installed"
    stamp.parent.mkdir()
    stamp.with_name(".runtime").touch()
    stamp.touch()
    assert "Nothing to be done" in make("install", cwd=tmp_path).stdout
    os.utime(stamp, (1, 1))
    assert "pip install" in make("install", "--dry-run", cwd=tmp_path).stdout


def test_whoever_only_runs_it_waits_for_no_tools() -> None:
    for target in ("run", "demo-serve", "key", "doctor"):
        assert re.search(rf"^{target}: \$\(RUNTIME\) ", TEXT, re.MULTILINE), target


def test_an_old_python_is_named(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text(TEXT)
    for lock in ("requirements.txt", "requirements-dev.txt"):
        (tmp_path / lock).touch()
    old = tmp_path / "old-python"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.9.2"\n[ "$1" != -c ]\n')
    old.chmod(0o755)
    run = make("install", f"PYTHON={old}", cwd=tmp_path)
    assert run.returncode != 0
    assert "needs Python 3.11 or newer" in run.stderr
    assert "Python 3.9.2" in run.stderr
    assert not (tmp_path / ".venv").exists()


def test_the_automatic_check_is_make_test() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    commands = [line for line in script.read_text().splitlines() if line and not line.startswith("#")]
    assert "make test" in commands
    assert commands[-1] == "exec make test-browser"
    assert "export CI=true" in commands
