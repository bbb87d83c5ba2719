"""What is installed for run time runs when it is imported, and not before."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.metadata import distribution
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Run by Python itself at every start, whatever is imported.
START_HOOK = re.compile(r"(^|/)[^/]+\.pth$|^(sitecustomize|usercustomize)(\.py$|/)")
# Where a wheel may put files, seen from site-packages.
USUAL_PLACE = re.compile(r"^(?!\.\./)|^\.\./\.\./\.\./(bin|include/site/python3\.\d+|share/man)/")
APPROVED_HOOKS: frozenset[str] = frozenset()


def list_packages() -> list[str]:
    lines = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    found = [re.match(r"([\w.-]+)==[^;\\]+(;[^\\]*)?", line) for line in lines]
    return [match[1] for match in found if match and "win32" not in (match[2] or "")]


def find_oddities(files: Iterable[str]) -> list[str]:
    return [
        name
        for name in files
        if name not in APPROVED_HOOKS and (START_HOOK.search(name) or not USUAL_PLACE.search(name))
    ]


@pytest.mark.parametrize("package", list_packages())
def test_a_package_hooks_itself_in_nowhere(package: str) -> None:
    files = distribution(package).files
    assert files
    assert find_oddities(str(name) for name in files) == []


@pytest.mark.parametrize(
    ("name", "is_odd"),
    [
        ("a.pth", True),
        ("nested/a.pth", True),
        ("sitecustomize.py", True),
        ("usercustomize/__init__.py", True),
        ("../../../etc/cron.d/x", True),
        ("../other/x.py", True),
        ("a/sitecustomize.py", False),
        ("a/path.py", False),
        ("../../../bin/flask", False),
    ],
)
def test_oddities_are_found(name: str, is_odd: bool) -> None:
    assert bool(find_oddities([name])) is is_odd


def test_all_packages_are_looked_at() -> None:
    assert {"flask", "gevent", "gunicorn", "requests", "urllib3"} <= set(list_packages())
