"""The work of a detector is linear in the answer, whatever is in it, and what it holds is bounded."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable

import pytest

from app.tools.reader import MAX_CALL_CHARS
from tests.app.tools.detecting import CLOSER, Answer, detect, make_detector, opener

READ = opener("read_file")
FILLINGS = {
    "angle": "<",
    "braces": "{\n",
    "ticks": "` ",
    "fences": "```\n",
    "labelled fences": "```json\n",
    "half openers": "<call-k3x9",
    "undeclared": opener("rm"),
    "native": "<tool_call>",
    "native names": "<tool_call>read_file ",
    "native pairs": "<tool_call>read_file<arg_key>path</arg_key><arg_value>",
    "native closers": "<tool_call>read_file<arg_key></tool_call>",
    "native calls and text": "<tool_call>now</tool_call> x ",
    "objects": '{"function_call":',
    "named objects": '\n{"function_call":{"name":"read_file"',
    "object blanks": '{        "function_call"       ',
}
BODIES = {
    "quotes": '{"path":"' + '" ',
    "escapes": '{"path":"' + "\\\\",
    "lists": '{"path":' + "[],",
    "blanks": " ",
    "raw": "words ",
    "half closers": "</call-k3x",
}


def measure(run: Callable[[], object]) -> float:
    """Seconds of this thread, the least of three times."""

    def once() -> float:
        begun = time.thread_time()
        run()
        return time.thread_time() - begun

    return min(once() for _ in range(3))


def assert_linear(said: str, step: int) -> None:
    half = said[: len(said) // 2]
    pieces, halves = ([text[i : i + step] for i in range(0, len(text), step)] for text in (said, half))
    # Quadratic work would take four times as long; the pause is what little work may vary by.
    assert measure(lambda: detect(pieces)) < 3 * measure(lambda: detect(halves)) + 0.03


@pytest.mark.parametrize("step", [1, 4_000, 10**9])
@pytest.mark.parametrize("filling", FILLINGS)
def test_text_takes_linear_time(filling: str, step: int) -> None:
    size = 10_000 if step == 1 else 100_000
    text = FILLINGS[filling]
    assert_linear((text * (size // len(text) + 1))[:size], step)


@pytest.mark.parametrize("step", [1, 4_000, 10**9])
@pytest.mark.parametrize("body", BODIES)
def test_a_body_takes_linear_time(body: str, step: int) -> None:
    size = 10_000 if step == 1 else 100_000
    head, text = BODIES[body][:9] if BODIES[body].startswith("{") else "", BODIES[body][-4:]
    assert_linear((READ + head + text * (size // len(text)))[:size], step)


@pytest.mark.parametrize("step", [30, 4_000, 10**9])
@pytest.mark.parametrize("mark", ["<", "`", "{", "<call-k3x9"])
def test_a_megabyte_of_what_begins_a_call_takes_linear_time(mark: str, step: int) -> None:
    assert_linear((mark * 1_000_000)[:1_000_000], step)


@pytest.mark.parametrize("step", [17, 4_000, 10**9])
def test_a_call_of_half_a_megabyte_is_read(step: int) -> None:
    content = 'line \\n\\"quoted\\" 你好 <tag> {' * 20_000
    said = f'{READ}{{"path":"{content}"}}{CLOSER}'
    assert len(said) > 500_000
    pieces = [said[i : i + step] for i in range(0, len(said), step)]
    assert detect(pieces).calls == (("read_file", f'{{"path":"{content}"}}'),)


def test_a_long_call_takes_little_more_than_itself() -> None:
    said = f'{READ}{{"path":"{"x" * 500_000}"}}{CLOSER}'
    pieces = [said[i : i + 200] for i in range(0, len(said), 200)]
    detector = make_detector()
    tracemalloc.start()
    try:
        detect(pieces, detector)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 * len(said)


@pytest.mark.parametrize("step", [3_000, 10**9])
@pytest.mark.parametrize("body", ['{"path":"' + "x" * MAX_CALL_CHARS, "raw " * (MAX_CALL_CHARS // 4)])
def test_a_call_without_an_end_is_given_up(body: str, step: int) -> None:
    said = READ + body
    detector = make_detector()
    for i in range(0, len(said), step):
        detector.feed(said[i : i + step])
    malformed = detector.feed(" and on" * 3_000)
    assert detector.is_over
    assert malformed == [] or malformed[0].reason == "too_long"  # type: ignore[union-attr]


def test_a_foreign_form_without_an_end_becomes_text() -> None:
    said = '{"function_call": {"name": "x' + "y" * (MAX_CALL_CHARS + 10)
    detector = make_detector()
    assert detect([said, "."], detector) == Answer(f"{said}.")


def test_an_answer_full_of_look_alikes_is_text() -> None:
    said = "<tool_call>now</tool_call> x " * 64
    assert detect([f"{said[30:]}<tool_call>now</tool_call>"]).calls == (("now", "{}"),)
    for end in ("<tool_call>now</tool_call>", f"{opener('rm')} <tool_call>now</tool_call>"):
        assert detect([said + end]) == Answer(said + end)


@pytest.mark.parametrize("head", [READ, "<tool_call>now</tool_call>", f"{opener('now')}{{}}{CLOSER}"])
def test_a_flood_of_blanks_is_not_held(head: str) -> None:
    detector = make_detector()
    blanks = "\n" * 50_000
    tracemalloc.start()
    try:
        detector.feed(head)
        told = [bool(detector.feed(blanks)) for _ in range(400)]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10_000_000
    # Given back as text, and live from then on; or over, with a call before it or without.
    assert told[-1] is head.startswith("<tool")
    assert detector.is_over is not head.startswith("<tool")
