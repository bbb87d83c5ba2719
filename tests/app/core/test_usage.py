"""The token estimate against true counts of a real tokenizer (bench/tokens.py stored them)."""

from __future__ import annotations

import json
import statistics
import string
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.core import usage
from app.core.usage import TokenEstimate, estimate_tokens

SAMPLES = json.loads((Path(__file__).parents[2] / "fixtures" / "tokens.json").read_text("utf-8"))
MAX_MEAN_ERROR = 0.15


def measure_errors() -> dict[str, list[float]]:
    errors: dict[str, list[float]] = defaultdict(list)
    for sample in SAMPLES:
        error = abs(estimate_tokens(sample["text"]) - sample["tokens"]) / sample["tokens"]
        errors[sample["kind"]].append(error)
    return errors


def test_the_estimate_is_near_the_truth() -> None:
    errors = measure_errors()
    assert set(errors) == {"Chinese", "English", "mixed", "code", "figures"}
    assert len(SAMPLES) >= 40
    assert statistics.mean(error for values in errors.values() for error in values) < 0.11


@pytest.mark.parametrize("kind", sorted(measure_errors()))
def test_no_kind_of_text_is_far_off(kind: str) -> None:
    assert statistics.mean(measure_errors()[kind]) < MAX_MEAN_ERROR


@given(st.text(max_size=40), st.text(max_size=40))
@example("0", "0𐀀𐀀")
def test_what_is_removed_was_never_there(kept: str, removed: str) -> None:
    estimate = TokenEstimate()
    estimate.add(kept)
    estimate.add(removed)
    estimate.remove(removed)
    assert (estimate.tokens, estimate.chars) == (estimate_tokens(kept), len(kept))


KINDS = {" ": usage._SPACE, "\n": usage._LINE_END}
KINDS |= dict.fromkeys(string.ascii_letters, usage._LETTER) | dict.fromkeys(string.digits, usage._DIGIT)


def weigh_one(char: str) -> int:
    """In thousandths: what three bytes take is wide, and two bytes or four stand between a sign and that."""
    size = len(char.encode("utf-8", "replace"))
    if size == 1:
        return KINDS.get(char, usage._SIGN)
    return usage._WIDE // 2 * (size - 1) + usage._SIGN // 2 * (3 - size)


texts = st.text(st.characters() | st.sampled_from(" \n\r\t09azAZ?,é你😀\ud83d\x00\x7f\x80"), max_size=60)


@given(texts, st.sampled_from([1, 2, 7, 1000]))
def test_a_text_weighs_what_its_characters_weigh(text: str, slice_chars: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(usage, "_SLICE_CHARS", slice_chars)
        assert usage._weigh(text) == sum(map(weigh_one, text))


@given(st.text(max_size=40), st.text(min_size=1, max_size=5))
def test_more_text_is_never_fewer_tokens(text: str, more: str) -> None:
    assert estimate_tokens(text + more) >= estimate_tokens(text)


def test_pieces_that_were_put_aside_are_counted() -> None:
    estimate = TokenEstimate()
    for _ in range(3):
        for _ in range(2000):
            estimate.add("好 a")
        assert estimate.tokens == estimate_tokens("好 a" * (estimate.chars // 3))
