"""One catalogue of errors: every code is in it, in both languages, and the documentation is made of it."""

from __future__ import annotations

import importlib
import pkgutil
import re
import string
from pathlib import Path

import pytest

from app import catalogue
from app.catalogue.code import CODES
from app.catalogue.message import Language, Message
from app.core.errors import GatewayError
from tests.house.error_table import PAGES, build_table, list_errors

ROOT = Path(__file__).parents[2]
CHINESE = re.compile(r"[\u4e00-\u9fff]")
ADVICE = re.compile(
    r"\b(add|ask|begin|check|choose|compare|copy|encode|get|give|leave|log in|look|mark|mend|open|put|raise|"
    r"read|report|say|send|shorten|simplify|switch|take|try|use|wait)\b",
    re.IGNORECASE,
)


def list_messages() -> dict[str, Message]:
    modules = [
        importlib.import_module(f"app.catalogue.{module.name}")
        for module in pkgutil.iter_modules(catalogue.__path__)
    ]
    return {
        f"{module.__name__.rpartition('.')[2]}.{name}": value
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, Message)
    }


MESSAGES = list_messages()


def list_fields(text: str) -> set[tuple[str, str]]:
    return {(name, form or "") for _, name, form, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("kind", list_errors(), ids=lambda kind: kind.__name__)
def test_every_error_has_a_code_of_the_catalogue(kind: type[GatewayError]) -> None:
    assert kind.code in CODES, "add it to a module of app/catalogue, then `make errors`"


def test_the_catalogue_has_no_other_codes() -> None:
    assert set(CODES) == {kind.code for kind in list_errors()}


@pytest.mark.parametrize("kind", list_errors(), ids=lambda kind: kind.__name__)
def test_every_error_with_a_code_of_its_own_is_drawn_in_a_tree(kind: type[GatewayError]) -> None:
    drawn = importlib.import_module(kind.__module__).__doc__ or ""
    assert kind is GatewayError or "code" not in vars(kind) or kind.__name__ in drawn


@pytest.mark.parametrize("language", PAGES)
def test_the_tables_of_the_documentation_are_made_of_it(language: Language) -> None:
    assert build_table(language) in PAGES[language].read_text("utf-8"), "run `make errors`"


@pytest.mark.parametrize("name", MESSAGES)
def test_both_languages_say_the_same(name: str) -> None:
    message = MESSAGES[name]
    assert not CHINESE.search(message.en.replace("应用", ""))
    if name != "upstream.UPSTREAM_SAYS":  # whose words are quoted once
        assert CHINESE.search(message.zh)
        assert list_fields(message.en) == list_fields(message.zh)


@pytest.mark.parametrize("name", MESSAGES)
def test_what_one_language_advises_the_other_does(name: str) -> None:
    message = MESSAGES[name]
    if "请" in message.zh.replace("请求", ""):
        assert ADVICE.search(message.en)


@pytest.mark.parametrize("name", MESSAGES)
def test_sentences_end_and_are_spaced_as_each_language_wants(name: str) -> None:
    message = MESSAGES[name]
    if message.en.endswith((".", "}")) and message.zh:
        assert message.zh.endswith(("。", "}"))
    assert not re.search(
        r"[,;:] ?[\u4e00-\u9fff]|[\u4e00-\u9fff][,;:!?]", message.zh.replace("data: ", "")
    ), "full-width marks"
    assert "  " not in message.en + message.zh


@pytest.mark.parametrize("code", CODES)
def test_a_code_says_what_to_do_in_whole_sentences(code: str) -> None:
    known = CODES[code]
    assert known.advice.en.endswith(".")
    assert known.advice.zh.endswith("。")
    assert len(known.name.en) <= 24
    assert not known.situation.en.endswith(".")
    assert not known.situation.zh.endswith("。")
