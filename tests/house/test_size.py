"""Hard limits on the size of modules and functions; the usual sizes are far below."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAX_MODULE = 300
MAX_FUNCTION = 50
VAGUE = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
MODULES = [
    path
    for top in ("app", "upstream_emulator", "demo", "bench", "tests", "wsgi.py", "gunicorn.conf.py")
    for path in ([ROOT / top] if top.endswith(".py") else sorted((ROOT / top).rglob("*.py")))
    if path.exists() and "node_modules" not in path.parts
]


def list_functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def measure(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    assert function.end_lineno is not None
    return function.end_lineno - function.lineno + 1


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_is_small(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MAX_MODULE
    assert {f.name: measure(f) for f in list_functions(path) if measure(f) > MAX_FUNCTION} == {}


def test_most_functions_are_short() -> None:
    sizes = sorted(measure(function) for path in MODULES for function in list_functions(path))
    assert sizes[len(sizes) // 2] <= 8
    assert sizes[len(sizes) * 9 // 10] <= 25


def test_a_module_is_named_for_what_it_holds() -> None:
    assert [path for path in MODULES if VAGUE & set(path.relative_to(ROOT).with_suffix("").parts)] == []


def test_the_line_iterator_of_requests_is_not_used() -> None:
    """It is quadratic, inserts false blank lines, and cuts JSON at U+2028."""
    assert [
        path for path in MODULES if path.is_relative_to(ROOT / "app") and "iter_lines" in path.read_text()
    ] == []
