"""The error tree: drawn completely in its docstring, and each error says what the accounts shall learn."""

from __future__ import annotations

import itertools
import re

import pytest

from app.core import errors
from app.core.errors import GatewayError
from app.core.reported_error import choose_reported
from app.formats.openai_error import find_type

ERRORS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, GatewayError)]
_ENTRY = re.compile(r"^([│ ]*)[├└]── (\w+) +(\d{3})?", re.MULTILINE)
_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "invalid_request_error",
    405: "invalid_request_error",
    408: "invalid_request_error",
    409: "invalid_request_error",
    413: "invalid_request_error",
    415: "invalid_request_error",
    429: "rate_limit_error",
    500: "api_error",
    502: "api_error",
    503: "api_error",
    504: "api_error",
}


def read_tree() -> list[tuple[str, str, int]]:
    """(name, name of the parent, status) of every entry of the docstring's drawing."""
    entries, parents = [], ["GatewayError"]
    for indent, name, status in _ENTRY.findall(errors.__doc__ or ""):
        depth = len(indent) // 4
        entries.append((name, parents[depth], int(status)))
        parents[depth + 1 :] = [name]
    return entries


def test_the_drawing_shows_the_tree_as_it_is() -> None:
    tree = [(kind.__name__, kind.__base__.__name__, kind.status) for kind in ERRORS if kind.__base__]
    tree.remove(("GatewayError", "Exception", 500))
    assert sorted(read_tree()) == sorted(tree)


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_every_status_has_a_type_and_every_code_is_a_word(kind: type[GatewayError]) -> None:
    assert find_type(kind.status) == _TYPES[kind.status]
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", kind.code)


def test_codes_are_their_own() -> None:
    """Only a special case may go by the code of what it is a case of."""
    by_code: dict[str, list[type[GatewayError]]] = {}
    for kind in ERRORS:
        by_code.setdefault(kind.code, []).append(kind)
    for code, kinds in by_code.items():
        assert all(issubclass(other, kinds[0]) for other in kinds), code


def test_an_error_carries_what_its_answer_needs() -> None:
    error = errors.AccountsBusy("Wait.", param="messages", retry_after_seconds=2.5)
    assert (str(error), error.message, error.param, error.retry_after_seconds) == (
        "Wait.",
        "Wait.",
        "messages",
        2.5,
    )


TELLING = [
    errors.UpstreamThrottled,
    errors.UpstreamBusy,
    errors.UpstreamTimeout,
    errors.UpstreamUnreachable,
    errors.AccountExpired,
]


@pytest.mark.parametrize(("better", "worse"), list(itertools.combinations(TELLING, 2)))
def test_what_waiting_cures_wins(better: type[GatewayError], worse: type[GatewayError]) -> None:
    good, bad = better(""), worse("")
    assert choose_reported([good, bad]) is good
    assert choose_reported([bad, good]) is good


def test_the_end_of_the_gateway_ends_the_choice() -> None:
    """Whoever waited for an account after others had failed hears what ended the waiting."""
    assert choose_reported([errors.UpstreamThrottled(""), ending := errors.ShuttingDown("")]) is ending


def test_the_first_of_two_alike_wins() -> None:
    first, second = errors.UpstreamBusy("first"), errors.AccountBlocked("second")
    assert choose_reported([first, second]) is first


def test_other_errors_tell_less_and_the_last_of_them_most() -> None:
    odd, odder = errors.InvalidRequest(""), errors.PromptTooLong("")
    assert choose_reported([odd, odder]) is odder
    expired = errors.AccountExpired("")
    assert choose_reported([odd, expired, odder]) is expired
