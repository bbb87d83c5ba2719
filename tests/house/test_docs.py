"""The documentation and the code say the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app import config, errors
from app.config import Settings
from app.errors import GatewayError

ROOT = Path(__file__).parents[2]
READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]
DOCUMENTS = [*READMES, ROOT / "SECURITY.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
# Read by gunicorn.conf.py.
SERVER_VARIABLES = {"HOST": "127.0.0.1", "PORT": "8000", "WEB_CONCURRENCY": "1"}
IN_WORDS = {"GLM_SIGN_SECRET", "GLM_PASS_THROUGH"}


def read_configuration(path: Path) -> dict[str, str]:
    """Variable -> default, as the table says."""
    rows = re.findall(r"^\| `([A-Z_]+)` \| ?(.*?) ?\| ", path.read_text("utf-8"), re.MULTILINE)
    return {variable: default.strip("` ") for variable, default in rows if variable.isupper()}


def known_defaults() -> dict[str, str]:
    defaults = Settings()
    values = {variable: getattr(defaults, name) for variable, (name, _) in config._VARIABLES.items()}
    return SERVER_VARIABLES | {variable: say(value) for variable, value in values.items()}


def say(value: object) -> str:
    if value is None or value == ():
        return ""
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


@pytest.mark.parametrize("path", READMES, ids=lambda path: path.name)
def test_the_configuration_table_is_true(path: Path) -> None:
    table, known = read_configuration(path), known_defaults()
    assert set(table) == set(known)
    assert {name: table[name] for name in known if name not in IN_WORDS} == {
        name: default for name, default in known.items() if name not in IN_WORDS
    }


def test_both_readmes_have_the_same_sections() -> None:
    english, chinese = (re.findall(r"^(#+) ", path.read_text("utf-8"), re.MULTILINE) for path in READMES)
    assert english == chinese


def list_errors() -> list[type[GatewayError]]:
    return [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, GatewayError)
    ]


@pytest.mark.parametrize("kind", list_errors(), ids=lambda kind: kind.__name__)
def test_every_error_is_in_the_table(kind: type[GatewayError]) -> None:
    row = f"| {kind.status} | `{kind.type}` | `{kind.code}` |"
    assert row in (ROOT / "docs/errors.md").read_text("utf-8")
    assert kind is GatewayError or kind.__name__ in (errors.__doc__ or "")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text("utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("path", READMES, ids=lambda path: path.name)
def test_make_knows_what_the_readmes_call(path: Path) -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    called = set(re.findall(r"\bmake ([a-z-]+)", path.read_text("utf-8")))
    assert called
    assert {target for target in called if f"\n{target}:" not in makefile} <= {"sure", "it"}
