"""The words for what is waited for."""

from __future__ import annotations

from typing import get_args

import pytest

from app.catalogue.wait import WAITS
from app.core.wait import Wait, WaitKind
from app.routes.progress import say_wait


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.catalogue.message._Told.with_chinese", False)


def test_every_kind_has_its_words_in_both_languages() -> None:
    assert set(WAITS) == set(get_args(WaitKind))
    assert all(message.en and message.zh for message in WAITS.values())


def test_a_line_for_one_language() -> None:
    assert say_wait(Wait("upload", 2, 3)) == "Uploading file 2 of 3.\n"


def test_a_line_for_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.catalogue.message._Told.with_chinese", True)
    assert (
        say_wait(Wait("queue", 2))
        == "Waiting for an account: place 2 in the queue. 正在排队等待账号：第 2 位。\n"
    )
