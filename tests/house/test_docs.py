"""The documentation and the code say the same."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import msgspec
import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families as parse_metrics

from app import config
from app.catalogue.message import Language
from app.config import Settings
from app.core.model_name import MODELS
from app.doctor.finding import Verdict
from app.doctor.messages import TITLES
from app.factory import _BLUEPRINTS
from app.formats.openai_chat.request import ChatRequest
from app.formats.openai_responses.request import ResponsesRequest
from app.metrics.counters import Counters, Readings
from app.metrics.exposition import encode
from tests.house.error_table import list_errors

ROOT = Path(__file__).parents[2]
READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]
CONFIGURATIONS = [ROOT / "docs/configuration.md", ROOT / "docs/configuration.zh-CN.md"]
FEATURES = [ROOT / "docs/features.md", ROOT / "docs/features.zh-CN.md"]
DEPLOY = ROOT / "docs/deploy.md"
RECIPES = sorted((ROOT / "docs/clients").glob("*.md"))
PAPERS = [ROOT / name for name in ("SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md")]
DOCUMENTS = [*READMES, *PAPERS, *sorted((ROOT / "docs").rglob("*.md"))]
TRANSLATIONS = [path for path in DOCUMENTS if path.name.endswith(".zh-CN.md")]
# Read by gunicorn.conf.py.
SERVER_VARIABLES = {"HOST": "127.0.0.1", "PORT": "8000", "WEB_CONCURRENCY": "1"}
IN_WORDS = {"GLM_SIGN_SECRET", "GLM_PASS_THROUGH"}
# Rows of the table of fields that do not speak of a field of the request.
NO_FIELDS = {"usage", "auto", "none"}


def say_path(path: Path) -> str:
    return str(path.relative_to(ROOT))


def original(path: Path) -> Path:
    return path.with_name(path.name.replace(".zh-CN.", "."))


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


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=say_path)
def test_the_configuration_table_is_true(path: Path) -> None:
    table, known = read_configuration(path), known_defaults()
    assert set(table) == set(known)
    assert {name: table[name] for name in known if name not in IN_WORDS} == {
        name: default for name, default in known.items() if name not in IN_WORDS
    }


@pytest.mark.parametrize("path", TRANSLATIONS, ids=say_path)
def test_both_languages_have_the_same_sections(path: Path) -> None:
    assert list_sections(path) == list_sections(original(path))


def list_sections(path: Path) -> list[tuple[str, int, int]]:
    """Of every section: its level, its code blocks, its table rows."""
    text = re.sub(r"^```.*?^```", "(code)", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    sections = re.findall(r"^(#+) (.*?)(?=^#|\Z)", text, re.MULTILINE | re.DOTALL)
    return [(level, body.count("(code)"), body.count("\n| ")) for level, body in sections]


def read_code(path: Path, language: str) -> list[str]:
    """The code blocks of one language, without comments."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```", path.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return [re.sub(r" *#.*", "", block) for block in blocks]


@pytest.mark.parametrize("path", TRANSLATIONS, ids=say_path)
def test_both_languages_show_the_same_code(path: Path) -> None:
    assert read_code(path, r"\w+") == read_code(original(path), r"\w+")


@pytest.mark.parametrize("path", [READMES[0], FEATURES[0]], ids=say_path)
def test_the_python_examples_are_python_and_name_models_of_the_list(path: Path) -> None:
    blocks = read_code(path, "python")
    assert blocks
    for block in blocks:
        ast.parse(block)
        assert set(re.findall(r'model="([^"]+)"', block)) <= set(MODELS)


@pytest.mark.parametrize("path", RECIPES, ids=say_path)
def test_recipes_name_models_of_the_list_and_codes_of_the_table(path: Path) -> None:
    text = path.read_text("utf-8")
    models = re.findall(r"""\bmodel(?:_id|_name)?"?[=:] ?"?(?:openai/)?(glm[\w.-]*)""", text)
    assert set(models) <= set(MODELS)
    assert set(re.findall(r"\b[45]\d\d `(\w+)`", text)) <= {kind.code for kind in list_errors()}


def test_nginx_is_told_the_same_in_both_places() -> None:
    complete = " ".join((ROOT / "deploy/nginx.conf").read_text("utf-8").split())
    (block,) = read_code(DEPLOY, "nginx")
    assert [line for line in block.splitlines() if line.strip() not in complete] == []


