"""The one question that a broken answer is worth, asked in the same conversation under the same lease.

Short, and with the form to write: the conversation knows the rest.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.tools.arguments import Reason
from app.tools.dialect import Dialect
from app.tools.json_format import JsonFormat, JsonInvalid
from app.tools.name import Names
from app.tools.section import write_example

_WHAT_WAS_WRONG: dict[Reason, str] = {
    "not_json": "its body has to be one JSON object, with quotes and backslashes inside of strings escaped",
    "not_an_object": "its body has to be one JSON object with the parameters by name",
    "missing": "its body has to hold the required parameters",
    "unclosed": "it ended before its JSON object was complete",
    "too_long": "it was too long; several smaller calls work",
    "unknown_name": "its name has to be one of the functions above",
}


def ask_readable_call(reason: Reason, name: str | None, names: Names, dialect: Dialect) -> str:
    """After a call that could not be read."""
    tool = names.resolve(name) if name else None
    whose = f"The call of {name}" if tool is not None else "The call"
    example = write_example(names, dialect, (tool,) if tool is not None else ())
    return (
        f"{whose} was unreadable: {_WHAT_WAS_WRONG[reason]}. "
        f"Write the whole call again, in this form:\n{example}\n请按上面的格式重新写出完整的调用。"
    )


def ask_for_call(names: Names, dialect: Dialect) -> str:
    """After an answer without the call that the choice wants."""
    example = write_example(names, dialect)
    return (
        f"This turn is answered with a call of {' or '.join(list(names.tools)[:8])}. Write the call now, "
        f"in this form:\n{example}\n请直接按上面的格式写出调用。"
    )


def ask_for_json(invalid: JsonInvalid, json_format: JsonFormat) -> str:
    """After an answer that is not the JSON that was asked for."""
    if invalid.problem == "schema":
        wrong = "The JSON differs from its schema:\n" + _list_words(invalid.violations)
    elif invalid.problem == "not_unique":
        wrong = "The answer holds several JSON values; one is expected."
    else:
        wrong = "The answer holds no readable JSON value."
    return f"{wrong}\n{json_format.write_sentence(has_tools=False)}\n请只输出修正后的 JSON。"


def ask_to_continue() -> str:
    """After an answer of thinking alone, or of nothing."""
    return "Please go on and write the answer.\n请继续，直接写出回答。"


def _list_words(violations: Sequence[str]) -> str:
    return "\n".join(f"- {violation}" for violation in violations)
