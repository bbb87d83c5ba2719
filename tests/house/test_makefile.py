"""The Makefile explains itself, installs once, and says so when it cannot work."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.test_supply import START_HOOK

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "Makefile").read_text()
RUNTIME = ".venv-run/.installed"
# Notes each environment it makes; FAULT=venv stops it before there is a pip, FAULT=pip while pip installs.
PYTHON_THAT_MAKES_ENVIRONMENTS = """#!/bin/sh
case "$*" in
  *"-m venv --clear "*)
    echo venv >> made
    for place; do :; done
    rm -rf "$place"; mkdir -p "$place/bin"; cp "$0" "$place/bin/python"
    if [ "$FAULT" = venv ]; then exit 1; fi
    touch "$place/pip" ;;
  *"-m pip "*)
    if ! [ -e "$(dirname "$0")/../pip" ]; then exit 1; fi
    case "$*" in *install*) if [ "$FAULT" = pip ]; then exit 1; fi ;; esac ;;
esac
"""


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


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The Makefile with locks that ask for nothing."""
    (tmp_path / "Makefile").write_text(TEXT)
    for lock in ("requirements.txt", "requirements-dev.txt"):
        (tmp_path / lock).touch()
    return tmp_path


@pytest.mark.parametrize(("target", "stamp"), [("install", ".venv/.installed"), (RUNTIME, RUNTIME)])
def test_nothing_is_installed_twice(checkout: Path, target: str, stamp: str) -> None:
    path = checkout / stamp
    path.parent.mkdir()
    path.touch()
    assert make("-q", target, cwd=checkout).returncode == 0
    os.utime(path, (1, 1))
    assert "pip install" in make(target, "--dry-run", cwd=checkout).stdout


def test_whoever_only_runs_it_has_no_tools(checkout: Path) -> None:
    """Nor waits for them: an environment of its own has the packages of the lock alone."""
    for target in ("run", "demo-serve", "key", "doctor"):
        assert re.search(rf"^{target}: \$\(RUNTIME\) .*\n\t\$\(RUN\)/bin/", TEXT, re.MULTILINE), target
    install = make(RUNTIME, "--dry-run", cwd=checkout).stdout
    assert "-r requirements.txt" in install
    assert "requirements-dev" not in install


def test_nothing_runs_at_the_start_of_python_but_python(checkout: Path) -> None:
    """What venv itself puts there included; the packages of the lock are looked at by test_supply.py."""
    run = make(RUNTIME, f"PYTHON={sys.executable}", cwd=checkout)
    assert run.returncode == 0, run.stderr
    files = [path.name for path in checkout.rglob("site-packages/*")]
    assert "pip" in files
    assert [name for name in files if START_HOOK.search(name)] == []


@pytest.mark.parametrize("target", ["install", RUNTIME])
@pytest.mark.parametrize("fault", ["venv", "pip"])
def test_what_was_interrupted_is_begun_anew(checkout: Path, target: str, fault: str) -> None:
    """Wherever it was: in the making of the environment, or in what goes into it."""
    python = checkout / "python"
    python.write_text(PYTHON_THAT_MAKES_ENVIRONMENTS)
    python.chmod(0o755)
    broken = make(target, f"PYTHON={python}", f"FAULT={fault}", cwd=checkout)
    assert broken.returncode != 0
    assert make(target, f"PYTHON={python}", "FAULT=", cwd=checkout).returncode == 0
    assert make("-q", target, cwd=checkout).returncode == 0
    assert (checkout / "made").read_text() == "venv\nvenv\n"


def test_an_old_python_is_named(checkout: Path) -> None:
    old = checkout / "old-python"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.9.2"\n[ "$1" != -c ]\n')
    old.chmod(0o755)
    run = make("install", f"PYTHON={old}", cwd=checkout)
    assert run.returncode != 0
    assert "needs Python 3.11 or newer" in run.stderr
    assert "Python 3.9.2" in run.stderr
    assert not (checkout / ".venv").exists()


def test_the_automatic_check_begins_with_make_check() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    commands = [line for line in script.read_text().splitlines() if line and not line.startswith("#")]
    assert "make check" in commands
    assert commands[-1] == "exec make test-browser"
    assert "export CI=true" in commands
