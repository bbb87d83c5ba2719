"""Which commands advice names: those that its reader has."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from app.invocation import ARCHIVE, CALLED, CHECKOUT, IMAGE, PACKAGE, Invocation, find_invocation

ROOT = Path(__file__).parents[2]
LAYOUTS = {
    "glm_api/home": ([], PACKAGE),
    "anywhere": (["Makefile", "pyproject.toml"], CHECKOUT),
    "unpacked": (["pyproject.toml"], ARCHIVE),
    "srv": ([], IMAGE),
}
ALL = (CHECKOUT, PACKAGE, IMAGE, ARCHIVE)
# What says a command to somebody, beside its two languages.
SPEAKERS = """
from app.config import read_settings
from app.doctor import advice, messages
from app.catalogue.advice import CHECK_NETWORK
said = [*read_settings({"GLM_REFRESH_TOKENS": "demo-a"})[1].values(),
        *read_settings({"GATEWAY_API_KEYS": "mine"})[1].values()]
for message in (messages.TOKENS_NONE, messages.STATE_FOREIGN, advice.INSTALL, advice.TAKE_PORT,
                advice.START_GATEWAY, CHECK_NETWORK):
    said += [message.en, message.zh]
print("\\n".join(said))
"""
FOREIGN = {
    "glm_api/home": ("make run", "make key", "make doctor", "docker", "python -m app"),
    "anywhere": ("glm-api doctor", "glm-api key", "glm-api run", "docker"),
    "unpacked": ("make run", "make key", "make doctor", "glm-api doctor", "docker"),
    "srv": ("make run", "make key", "make doctor", "glm-api doctor", "glm-api key laptop"),
}


@pytest.mark.parametrize(("place", "files", "expected"), [(p, *rest) for p, rest in LAYOUTS.items()])
def test_the_files_beside_it_tell(place: str, files: list[str], expected: Invocation, tmp_path: Path) -> None:
    home = tmp_path / place
    home.mkdir(parents=True)
    for name in files:
        (home / name).touch()
    assert find_invocation(home) is expected


def test_this_is_a_checkout() -> None:
    assert CALLED is CHECKOUT


def test_no_two_are_the_same_and_places_are() -> None:
    assert len(set(ALL)) == len(ALL)
    for invocation in ALL:
        texts = {field.name: getattr(invocation, field.name) for field in fields(invocation)}
        assert [name for name, text in texts.items() if "{owner}" in text] == ["doctor_as_owner"]
        assert [name for name, text in texts.items() if "{next}" in text] == ["at_port"]


@pytest.mark.parametrize("place", LAYOUTS)
def test_whoever_advises_names_no_command_of_another_way(place: str, tmp_path: Path) -> None:
    """The same code, laid out as each of them is."""
    home = tmp_path / place
    home.mkdir(parents=True)
    (home / "app").symlink_to(ROOT / "app")
    for name in LAYOUTS[place][0]:
        (home / name).touch()
    run = subprocess.run(
        [sys.executable, "-c", SPEAKERS], cwd=home, capture_output=True, text=True, check=True, timeout=30
    )
    said = run.stdout
    assert len(said.splitlines()) == 14
    assert [command for command in FOREIGN[place] if command in said] == [], said
    invocation = LAYOUTS[place][1]
    for command in (invocation.run, invocation.key, invocation.doctor, invocation.doctor_asking):
        assert command in said
