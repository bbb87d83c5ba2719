"""One mistake at a time, written into a module on purpose: what the tests of its room ought to notice.

Comparisons are moved, conditions turned round, numbers and flags changed, calls, raises and returned values
left out. What only people read is left alone: docstrings, annotations, log lines, `__repr__`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd,
}
_NOT_RUN = {"annotation", "returns", "decorator_list", "bases", "type_params"}
_FOR_PEOPLE = {"__repr__", "describe"}
_CALLS_FOR_PEOPLE = ("log.", "assert_never")


@dataclass(frozen=True, slots=True)
class Mutant:
    """`source` is the whole module with the mistake in it; `was` and `became` show it."""

    path: str
    line: int
    was: str
    became: str
    source: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}  {self.was}  ->  {self.became}"


def list_mutants(path: str, source: str) -> Iterator[Mutant]:
    """Every mutant of a module, in the order of its lines."""
    tree = ast.parse(source)
    for parent, field, node in list(_walk(tree)):
        changed = _change_value(node) or _change_statement(node)
        if changed is not None:
            _replace(parent, field, node, changed)
            yield Mutant(path, node.lineno, _show(node), _show(changed), ast.unparse(tree))
            _replace(parent, field, changed, node)


def _walk(parent: ast.AST) -> Iterator[tuple[ast.AST, str, Any]]:
    """Everything that may be changed, and where it hangs."""
    for field, value in ast.iter_fields(parent):
        for node in value if isinstance(value, list) else [value]:
            if isinstance(node, ast.AST) and field not in _NOT_RUN and not _is_for_people(node):
                yield parent, field, node
                yield from _walk(node)


def _is_for_people(node: ast.AST) -> bool:
    if isinstance(node, ast.FunctionDef):
        return node.name in _FOR_PEOPLE
    if not isinstance(node, ast.Expr):
        return False
    return isinstance(node.value, ast.Constant) or ast.unparse(node).startswith(_CALLS_FOR_PEOPLE)


def _replace(parent: ast.AST, field: str, old: ast.AST, new: ast.AST) -> None:
    value = getattr(parent, field)
    if isinstance(value, list):
        value[:] = [new if node is old else node for node in value]
    else:
        setattr(parent, field, new)


def _change_value(node: ast.AST) -> ast.AST | None:
    """What could stand in the place of an expression, None where nothing is to be changed."""
    match node:
        case ast.Compare(left, [op], right) if type(op) in _COMPARISONS:
            return ast.Compare(left, [_COMPARISONS[type(op)]()], right)
        case ast.BinOp(left, op, right) if type(op) in _OPERATORS and not (_is_text(left) or _is_text(right)):
            return ast.BinOp(left, _OPERATORS[type(op)](), right)
        case ast.BoolOp(op, values):
            return ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
        case ast.UnaryOp(ast.Not(), operand):
            return operand
        case ast.Constant(bool(value)):
            return ast.Constant(not value)
        case ast.Constant(int(value) | float(value)):
            return ast.Constant(value * 2 if value else 1)
        case _:
            return None


def _change_statement(node: ast.AST) -> ast.AST | None:
    nothing = ast.Constant(None)
    match node:
        case ast.If(ast.Name() | ast.Call() | ast.Attribute() as test, body, orelse):
            return ast.If(ast.UnaryOp(ast.Not(), test), body, orelse)
        case ast.Expr(ast.Call()) | ast.Raise():
            return ast.Expr(nothing)
        case ast.Return(ast.expr() as value) if not isinstance(value, ast.Constant):
            return ast.Return(nothing)
        case ast.Assign([ast.Attribute()] as targets, value) if not isinstance(value, ast.Constant):
            return ast.Assign(targets, nothing, lineno=node.lineno)
        case ast.AugAssign(target, ast.Add() | ast.Sub() as op, value):
            return ast.AugAssign(target, ast.Sub() if isinstance(op, ast.Add) else ast.Add(), value)
        case _:
            return None


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
    )


def _show(node: ast.AST) -> str:
    """The first line of a node."""
    return ast.unparse(node).splitlines()[0][:90]
