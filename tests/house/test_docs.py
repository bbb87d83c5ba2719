"""The documentation and the code say the same."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import msgspec
import pytest
from flask import Flask

from app import _BLUEPRINTS, config, errors
from app.chat.mode import MODELS
from app.config import Settings
from app.errors import GatewayError
from app.openai.request import ChatRequest

ROOT = Path(__file__).parents[2]
READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]
PAPERS = [ROOT / name for name in ("SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md")]
DOCUMENTS = [*READMES, *PAPERS, *sorted((ROOT / "docs").rglob("*.md"))]
# Read by gunicorn.conf.py.
SERVER_VARIABLES = {"HOST": "127.0.0.1", "PORT": "8000", "WEB_CONCURRENCY": "1"}
IN_WORDS = {"GLM_SIGN_SECRET", "GLM_PASS_THROUGH"}
# Rows of the table of fields that do not speak of a field of the request.
NO_FIELDS = {"usage", "auto", "none"}


def read_configuration(path: Path) -> dict[str, str]:
    """Variable -> default, as the table says."""
    rows = re.findall(r"^\| `([A-Z_]+)` \| ?(.*?) ?\| ", path.read_text("utf-8"), re.MULTILINE)
    return {variable: default.strip("` ") for variable, default in rows if variable.isupper()}


def known_defaults() -> dict[str, str]:
    defaults = Settings()
    values = {variable: getattr(defaults, name) for variable, (name, _) in config._VARIABLES.items()}
    in_files = {f"{variable}_FILE": "" for variable in config._SECRETS}
    return SERVER_VARIABLES | in_files | {variable: say(value) for variable, value in values.items()}


def say(value: object) -> str:
    if value is None or value == ():
        return ""
    if isinstance(value, bool):
        return str(int(value))
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
    english, chinese = (list_sections(path) for path in READMES)
    assert english == chinese


def list_sections(path: Path) -> list[tuple[str, int, int]]:
    """Of every section: its level, its code blocks, its table rows."""
    text = re.sub(r"^```.*?^```", "(code)", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    sections = re.findall(r"^(#+) (.*?)(?=^#|\Z)", text, re.MULTILINE | re.DOTALL)
    return [(level, body.count("(code)"), body.count("\n| ")) for level, body in sections]


def read_code(path: Path, language: str) -> list[str]:
    """The code blocks of one language, without comments."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```", path.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return [re.sub(r" *#.*", "", block) for block in blocks]


@pytest.mark.parametrize("language", ["shell", "python", "nginx"])
def test_both_readmes_show_the_same_code(language: str) -> None:
    english, chinese = (read_code(path, language) for path in READMES)
    assert english
    assert english == chinese


def test_the_python_example_is_python_and_names_models_of_the_list() -> None:
    for block in read_code(READMES[0], "python"):
        ast.parse(block)
        assert set(re.findall(r'model="([^"]+)"', block)) <= set(MODELS)


def test_nginx_is_told_the_same_in_both_places() -> None:
    complete = " ".join((ROOT / "deploy/nginx.conf").read_text("utf-8").split())
    (block,) = read_code(READMES[0], "nginx")
    assert [line for line in block.splitlines() if line.strip() not in complete] == []


@pytest.mark.parametrize("path", READMES, ids=lambda path: path.name)
def test_the_table_of_fields_names_fields(path: Path) -> None:
    fields = {field.encode_name for field in msgspec.structs.fields(ChatRequest)}
    rows = re.findall(r"^\| ([^|]*`[a-z_.]+`[^|]*) \| [^`]", path.read_text("utf-8"), re.MULTILINE)
    named = {name.partition(".")[0] for row in rows for name in re.findall(r"`([a-z_.]+)`", row)}
    assert {"messages", "conversation_id", "temperature"} <= named
    assert named - NO_FIELDS <= fields


@pytest.mark.parametrize("path", READMES, ids=lambda path: path.name)
def test_every_path_is_named(path: Path) -> None:
    app = Flask(__name__, static_folder=None)
    for blueprint in _BLUEPRINTS:
        app.register_blueprint(blueprint)
    paths = {rule.rule.partition("/<")[0] for rule in app.url_map.iter_rules()}
    assert len(paths) >= 8
    assert [name for name in paths if name not in path.read_text("utf-8")] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_variable_is_made_up(path: Path) -> None:
    named = set(re.findall(r"\b(?:GLM|GATEWAY|LOG|CORS)_[A-Z_]+[A-Z]\b", path.read_text("utf-8")))
    assert named <= set(known_defaults())


def list_errors() -> list[type[GatewayError]]:
    return [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, GatewayError)
    ]


@pytest.mark.parametrize("kind", list_errors(), ids=lambda kind: kind.__name__)
def test_every_error_is_in_the_table(kind: type[GatewayError]) -> None:
    row = f"| {kind.status} | `{kind.type}` | `{kind.code}` |"
    assert row in (ROOT / "docs/errors.md").read_text("utf-8")
    assert kind is GatewayError or kind.__name__ in (errors.__doc__ or "")


def test_the_table_knows_no_other_errors() -> None:
    rows = re.findall(
        r"^\| .* \| (\d+) \| `(\w+)` \| `(\w+)` \|",
        (ROOT / "docs/errors.md").read_text("utf-8"),
        re.MULTILINE,
    )
    known = {(str(kind.status), kind.type, kind.code) for kind in list_errors()}
    assert sorted(rows) == sorted(known)


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
