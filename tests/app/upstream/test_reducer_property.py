"""The answer is made up first, then played in every style: it must come out the same, however it is cut."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from random import Random

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.app.upstream import player
from tests.app.upstream.pipeline import Answer, answer, play
from tests.app.upstream.player import Block, Ending, Style
from tests.fixture_table import cut_randomly

# A delta without a flag that repeats everything said so far is read as a snapshot from this length on.
CERTAIN_CHARS = 16

repeating = st.text(alphabet="哈a \n", min_size=1, max_size=4)
anything = st.text(min_size=1, max_size=8)
few_pieces = st.lists(st.one_of(repeating, anything), min_size=1, max_size=12).map(tuple)
many_short_pieces = st.text(alphabet="哈ab", min_size=15, max_size=24).map(tuple)
pieces = st.one_of(few_pieces, few_pieces, many_short_pieces)
blocks = st.lists(st.builds(Block, st.sampled_from(["text", "think"]), pieces), min_size=1, max_size=4)
endings = st.sampled_from([Ending(), Ending(last_frame_has_parts=False)])
loose_endings = st.builds(Ending, st.booleans(), st.booleans())
line_ends = st.sampled_from(["\n", "\r\n", "\r"])


def expected(said: list[Block]) -> Answer:
    return Answer(player.CONVERSATION_ID, player.said(said, "text"), player.said(said, "think"), "stop", None)


def heard(said: list[Block], styles: Iterator[Style], ending: Ending) -> Answer:
    return answer([player.write_events(player.play_frames(said, styles, ending))])


def is_decidable(block: Block) -> bool:
    """False where an unflagged delta repeats a long text as a whole: nothing can tell it from a snapshot."""
    so_far = ""
    for piece in block.pieces:
        if len(so_far) >= CERTAIN_CHARS and piece.startswith(so_far):
            return False
        so_far += piece
    return True


@given(blocks, loose_endings)
def test_snapshots_of_2024(said: list[Block], ending: Ending) -> None:
    assert heard(said, cycle([player.SNAPSHOT_2024]), ending) == expected(said)


@given(blocks, loose_endings)
def test_flagged_snapshots(said: list[Block], ending: Ending) -> None:
    assert heard(said, cycle([player.SNAPSHOT]), ending) == expected(said)


@given(blocks, endings)
def test_unflagged_snapshots(said: list[Block], ending: Ending) -> None:
    assert heard(said, cycle([player.UNFLAGGED_SNAPSHOT]), ending) == expected(said)


@given(blocks, loose_endings)
def test_flagged_deltas(said: list[Block], ending: Ending) -> None:
    assert heard(said, cycle([player.FLAGGED_DELTA]), ending) == expected(said)


@given(blocks, endings)
def test_unflagged_deltas_with_final_texts(said: list[Block], ending: Ending) -> None:
    assume(all(is_decidable(block) for block in said))
    assert heard(said, cycle([player.UNFLAGGED_DELTA]), ending) == expected(said)


@given(blocks, st.lists(st.sampled_from([player.SNAPSHOT, player.FLAGGED_DELTA]), min_size=1), loose_endings)
def test_mixed_frames(said: list[Block], styles: list[Style], ending: Ending) -> None:
    assert heard(said, cycle(styles), ending) == expected(said)


ONE_STYLE_A_PART = [
    player.SNAPSHOT_2024,
    player.SNAPSHOT,
    player.UNFLAGGED_SNAPSHOT,
    player.FLAGGED_DELTA,
    player.UNFLAGGED_DELTA,
]


@given(blocks, st.data(), endings)
def test_each_part_in_a_style_of_its_own(said: list[Block], data: st.DataObject, ending: Ending) -> None:
    assume(all(is_decidable(block) for block in said))
    by_part = [data.draw(st.sampled_from(ONE_STYLE_A_PART)) for _ in said]
    styles = [style for block, style in zip(said, by_part, strict=True) for _ in block.pieces]
    assert heard(said, iter(styles), ending) == expected(said)


code_pieces = st.text(alphabet="a 】【]\n", min_size=1, max_size=4)
rendered = st.builds(
    Block,
    st.sampled_from(["text", "think", "code", "execution_output"]),
    st.lists(code_pieces, min_size=1, max_size=4).map(tuple),
)


@given(st.lists(rendered, min_size=1, max_size=5), loose_endings)
def test_the_style_changes_no_kind_of_part(said: list[Block], ending: Ending) -> None:
    assert heard(said, cycle([player.FLAGGED_DELTA]), ending) == heard(said, cycle([player.SNAPSHOT]), ending)


@given(st.lists(rendered, min_size=1, max_size=5), loose_endings)
def test_parts_that_are_shown_again_change_nothing(said: list[Block], ending: Ending) -> None:
    frames = player.play_frames(said, cycle([player.SNAPSHOT]), ending)
    once = play([player.write_events(frames)])
    assert play([player.write_events(player.list_earlier_parts(frames))]) == once


@settings(max_examples=40)
@given(
    blocks,
    st.lists(st.sampled_from([player.SNAPSHOT, player.FLAGGED_DELTA, player.UNFLAGGED_DELTA]), min_size=1),
    line_ends,
    st.booleans(),
    st.integers(),
)
def test_cutting_changes_nothing(
    said: list[Block], styles: list[Style], line_end: str, is_ascii: bool, seed: int
) -> None:
    frames = player.play_frames(said, cycle(styles), Ending())
    data = player.write_events(frames, line_end, is_ascii=is_ascii)
    whole = play([data])
    assert play(cut_randomly(data, Random(seed))) == whole
    assert play([data[index : index + 1] for index in range(len(data))]) == whole


@given(st.binary(max_size=200), st.integers())
def test_noise_is_an_error_and_never_a_crash(noise: bytes, seed: int) -> None:
    whole = play([noise])
    assert whole.error is not None
    assert play(cut_randomly(noise, Random(seed))) == whole


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FRAME_FIELDS = [
    "id",
    "conversation_id",
    "parts",
    "status",
    "last_error",
    "meta_data",
    "error",
    "code",
    "message",
]
PART_FIELDS = ["logic_id", "content", "status", "error", "meta_data", "role"]
ITEM_FIELDS = ["type", "text", "think", "image", "tool_calls", "code", "status"]


@given(st.sampled_from(FRAME_FIELDS), json_values)
def test_any_value_in_a_frame_field_is_read_or_refused(field: str, value: object) -> None:
    frames = player.play_frames([Block("text", ("你", "好"))], cycle([player.SNAPSHOT]), Ending())
    frames[1][field] = value
    play([player.write_events(frames)])


@given(st.sampled_from(PART_FIELDS), json_values)
def test_any_value_in_a_part_field_is_read_or_refused(field: str, value: object) -> None:
    frames = player.play_frames([Block("text", ("你", "好"))], cycle([player.SNAPSHOT]), Ending())
    frames[1]["parts"][0][field] = value
    play([player.write_events(frames)])


@given(st.sampled_from(ITEM_FIELDS), json_values)
def test_any_value_in_a_content_field_is_read_or_refused(field: str, value: object) -> None:
    frames = player.play_frames([Block("text", ("你", "好"))], cycle([player.SNAPSHOT]), Ending())
    frames[1]["parts"][0]["content"][0][field] = value
    assert play([player.write_events(frames)]).error is None
