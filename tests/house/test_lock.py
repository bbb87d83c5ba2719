"""The locks: every direct package has a reason, everything is pinned with hashes, nothing else is in them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = (
    "requirements.txt",
    "requirements-dev.txt",
    "tests/agents/requirements.txt",
    "tests/clients/requirements.txt",
    "tests/deploy/requirements.txt",
    "tests/description/requirements.txt",
)
PIN = re.compile(r"(?P<name>[a-z0-9][a-z0-9.-]*)(\[[a-z,-]+\])?==(?P<version>[^ ;]+)( ; [^\\]+)? \\$")
HASH = re.compile(r" {4}--hash=sha256:[0-9a-f]{64}( \\)?$")


def read_pins(lock: str) -> dict[str, list[str]]:
    """Package (with its version) -> the hash lines below it; any line of another kind fails the test."""
    pins: dict[str, list[str]] = {}
    for line in (ROOT / lock).read_text().splitlines():
        if pin := PIN.match(line):
            current = pins.setdefault(f"{pin['name']}=={pin['version']}", [])
        elif HASH.match(line):
            current.append(line)
        else:
            assert line.lstrip().startswith("#"), f"{lock}: {line!r} is neither a pin, a hash nor a comment"
    return pins


def read_reasons(source: str) -> dict[str, str]:
    lines = (ROOT / source).read_text().splitlines()
    wanted = [line for line in lines if line.strip() and not line.startswith(("#", "-c "))]
    return {name.strip(): reason.strip() for name, _, reason in (line.partition("#") for line in wanted)}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_hashes(lock: str) -> None:
    pins = read_pins(lock)
    assert len(pins) > 10
    assert [pin for pin, hashes in pins.items() if not hashes] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_place(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert (
        re.findall(r"\S*(?:://|file:|--index-url|--extra-index-url|--find-links|(?<![\w.])/\w)\S*", text)
        == []
    )


def test_the_locks_agree() -> None:
    runtime, dev = (dict(pin.split("==") for pin in read_pins(lock)) for lock in LOCKS[:2])
    assert {
        name: (runtime[name], dev[name]) for name in runtime.keys() & dev.keys() if runtime[name] != dev[name]
    } == {}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_direct_package_has_a_reason(lock: str) -> None:
    reasons = read_reasons(lock.replace(".txt", ".in"))
    assert reasons
    assert [name for name, reason in reasons.items() if len(reason) < 10] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_every_direct_package_is_locked(lock: str) -> None:
    locked = {pin.split("==")[0] for pin in read_pins(lock)}
    reasons = read_reasons(lock.replace(".txt", ".in"))
    assert {re.sub(r"\[.*", "", name) for name in reasons} - locked == set()


@pytest.mark.parametrize("place", ["tests/agents", "tests/clients", "tests/description", "tests/markdown"])
def test_the_lock_of_javascript_has_hashes_and_names_no_place(place: str) -> None:
    packages = json.loads((ROOT / place / "package-lock.json").read_text())["packages"]
    wanted = json.loads((ROOT / place / "package.json").read_text())["dependencies"]
    assert {f"node_modules/{name}" for name in wanted} <= set(packages)
    del packages[""]
    assert {str(package["integrity"])[:7] for package in packages.values()} == {"sha512-"}
    assert [name for name, package in packages.items() if "resolved" in package] == []
