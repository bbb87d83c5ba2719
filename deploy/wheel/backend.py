"""Builds the wheel that pip, pipx and uvx install from a checkout (docs/decisions/0017-wheel.md).

A build backend (PEP 517) that needs nothing but Python: to install the gateway runs no foreign code.
The wheel holds one package, `glm_api`, with the files of the checkout as they are in `glm_api/home`, and pins
what the lock pins. Two builds of the same files are the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
DIRECTORIES = ("app", "demo", "upstream_emulator", "docs")
FILES = (
    "wsgi.py", "gunicorn.conf.py", "requirements.txt", "LICENSE",
    "README.md", "README.zh-CN.md", "SECURITY.md", "CHANGELOG.md",
)  # fmt: skip

_PIN = re.compile(r"^(?P<pin>[a-z0-9][\w.,\[\]-]*==[^ \\;\n]+)(?P<marker> ; [^\\\n]+)?", re.MULTILINE)
_WHEEL = b"Wheel-Version: 1.0\nGenerator: glm-api\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
# The oldest time that a zip file can name.
_TIME = (1980, 1, 1, 0, 0, 0)


def build_wheel(
    wheel_directory: str,
    config_settings: Mapping[str, Any] | None = None,
    metadata_directory: str | None = None,
) -> str:
    """Write the wheel there, and return its name."""
    project = read_project()
    about = f"glm_api-{project['version']}.dist-info"
    files = dict(_list_package())
    files |= {
        f"{about}/METADATA": build_metadata(project),
        f"{about}/WHEEL": _WHEEL,
        f"{about}/entry_points.txt": _build_entry_points(project),
        f"{about}/licenses/LICENSE": (ROOT / "LICENSE").read_bytes(),
    }
    record = "".join(f"{name},sha256={_digest(data)},{len(data)}\n" for name, data in files.items())
    files[f"{about}/RECORD"] = f"{record}{about}/RECORD,,\n".encode()
    name = f"glm_api-{project['version']}-py3-none-any.whl"
    with zipfile.ZipFile(Path(wheel_directory) / name, "w", zipfile.ZIP_DEFLATED) as wheel:
        for path, data in files.items():
            entry = zipfile.ZipInfo(path, _TIME)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            wheel.writestr(entry, data)
    return name


def build_sdist(sdist_directory: str, config_settings: Mapping[str, Any] | None = None) -> str:
    """Write what the wheel is built from there, and return the name of the archive."""
    version = read_project()["version"]
    name = f"glm_api-{version}.tar.gz"
    more = (
        "pyproject.toml",
        *(path.relative_to(ROOT).as_posix() for path in Path(__file__).parent.glob("*.py")),
    )
    files = {path: (ROOT / path).read_bytes() for path in (*_list_files(), *more)}
    files["PKG-INFO"] = build_metadata(read_project())
    with tarfile.open(Path(sdist_directory) / name, "w:gz", format=tarfile.PAX_FORMAT) as archive:
        for path, data in files.items():
            entry = tarfile.TarInfo(f"glm_api-{version}/{path}")
            entry.size, entry.mode = len(data), 0o644
            archive.addfile(entry, io.BytesIO(data))
    return name


def read_project() -> dict[str, Any]:
    """The table `project` of pyproject.toml."""
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return project


def list_pins() -> list[str]:
    """What the lock pins, with its markers and without its hashes, which a wheel cannot carry."""
    lock = (ROOT / "requirements.txt").read_text("utf-8")
    return [f"{found['pin']}{(found['marker'] or '').rstrip()}" for found in _PIN.finditer(lock)]


def build_metadata(project: Mapping[str, Any]) -> bytes:
    lines = [
        "Metadata-Version: 2.4",
        f"Name: {project['name']}",
        f"Version: {project['version']}",
        f"Summary: {project['description']}",
        f"License-Expression: {project['license']}",
        "License-File: LICENSE",
        f"Requires-Python: {project['requires-python']}",
        *(f"Requires-Dist: {pin}" for pin in list_pins()),
        "Description-Content-Type: text/markdown",
    ]
    readme = (ROOT / project["readme"]).read_text("utf-8")
    return ("\n".join(lines) + f"\n\n{readme}").encode()


def _build_entry_points(project: Mapping[str, Any]) -> bytes:
    scripts = "".join(f"{name} = {target}\n" for name, target in project["scripts"].items())
    return f"[console_scripts]\n{scripts}".encode()


def _list_package() -> Iterator[tuple[str, bytes]]:
    entry = Path(__file__).with_name("glm_api.py").read_bytes()
    yield "glm_api/__init__.py", entry
    yield "glm_api/__main__.py", b"from glm_api import main\n\nraise SystemExit(main())\n"
    for path in _list_files():
        yield f"glm_api/home/{path}", (ROOT / path).read_bytes()


def _list_files() -> Iterator[str]:
    """The files of the checkout that the gateway, its demonstration and its readers need."""
    for directory in DIRECTORIES:
        for path in sorted((ROOT / directory).rglob("*")):
            parts = path.relative_to(ROOT).parts
            is_ours = not any(part.startswith(".") or part == "__pycache__" for part in parts)
            if path.is_file() and is_ours and path.suffix != ".pyc":
                yield "/".join(parts)
    yield from FILES


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
