"""What a recording keeps of bytes: shapes, and not one character that somebody said."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.upstream.shape import ShapeKeeper, fill, read_json
from app.upstream.shape_text import keep_frames
from app.upstream.shape_word import is_known_code, keep_content_type

SECRET = "hunter-eyJhbGciOiJIUzI1NiJ9.e30.abcdef"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda below: st.lists(below, max_size=4) | st.dictionaries(TEXTS, below, max_size=4),
    max_leaves=20,
)


@given(TEXTS)
def test_a_text_leaves_its_length_in_characters_and_bytes(text: str) -> None:
    kept = fill(text)
    assert len(kept) == len(text)
    assert len(kept.encode()) == len(text.encode())


@given(TEXTS, TEXTS)
def test_what_is_kept_depends_on_widths_alone(one: str, other: str) -> None:
    """So nothing can be read back: any text of the same widths gives the same."""
    assert fill(one + other).startswith(fill(one))
    assert fill(one + other) == fill(one) + fill(other, offset=len(one))
    same_widths = "".join(["é" if "\x7f" < c < "\u0800" else "z" if c < "\x80" else c for c in one])
    assert fill(same_widths) == fill(one)


def test_filler_does_not_repeat_itself() -> None:
    """Or a delta would look like all text before it."""
    whole = fill("a" * 5000)
    assert all(whole.find(whole[:16], at) == -1 for at in range(1, 5000, 16))


def _list_strings(value: object) -> list[str]:
    if isinstance(value, dict):
        return [*value, *(text for below in value.values() for text in _list_strings(below))]
    if isinstance(value, list):
        return [text for below in value for text in _list_strings(below)]
    return [value] if isinstance(value, str) else []


@given(JSON)
def test_any_document_keeps_its_kinds_and_none_of_its_strings(document: object) -> None:
    kept = ShapeKeeper().keep(document)
    assert type(kept) is type(document) or isinstance(document, float)
    assert json.loads(json.dumps(kept)) == kept
    said = {text for text in _list_strings(document) if len(text) > 5 and not is_known_code(text)}
    assert not [text for text in said if text in json.dumps(kept, ensure_ascii=False) and fill(text) != text]


@pytest.mark.parametrize(
    "document",
    [
        {SECRET: 1},
        {"parts": [{SECRET: {SECRET: [SECRET]}}]},
        {"status": SECRET, "type": SECRET, "code": SECRET, "model": SECRET, "role": SECRET},
        {"id": SECRET, "logic_id": SECRET, "conversation_ids": [SECRET]},
        {"url": f"https://{SECRET}/{SECRET}?{SECRET}", "match_key": SECRET, "message": SECRET},
        {"a": {"b": [[[[SECRET]]]]}, "tool_calls": {"arguments": json.dumps({"q": SECRET})}},
    ],
)
def test_a_secret_is_kept_nowhere(document: Any) -> None:
    assert "hunter" not in json.dumps(ShapeKeeper().keep(document))
    assert "eyJ" not in json.dumps(keep_frames(ShapeKeeper(), [document, document]))


def test_what_stays() -> None:
    document = {
        "status": "init",
        "last_error": {"code": "1301", "intervene_text": "敏感"},
        "meta_data": {"if_increase_push": True, "newBroom": None},
        "points": 1250,
        "index": 12,
        "nickname": "小明",
        "parts": [{"model": "moe_53f", "logic_id": "abcdef"}, {"logic_id": "abcdef"}, {"logic_id": "xyz"}],
        "url": "https://example.com/a",
    }
    assert ShapeKeeper().keep(document) == {
        "status": "init",
        "last_error": {"code": "1301", "intervene_text": fill("敏感")},
        "meta_data": {"if_increase_push": True, fill("newBroom"): None},
        "points": 1234,
        "index": 12,
        "nickname": fill("小明"),
        "parts": [{"model": "moe_53f", "logic_id": "000001"}, {"logic_id": "000001"}, {"logic_id": "002"}],
        "url": "https://0000000000003",
    }


def test_unknown_names_of_one_length_do_not_swallow_each_other() -> None:
    kept = ShapeKeeper().keep({"wxyz": 1, "qrst": 2})
    assert isinstance(kept, dict)
    assert list(kept.values()) == [1, 2]


def test_deep_and_huge_documents_end() -> None:
    deep: Any = "x"
    for _ in range(900):
        deep = [deep]
    assert len(json.dumps(ShapeKeeper().keep(deep))) < 100
    assert read_json(b"[" * 200_000) == (False, None)
    assert ShapeKeeper().keep_json(b"<html>" + SECRET.encode()) == {"not_json": 6 + len(SECRET)}
    assert len(ShapeKeeper().keep([1] * 100_000)) == 4096  # type: ignore[arg-type]
    assert ShapeKeeper().keep({"n": 10**4000}) != {}


def test_paths_and_content_types() -> None:
    keeper = ShapeKeeper()
    path = "/chatglm/mainchat-api/stream/continue_stream"
    assert keeper.keep_path(path) == path
    assert keeper.keep_path("/chatglm/video-api/v1/chat/6a50c4?key=abc") == (
        "/chatglm/video-api/v1/chat/000001?" + fill("key=abc")
    )
    assert keep_content_type("Text/Event-Stream; charset=utf-8") == "text/event-stream"
    assert keep_content_type(SECRET) == "other"


def _frame(text: str, flag: bool | None, status: str = "init") -> dict[str, Any]:
    meta = {} if flag is None else {"if_increase_push": flag}
    content = [{"type": "text", "text": text}]
    return {
        "status": "init",
        "meta_data": meta,
        "parts": [{"logic_id": "p", "status": status, "content": content}],
    }


def _texts(frames: list[dict[str, Any]]) -> list[str]:
    kept: Any = keep_frames(ShapeKeeper(), frames)
    return [frame["parts"][0]["content"][0]["text"] for frame in kept]


@given(st.lists(TEXTS.filter(bool), min_size=1, max_size=6))
def test_pieces_of_both_styles_become_the_same_text(pieces: list[str]) -> None:
    so_far = ["".join(pieces[: n + 1]) for n in range(len(pieces))]
    whole = _frame(so_far[-1], True, "finish")
    deltas = _texts([*(_frame(piece, True) for piece in pieces), whole])
    snapshots = _texts([_frame(text, False) for text in so_far])
    silent = _texts([_frame(text, None) for text in so_far])
    assert "".join(deltas[:-1]) == deltas[-1] == snapshots[-1]
    assert snapshots == silent
    assert all(after.startswith(before) for before, after in pairwise(snapshots))


def test_a_mark_stays_in_whatever_pieces_it_came() -> None:
    said = "见【12†source】和【3,L1-L9†网页】，turn0search2，[turn0news1]"
    kept = _texts([_frame(said, False)])[0]
    assert len(kept) == len(said)
    for mark in ("【12†source】", "【3,L1-L9†", "turn0search2", "[turn0news1]"):
        assert mark in kept
    assert "网" not in kept
    assert "".join(_texts([_frame(character, True) for character in said])) == kept


def test_a_rewritten_text_is_still_another() -> None:
    first, second = _texts([_frame("abcdef", False), _frame("abXdefgh", False)])
    assert second[:2] == first[:2]
    assert second[2] != first[2]
