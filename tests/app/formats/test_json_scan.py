"""A look over large bodies before they are decoded: bounds, places of cuts, and turns for others."""

from __future__ import annotations

import json
import time
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.chat.prompt import build_prompt
from app.core.errors import InvalidRequest, PromptTooLong
from app.core.request import TextPart, Turn
from app.formats import json_scan, written_file
from app.formats.json_scan import MAX_VALUES, MAX_WIDE_FILE_BYTES, JsonScan

MEBIBYTE = 1024 * 1024
ANY = 10**12


def scan(body: bytes, max_text_chars: int = ANY) -> JsonScan:
    scan = JsonScan(body, max_text_chars)
    for _ in scan.steps():
        pass
    return scan


def look(body: bytes) -> JsonScan:
    """String by string, whatever a glance would say."""
    scan = JsonScan(body, ANY)
    for _ in scan._look():
        pass
    return scan


def glance(body: bytes) -> bool:
    """Whether a glance is enough."""
    steps = JsonScan(body, ANY)._glance()
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return bool(end.value)


def count(value: Any) -> tuple[int, int]:
    """Strings, containers and the commas between their members; and the characters of all strings."""
    if isinstance(value, str):
        return 1, len(value)
    if not isinstance(value, list | dict):
        return 0, 0
    members = value if isinstance(value, list) else [item for pair in value.items() for item in pair]
    counted = [count(member) for member in members]
    commas = max(0, len(value) - 1)
    return 1 + commas + sum(values for values, _ in counted), sum(chars for _, chars in counted)


WRITTEN = "data:image/png;base64,"

texts = st.text(alphabet=st.characters(codec="utf-8"), max_size=12)
texts |= st.text(alphabet='\\"/,:{[u你😀', max_size=6)
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)

quote_bounds = st.sampled_from([1, 2, 256])


@given(documents, st.booleans(), st.sampled_from([7, 8, 13, 1000]), st.sampled_from([None, 1]), quote_bounds)
def test_it_counts_what_stands_there_wherever_it_is_cut(
    value: Any, is_ascii: bool, slice_bytes: int, indent: int | None, max_quotes: int
) -> None:
    body = json.dumps(value, ensure_ascii=is_ascii, indent=indent).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_scan, "_SLICE_BYTES", slice_bytes)
        patch.setattr(json_scan, "_MAX_QUOTES", max_quotes)
        found = look(body)
    values, chars = count(value)
    assert found._values == values
    has_file = any(b'"%b"' % key in body for key in json_scan._FILE_KEYS)
    if slice_bytes == 1000 and b"\\" not in body and not has_file and chars:
        scan(body, chars)
        with pytest.raises(PromptTooLong):
            scan(body, chars - 1)


said = st.lists(
    st.sampled_from([WRITTEN + "QUFB" * 20, "QUFB" * 9, "你", '"', "\\", ",", "x" * 20]), max_size=8
)


@given(
    st.lists(
        st.dictionaries(st.sampled_from(["content", "url", "x"]), said.map("".join), max_size=3), max_size=5
    ),
    st.booleans(),
    st.sampled_from([16, 50, 64, 1000]),
)
def test_what_a_glance_lets_pass_would_pass_any_look(value: Any, is_ascii: bool, slice_bytes: int) -> None:
    body = json.dumps(value, ensure_ascii=is_ascii).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_scan, "_SLICE_BYTES", slice_bytes)
        patch.setattr(json_scan, "_COPIED_BYTES", 16)
        patch.setattr(json_scan, "MAX_WIDE_FILE_BYTES", 2 * slice_bytes)
        patch.setattr(json_scan, "MAX_VALUES", 20)
        patch.setattr(written_file, "MIN_CUT_BYTES", 70)
        if glance(body):
            found = look(body)
            assert found.trim() is body
            assert found._values <= 20


def test_a_glance_is_enough_for_a_history() -> None:
    """Also where it is full of quotes, as what tools found is."""
    text = 'def f(x: str) -> int:\n    return {"a": [1, 2], "b": "\\\\"}["a"][0]  # 你好; "c"\n'
    messages = [{"role": role, "content": text * 40} for role in ("user", "assistant", "tool")] * 150
    for is_ascii in (True, False):
        body = json.dumps({"messages": messages}, ensure_ascii=is_ascii).encode()
        assert len(body) > MEBIBYTE
        assert glance(body)


