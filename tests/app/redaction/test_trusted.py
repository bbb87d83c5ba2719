"""What requests bring of secrets that are trusted already."""

from __future__ import annotations

from typing import Any

import pytest

from app.redaction import Redactor, redactor
from tests.app.redaction.test_redactor import TOKEN, make_token


def test_what_a_running_request_brought_outlasts_its_acceptance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redactor, "_MAX_ACCEPTED_CHARS", 1000)
    known = Redactor()
    known.accept(TOKEN)
    hold = known.hold(f"Bearer {TOKEN}")
    for _ in range(20):
        known.accept(make_token())
    assert TOKEN not in known._accepted
    assert known.redact(TOKEN) == "[secret]"
    hold.forget()
    hold.release()
    assert TOKEN.rpartition(".")[2][4:] in known.redact(TOKEN)
    assert known._callers == {}


@pytest.mark.parametrize("step", ["fold", "_cut_callers"])
def test_a_hold_that_is_collected_while_its_secret_is_entered_leaves_nothing(
    step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever memory is taken, one that nobody released may be collected."""
    monkeypatch.setattr(redactor, "_MAX_ACCEPTED_CHARS", 1000)
    known = Redactor()
    known.accept(TOKEN)
    holds = [known.hold(f"Bearer {TOKEN}")]
    holds[0].forget()
    work = getattr(redactor, step)

    def work_and_collect(secret: str, *rest: Any) -> Any:
        if TOKEN not in known._accepted:
            holds.clear()
        return work(secret, *rest)

    monkeypatch.setattr(redactor, step, work_and_collect)
    while TOKEN in known._accepted:
        known.accept(make_token())
    assert not holds
    assert known._callers == {}
    assert TOKEN.rpartition(".")[2][4:] in known.redact(TOKEN)


@pytest.mark.parametrize("kind", ["keep", "accept"])
def test_what_is_trusted_is_entered_once(kind: str) -> None:
    known = Redactor()
    getattr(known, kind)(TOKEN)
    entered = len(known._index)
    hold = known.hold(f"Bearer {TOKEN}")
    assert len(known._index) == entered
    assert known._callers[TOKEN].pieces == ()
    hold.release()
    assert known.redact(TOKEN) == "[secret]"
    assert (len(known._index), known._callers) == (entered, {})