@pytest.mark.parametrize("path", FEATURES, ids=say_path)
def test_the_tables_of_fields_name_fields(path: Path) -> None:
    text = path.read_text("utf-8")
    chat, responses = re.findall(r"^## [^\n]*OpenAI.*?(?=^## )", text, re.MULTILINE | re.DOTALL)
    assert {"messages", "conversation_id", "temperature"} <= check_fields(chat, ChatRequest)
    assert {"input", "previous_response_id", "store"} <= check_fields(responses, ResponsesRequest)


def check_fields(table: str, request: type[msgspec.Struct]) -> set[str]:
    """The fields that a table names, each of which the request has."""
    rows = re.findall(r"^\| ([^|]*`[a-z_.]+`[^|]*) \| ", table, re.MULTILINE)
    named = {name.partition(".")[0] for row in rows for name in re.findall(r"`([a-z_.]+)`", row)}
    assert named - NO_FIELDS <= {field.encode_name for field in msgspec.structs.fields(request)}
    return named


@pytest.mark.parametrize("path", FEATURES, ids=say_path)
def test_every_path_is_named(path: Path) -> None:
    app = Flask(__name__, static_folder=None)
    for blueprint in _BLUEPRINTS:
        app.register_blueprint(blueprint)
    paths = {rule.rule.partition("/<")[0] for rule in app.url_map.iter_rules()}
    assert len(paths) >= 8
    assert [name for name in paths if name not in path.read_text("utf-8")] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=say_path)
def test_no_variable_is_made_up(path: Path) -> None:
    named = set(re.findall(r"\b(?:GLM|GATEWAY|METRICS|LOG|CORS)_[A-Z_]+[A-Z]\b", path.read_text("utf-8")))
    assert named <= set(known_defaults())


@pytest.mark.parametrize("path", DOCUMENTS, ids=say_path)
def test_links_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", path.read_text("utf-8"))
    assert [link for link, _ in links if not (path.parent / link).exists()] == []
    places = [(path.parent / link if link else path, anchor) for link, anchor in links if anchor]
    assert [anchor for target, anchor in places if anchor not in list_anchors(target)] == []


def list_anchors(path: Path) -> set[str]:
    """What a heading can be linked to by, as GitHub makes it of its words."""
    headings = re.findall(r"^#+ (.*)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", [*READMES, *CONFIGURATIONS, *FEATURES], ids=say_path)
def test_make_knows_what_is_called(path: Path) -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    called = set(re.findall(r"\bmake ([a-z-]+)", path.read_text("utf-8")))
    assert {target for target in called if f"\n{target}:" not in makefile} <= {"sure", "it"}


def list_metrics() -> dict[str, tuple[str, set[str]]]:
    """Name -> type and labels, of everything that is exposed."""
    counters = Counters()
    counters.note_request("/", "ok", 1.0, 1.0, 1)
    counters.tool_calls["text", "dialect"] += 1
    readings = Readings(0, 0, {"ready": 1}, 0, 0, False, {("content type", "x"): 1})
    text = encode(counters, readings, "")[0].decode()
    families = {family.name + "_total" * (family.type == "counter"): family for family in parse_metrics(text)}
    labels = {
        name: {label for sample in family.samples for label in sample.labels} - {"le"}
        for name, family in families.items()
    }
    return {name: (family.type, labels[name]) for name, family in families.items()}


def test_the_table_of_metrics_is_true() -> None:
    text = (ROOT / "docs/metrics.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.*?) ?\| ", text, re.MULTILINE)
    told = {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}
    assert told == list_metrics()


def test_no_metric_is_made_up() -> None:
    """In the alerts and elsewhere."""
    known = {re.sub(r"_(bucket|count|sum)$", "", name) for name in list_metrics()}
    for path in DOCUMENTS:
        named = re.findall(r"\b(?:glm_(?!api\b)|process_)[a-z_]+[a-z](?=\b)", path.read_text("utf-8"))
        assert {re.sub(r"_(bucket|count|sum)$", "", name) for name in named} <= known


@pytest.mark.parametrize(("name", "language"), [("doctor.md", "en"), ("doctor.zh-CN.md", "zh")])
def test_the_doctors_verdicts_are_explained_in_their_order(name: str, language: Language) -> None:
    page = (ROOT / "docs" / name).read_text("utf-8")
    rows = re.findall(r"^\| (.+?) \| `([a-z]+)` \| ", page, re.MULTILINE)
    assert rows == [(TITLES[verdict].say(language), verdict.value) for verdict in Verdict]


def test_the_architecture_names_whatever_stands_at_the_top_of_the_code() -> None:
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    names = [path.name for path in (ROOT / "app").iterdir() if not path.name.startswith("_")]
    assert [name for name in names if not re.search(rf"[`/]{re.escape(name)}[`/]", text)] == []