@pytest.mark.parametrize("noted", [b"{},", b'"",', b'"a,b,c,",', b'"\\",\\",",'])
def test_many_signs_want_a_look(noted: bytes) -> None:
    assert not glance(b"[" + noted * (MAX_VALUES // 2) + b"1]")


def test_a_large_string_wants_a_look() -> None:
    assert not glance(json.dumps({"url": "A" * MEBIBYTE}).encode())
    assert not glance(json.dumps({"url": ("A" * 99 + '"') * 10_500}).encode())


@pytest.mark.parametrize("inside", range(-1, 10))
def test_a_file_wants_a_look_wherever_its_mark_stands(inside: int) -> None:
    text = WRITTEN + "QUFB" * 2000
    before = json.dumps({"x": "", "text": text}).index(";base64,")
    filling = "x" * (json_scan._SLICE_BYTES - before - inside)
    assert not glance(json.dumps({"x": filling, "text": text}).encode())


@given(st.binary(max_size=300), st.sampled_from([7, 8, 13, 1000]))
def test_no_noise_confuses_it(noise: bytes, slice_bytes: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_scan, "_SLICE_BYTES", slice_bytes)
        scan(noise)


@pytest.mark.parametrize(
    "unit", [b"{},", b"[],", b'"",', b'"":1,', b'{"role":"user"},', b"[", b'""', b'{"a":', b'"\\""']
)
def test_too_many_values(unit: bytes) -> None:
    with pytest.raises(InvalidRequest, match="names and values"):
        scan(b"[" + unit * (MAX_VALUES + 1))


def test_as_many_values_as_may_be() -> None:
    body = b"[" + b"{}," * ((MAX_VALUES - 2) // 2) + b"1]"
    assert MAX_VALUES - 2 <= scan(body)._values <= MAX_VALUES


TEXT = 10_000


@pytest.mark.parametrize("text", ["x" * TEXT, "你" * TEXT, "é" * TEXT], ids=["ascii", "Chinese", "accents"])
@pytest.mark.parametrize("is_ascii", [True, False], ids=["escaped", "plain"])
def test_text_is_counted_in_characters_however_it_is_spelled(text: str, is_ascii: bool) -> None:
    body = json.dumps({"messages": [{"content": text}]}, ensure_ascii=is_ascii).encode()
    scan(body, TEXT + 100)
    with pytest.raises(PromptTooLong) as raised:
        scan(body, TEXT - 1)
    assert raised.value.param == "messages"


def test_many_short_texts_are_text_too() -> None:
    with pytest.raises(PromptTooLong):
        scan(json.dumps([{"content": "你好"}] * 1000).encode(), 1999)


@pytest.mark.parametrize("key", ["url", "file_data", "image_url", "data"])
@pytest.mark.parametrize("colon", [":", " : ", ":\n"])
def test_files_are_no_text(key: str, colon: str) -> None:
    payload = "QUFB" * MEBIBYTE
    for escaped in (payload, payload[:-4] + "\\/\\u002b=" * 99):
        assert scan(f'{{"a":"b","{key}"{colon}"{escaped}"}}'.encode(), 100)._text_chars < 100


@pytest.mark.parametrize(
    "document", ['["url", "{}"]', '{{"url": 1, "a": "{}"}}', '{{"text": "{}"}}', '{{"a url": "{}"}}']
)
def test_what_is_called_otherwise_is_text(document: str) -> None:
    with pytest.raises(PromptTooLong):
        scan(document.format("x" * 1000).encode(), 999)


@pytest.mark.parametrize("wide", ["😀", "é", "\\ud83d\\ude00", "\\u4f60", "\\u0080"])
@pytest.mark.parametrize("is_first", [True, False])
def test_one_wide_character_does_not_make_a_large_file_four_times_as_large(wide: str, is_first: bool) -> None:
    plain = "A" * MAX_WIDE_FILE_BYTES
    payload = wide + plain if is_first else plain + wide
    with pytest.raises(InvalidRequest, match="ASCII"):
        scan(f'{{"url":"data:,{payload}"}}'.encode())


def test_a_small_file_may_be_spelled_as_it_likes() -> None:
    scan(f'{{"url":"data:,{"你好" * 1000}"}}'.encode())


def retell(body: bytes) -> str:
    """What a prompt has of a text."""
    return build_prompt(
        [Turn("assistant", (TextPart(json.loads(body)["content"]),)), Turn("user", (TextPart("?"),))],
        continues=False,
        max_chars=ANY,
    )


@given(
    st.lists(
        st.sampled_from(["你好 ", "![a](", ")", '"', "\\", "\n", ";base64,", WRITTEN, "data:;base64,"])
        | st.integers(0, 300).map(lambda count: "QUFB" * count)
        | st.integers(1, 90).map(lambda count: "\n".join(["Q/F+" * 19] * count) + "\nQQ=="),
        max_size=12,
    ),
    st.booleans(),
    st.sampled_from([100, 150, 1000, 256 * 1024]),
)
@example(pieces=[WRITTEN, "QUFB" * 100, WRITTEN, "QUFB" * 300], escapes=False, slice_bytes=100)
def test_what_is_cut_is_what_the_prompt_leaves_out(
    pieces: list[str], escapes: bool, slice_bytes: int
) -> None:
    body = json.dumps({"content": "".join(pieces)}, ensure_ascii=False).encode()
    body = body.replace(b"/", b"\\/") if escapes else body
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_scan, "_SLICE_BYTES", slice_bytes)
        patch.setattr(written_file, "_SLICE_BYTES", slice_bytes)
        patch.setattr(written_file, "MIN_CUT_BYTES", 300)
        found = scan(body)
    assert retell(found.trim()) == retell(body)
    if "".join(pieces).count(WRITTEN + "QUFB" * 200) and slice_bytes > 1000:
        assert len(found.trim()) < len(body) - 500


@pytest.mark.parametrize("key", ["content", "text", "arguments", "input", "output"])
@pytest.mark.parametrize("is_wide", [True, False])
def test_files_written_out_in_texts_count_for_nothing(key: str, is_wide: bool) -> None:
    said = f"{'好的 😀' if is_wide else 'ok'} ![a]({WRITTEN}{'QUFB' * 5 * MEBIBYTE}) and on"
    body = json.dumps({"a": 1, key: said, "b": 2}, ensure_ascii=False).encode()
    found = scan(body, 500)
    document = json.loads(found.trim())
    assert document == {"a": 1, key: said.replace("QUFB" * 5 * MEBIBYTE, "QUFB" * 32), "b": 2}


@pytest.mark.parametrize("document", ['{{"name": "{}"}}', '{{"default": "{}"}}', '["{}"]'])
def test_nothing_is_cut_elsewhere(document: str) -> None:
    body = document.format(WRITTEN + "QUFB" * 2000).encode()
    assert scan(body).trim() is body


HOSTILE: dict[str, bytes] = {
    "base64": b'"data":"' + b"QUFB" * 4 * MEBIBYTE,
    "escapes": b'"data":"' + b"\\/" * 8 * MEBIBYTE,
    "quotes in a text": b'"' + b'\\"' * 8 * MEBIBYTE,
    "backslashes": b'"' + b"\\" * 16 * MEBIBYTE,
    "blanks": b"[" + b" " * 16 * MEBIBYTE,
    "digits": b"[" + b"9" * 16 * MEBIBYTE,
    "files in a text": b'"text":"' + b"data:;base64," + b"QUFB" * 4 * MEBIBYTE,
    "files in lines": b'"text":"' + b"data:;base64," + (b"QUFB" * 19 + b"\\n") * 200_000,
    "many files in a text": b'"text":"' + (b"data:;base64," + b"QUFB" * 1024 + b" ") * 4000,
    "short files in a text": b'"text":"' + (b"data:;base64," + b"QUFB" * 16 + b" ") * 100_000,
    "no files in a text": b'"text":"' + b";base64," * 2 * MEBIBYTE,
    "beginnings of files": b'"text":"' + b"data:" * 3 * MEBIBYTE,
    "Chinese": b'"' + "你".encode() * 5 * MEBIBYTE,
    "escaped Chinese": b'"' + b"\\u4f60" * 3 * MEBIBYTE,
    "short texts": b"[" + b'"abcdefgh",' * 200_000,
    "empty texts": b"[" + b'"",' * 240_000,
    "objects": b"[" + b"{}," * 240_000,
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("counts_text", [True, False], ids=["text counted", "at a glance"])
def test_there_is_a_turn_for_others_after_little_work(body: bytes, counts_text: bool) -> None:
    """In CPU time: the longest step takes 8 to 13 ms where nothing else runs."""
    moments = [time.thread_time()]
    moments += [time.thread_time() for _ in JsonScan(body, len(body) - counts_text).steps()]
    moments.append(time.thread_time())
    steps = [later - earlier for earlier, later in pairwise(moments)]
    assert len(steps) >= len(body) // (256 * 1024) - 1
    assert max(steps) < 0.1
    assert sum(steps) < 3
    print(f"{len(steps)} steps, longest {max(steps) * 1000:.1f} ms, in all {sum(steps):.2f} s")
