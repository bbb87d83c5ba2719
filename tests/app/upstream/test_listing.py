"""Lists of models and assistants in any shape (protocol notes 10)."""

from __future__ import annotations

import json
import time
from typing import Any, cast

import pytest

from app.auth_token import AccessToken
from app.core.errors import (
    AccessRejected,
    GatewayError,
    UpstreamInvalid,
    UpstreamThrottled,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from app.core.listing import Assistant, Listing
from app.logs import redactor
from app.upstream.client import UpstreamClient
from app.upstream.listing import ASSISTANTS_PATHS, MODELS_PATH, ask_listing, parse_assistants, parse_models
from app.upstream.request import DEFAULT_ASSISTANT_ID, DRAWING_ASSISTANT_ID

A, B = "a" * 24, "b" * 24
MODELS = {"models": [{"display_name": "GLM-5.2", "selected_model": "glm-5.2"}]}
ASSISTANTS = {"list": [{"assistant_id": A, "name": "写作助手"}]}
GOOD = Listing(("glm-5.2",), (Assistant(A, "写作助手"),))


class Upstream:
    """Answers by path; what is an error is raised."""

    def __init__(self, *assistants: object, models: object = MODELS) -> None:
        self._answers: dict[str, object] = dict(zip((MODELS_PATH, *ASSISTANTS_PATHS), (models, *assistants)))  # noqa: B905
        self.asked: list[str] = []

    def ask(self, method: str, path: str, token: AccessToken, body: bytes, seconds: float) -> object:
        assert (method, body) == ("GET", b"")
        assert seconds <= 5
        self.asked.append(path)
        answer = self._answers[path]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def list(self) -> Listing:
        return ask_listing(cast("UpstreamClient", self), AccessToken("t", 2e9, "d"))


def test_both_lists() -> None:
    upstream = Upstream(ASSISTANTS)
    assert upstream.list() == GOOD
    assert upstream.asked == [MODELS_PATH, ASSISTANTS_PATHS[0]]


def test_the_other_place_has_the_assistants_where_the_newer_one_is_gone() -> None:
    assert Upstream(UpstreamInvalid("gone"), ASSISTANTS).list() == GOOD


@pytest.mark.parametrize("error", [UpstreamThrottled("x"), UpstreamUnreachable("x"), UpstreamTimeout("x")])
def test_what_is_no_missing_place_is_not_asked_elsewhere(error: GatewayError) -> None:
    upstream = Upstream(error)
    assert upstream.list() == Listing(("glm-5.2",), None)
    assert upstream.asked == [MODELS_PATH, ASSISTANTS_PATHS[0]]


def test_one_list_is_better_than_none() -> None:
    assert Upstream(ASSISTANTS, models=UpstreamInvalid("x")).list() == Listing(None, GOOD.assistants)
    with pytest.raises(UpstreamThrottled):
        Upstream(UpstreamThrottled("x"), models=UpstreamInvalid("x")).list()


def test_a_refused_token_is_not_shown_twice() -> None:
    upstream = Upstream(ASSISTANTS, models=AccessRejected("x"))
    with pytest.raises(AccessRejected):
        upstream.list()
    assert upstream.asked == [MODELS_PATH]


@pytest.mark.parametrize(
    ("result", "models"),
    [
        (MODELS, ("glm-5.2",)),
        ({"models": []}, ()),
        ({"models": [{"selected_model": "GLM-4.7"}, {"selected_model": "glm-4.7"}]}, ("glm-4.7",)),
        ({"models": [{"selected_model": name} for name in (None, 7, "", ["glm-5"], "moe_53", "glm")]}, ()),
        # What would not be selected, as something in it is a switch here or nothing at all.
        ({"models": [{"selected_model": name} for name in ("glm-5-think", "glm-5\n", "glm-5 x")]}, ()),
        ({"models": [{"selected_model": "glm-" + "5" * 99}]}, ()),
        ({"models": [None, 1, [], "glm-5"]}, ()),
        ({"models": {"selected_model": "glm-5"}}, None),
        ({}, None),
        ([], None),
        (None, None),
        ("glm-5", None),
    ],
)  # fmt: skip
def test_models(result: object, models: object) -> None:
    assert parse_models(result) == models


@pytest.mark.parametrize(
    "result",
    [
        ASSISTANTS,
        [{"bot_id": A.upper(), "name": "写作助手"}],
        {"x": {"y": [[{"id": A, "title": "写作助手", "more": {"id": B, "name": "within"}}]]}},
        [{"top": 1, "assistant": {"_id": A, "assistant_name": "写作助手"}}],
        [{"assistant_id": A, "name": "写作助手"}, {"assistant_id": A, "name": "another"}],
        [None, 1, "x", {"id": 5, "name": "n"}, {"id": B}, {"id": B, "name": 5}, *ASSISTANTS["list"]],
        [{"id": "x", "name": "n"}, {"id": "../" + A, "name": "n"}, ASSISTANTS],
        [{"id": DEFAULT_ASSISTANT_ID, "name": "x"}, {"id": DRAWING_ASSISTANT_ID, "name": "y"}, ASSISTANTS],
    ],
)  # fmt: skip
def test_assistants(result: object) -> None:
    assert parse_assistants(result) == GOOD.assistants


@pytest.mark.parametrize(("result", "expected"), [([], ()), ({}, ()), (None, None), ("x", None), (5, None)])
def test_no_assistants_and_no_list(result: object, expected: object) -> None:
    assert parse_assistants(result) == expected


def test_lists_are_bounded() -> None:
    many = [{"assistant_id": f"{number:024x}", "name": f"n{number}"} for number in range(5000)]
    assert len(parse_assistants(many) or ()) == 100
    models = [{"selected_model": f"glm-9.{number}"} for number in range(5000)]
    assert len(parse_models({"models": models}) or ()) == 50


@pytest.mark.parametrize(
    "text", ["[" + "[]," * 300_000 + "1]", "[" + "{}," * 300_000 + "1]", '{"a":' * 900 + "1" + "}" * 900]
)
def test_a_document_of_nothing_costs_little(text: str) -> None:
    """As large as one may be."""
    document: Any = json.loads(text)
    begun_at = time.thread_time()
    assert parse_assistants(document) == ()
    assert time.thread_time() - begun_at < 0.5


@pytest.mark.parametrize("hide", [lambda token: token, "\0".join, lambda token: f"a {token} b"])
def test_a_name_that_repeats_a_secret_is_none(hide: Any) -> None:
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzZWNyZXQiOiJ2ZXJ5LXNlY3JldC1pbmRlZWQifQ.c2lnbmF0dXJlLW9mLWEtdG9rZW4"
    hold = redactor.hold(token)
    try:
        assert parse_assistants([{"id": A, "name": hide(token)}]) == (Assistant(A, ""),)
    finally:
        hold.release()
