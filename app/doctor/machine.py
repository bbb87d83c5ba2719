"""What can be seen without asking anybody: packages, server settings, limits."""

from __future__ import annotations

import platform
import re
import resource
import runpy
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from app.config import Settings
from app.doctor import advice, messages
from app.doctor.finding import Finding, Verdict, fail, note, ok, skip

ROOT = Path(__file__).parents[2]

_PIN = re.compile(
    r"^(?P<name>[a-z0-9][a-z0-9.-]*)(?:\[[a-z,-]+\])?==(?P<version>[^ ;\\]+)(?P<marker> ;)?", re.MULTILINE
)


def check_packages(root: Path = ROOT) -> Finding:
    """Are the pinned packages installed, in their versions?"""
    python = platform.python_version()
    try:
        pins = list(_PIN.finditer((root / "requirements.txt").read_text("utf-8")))
    except OSError:
        return skip(messages.PACKAGES, messages.PACKAGES_UNKNOWN, version=python)
    installed = {pin["name"]: _find_version(pin["name"]) for pin in pins}
    missing = [pin["name"] for pin in pins if installed[pin["name"]] is None and not pin["marker"]]
    others = [
        f"{pin['name']} {found} ({pin['version']})"
        for pin in pins
        if (found := installed[pin["name"]]) not in (None, pin["version"])
    ]
    if missing:
        names = ", ".join(missing)
        return fail(
            messages.PACKAGES, Verdict.MACHINE, messages.PACKAGES_MISSING, advice.INSTALL, names=names
        )
    if others:
        return note(messages.PACKAGES, messages.PACKAGES_DIFFER, version=python, names=", ".join(others))
    return ok(messages.PACKAGES, messages.PACKAGES_RIGHT, version=python)


def _find_version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def read_server(root: Path = ROOT) -> dict[str, Any]:
    """gunicorn's settings, read as it reads them. Raises SystemExit with the line that it would end with."""
    return runpy.run_path(str(root / "gunicorn.conf.py"))


def check_server(server: dict[str, Any], settings: Settings) -> Finding:
    """May as many files be open as GLM_MAX_STREAMS needs? The server goes up to the hard limit by itself."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    possible = (files - server["SPARE_FILES"]) // 2
    streams = settings.max_streams
    if files != resource.RLIM_INFINITY and possible < streams:
        return note(
            messages.SERVER,
            messages.SERVER_FEW_FILES,
            files=files,
            possible=max(0, possible),
            streams=streams,
        )
    return ok(messages.SERVER, messages.SERVER_READY, bind=server["bind"], streams=streams)


def check_port(server: dict[str, Any], is_gateway: Callable[[str], bool]) -> Finding | None:
    """Could a gateway listen where it is told to? None where nothing stands in its way."""
    host, _, port = str(server["bind"]).rpartition(":")
    problem = server["find_address_problem"]((host.strip("[]"), int(port)))
    if problem is None:
        return None
    if " is taken " not in problem:
        return fail(messages.SERVER, Verdict.SETTINGS, messages.REASON, reason=problem)
    if is_gateway(guess_url(server)):
        return ok(messages.SERVER, messages.PORT_OURS, bind=server["bind"])
    values = {"bind": server["bind"], "next": int(port) % 65535 + 1}
    return fail(messages.SERVER, Verdict.MACHINE, messages.PORT_TAKEN, advice.TAKE_PORT, **values)


def guess_url(server: dict[str, Any]) -> str:
    """Where a gateway of these settings is asked from this machine."""
    host, _, port = str(server["bind"]).rpartition(":")
    return f"http://{'127.0.0.1' if _is_everywhere(host) else host}:{port}"


def _is_everywhere(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_unspecified
    except ValueError:
        return False
