"""Joins what the upstream sends after a cut to what it said before (protocol notes 0.2 row 5). Pure.

Nobody knows yet whether a continuation repeats the answer from its start, the cut part alone, or sends only
what is missing, and whether its parts keep their ids. So each text is held until one reading is left:

    said            comes                                      it is
    "Good day"      ", Sir" under any id                       the rest: it repeats nothing
    "Good day"      "Good day, Sir" under the same id, whole   the same part from its start
    "Good day"      "Good day, Sir" under a new id             either one: the answer stays cut
    32 chars        the same 32 and more, under any id         the same part from its start

What a broken connection lost is nobody's rest: then only what comes from its start is taken, or what the last
frame of the cut part proves. Frames go in as they come; they come out with deltas of the parts that the cut
answer's reducer knows.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from app.identifier import fold_id
from app.upstream.frames import TEXT_FIELDS, ContentItem, Frame, FrameMeta, Part
from app.upstream.held_bytes import HeldBytes
from app.upstream.joint import CERTAIN_CHARS, Joint, KnownText, Unjoinable
from app.upstream.part_stream import Key, choose_feed

_ENDINGS = ("finish", "intervene")


class Continuation:
    """One for each cut. Holds what was said, and what came since."""

    __slots__ = (
        "_conversation_id",
        "_has_gone_on",
        "_held",
        "_is_lossy",
        "_joints",
        "_known",
        "_known_by_key",
        "_next",
        "_repeats_nothing",
        "_stranger",
    )

    def __init__(
        self,
        conversation_id: str | None,
        known: Sequence[KnownText],
        *,
        is_lossy: bool,
        held: HeldBytes,
    ) -> None:
        """`known` in the order in which the parts began to speak; `is_lossy` where the upstream may have sent
        more than came. What comes counts as held until it is sure what it is.
        """
        self._held = held
        self._is_lossy = is_lossy
        self._conversation_id = conversation_id
        self._known = list(known)
        self._known_by_key = {one.key: one for one in known}
        self._joints: dict[Key, Joint] = {}
        self._stranger: Joint | None = None  # the last text under a new id
        self._next: int | None = None  # which known text the next part of a new id repeats, once that is sure
        self._repeats_nothing = not known
        self._has_gone_on = not known  # what was cut has its rest, or has none

    def join(self, frame: Frame) -> Frame:
        """The same frame in the words of the cut answer. Raises Unjoinable."""
        named = frame.conversation_id
        if named and (fold_id(named) or named) != self._conversation_id:
            raise Unjoinable
        increases = frame.meta_data.if_increase_push if frame.meta_data else None
        for part in frame.parts or ():
            self._join_part(part, increases, is_full=frame.status in _ENDINGS or part.status in _ENDINGS)
        if frame.status in _ENDINGS and any(joint.is_open for joint in self._joints.values()):
            raise Unjoinable
        frame.meta_data = FrameMeta(if_increase_push=True)
        return frame

    def _join_part(self, part: Part, increases: bool | None, *, is_full: bool) -> None:
        logic_id = part.logic_id
        for index, item in enumerate(part.content or ()):
            field = TEXT_FIELDS.get(item.type)
            piece = getattr(item, field) if field else None
            if field is None or not piece:
                self._note_silent(item, is_full=is_full)
                continue
            joint = self._find((logic_id or "", index, item.type))
            if is_full and (same := self._find_same(joint.key)) is not None:
                _complete_same(joint, same, piece)
                self._is_lossy = False
                continue
            joint.feed(choose_feed(item, increases, is_full=is_full), piece)
            if joint.is_open:
                self._held.add(sys.getsizeof(piece))
                self._decide(joint, is_full=is_full, is_snapshot=increases is False)
            said = "" if joint.is_open else joint.complete(piece) if is_full else joint.take()
            setattr(item, field, said)
            if joint.target is not None:
                part.logic_id = joint.target.key[0]

    def _note_silent(self, item: ContentItem, *, is_full: bool) -> None:
        """A call, or the end of a text that lacked nothing: what speaks next is a part of its own."""
        if is_full or item.type not in TEXT_FIELDS:
            self._leave_cut_part()

    def _leave_cut_part(self) -> None:
        """What comes is behind the part that was cut. Raises Unjoinable where that lacks something."""
        if not self._has_gone_on and self._known[-1].is_partial:
            raise Unjoinable
        self._has_gone_on = True

    def _find(self, key: Key) -> Joint:
        if not key[0]:
            raise Unjoinable
        joint = self._joints.get(key)
        if joint is None:
            joint = self._joints[key] = Joint(key, self._choose_candidates(key))
            if key not in self._known_by_key:
                self._stranger = joint
        return joint

    def _find_same(self, key: Key) -> KnownText | None:
        return self._known_by_key.get(key)

    def _choose_candidates(self, key: Key) -> list[KnownText]:
        """What a new text may repeat: itself, where its id is known; else the first one, or the cut one."""
        same = self._find_same(key)
        if same is not None:
            self._repeats_nothing = self._has_gone_on = True  # ids are kept: a new one is a new part
            return [same]
        if self._stranger is not None and self._stranger.is_open:
            raise Unjoinable  # two texts under new ids, of which the first is not understood yet
        if self._repeats_nothing:
            return []
        if self._next is not None:
            expected = self._known[self._next : self._next + 1]
            self._next += 1
            if expected and expected[0].key[1:] != key[1:]:
                raise Unjoinable
            return expected
        places = dict.fromkeys((0, len(self._known) - 1))
        return [self._known[place] for place in places if self._known[place].key[1:] == key[1:]]

    def _decide(self, joint: Joint, *, is_full: bool, is_snapshot: bool) -> None:
        """Say what `joint` is where that is sure; else it stays open. Raises Unjoinable at its end."""
        repeated = joint.repeated
        is_expected = self._next is not None
        is_whole = (is_expected and is_full) or (is_snapshot and self._find_same(joint.key) is not None)
        if not joint.candidates and is_whole and not is_full:
            raise Unjoinable
        if not joint.candidates:
            self._decide_rest(joint)
        elif len(repeated) == 1 and (is_whole or repeated[0].is_certain):
            if not is_expected and joint.key != repeated[0].key:
                self._next = self._known.index(repeated[0]) + 1
            joint.restart(repeated[0])
            self._is_lossy = False
        elif is_full:
            raise Unjoinable

    def _decide_rest(self, joint: Joint) -> None:
        """`joint` repeats nothing: it goes on where the answer was cut, or is a text of its own."""
        if joint.matched_chars >= CERTAIN_CHARS:
            raise Unjoinable
        if self._is_lossy:
            if not self._known or self._known[-1].key != joint.key:
                raise Unjoinable
            return  # its last frame will tell
        same, last = self._find_same(joint.key), self._known[-1] if self._known else None
        is_first = self._next is None and not self._has_gone_on
        self._repeats_nothing = self._repeats_nothing or self._next is None
        if same is not None:
            if same.is_finished:
                raise Unjoinable
            joint.go_on(same)
        elif is_first and last is not None and not last.is_finished and last.key[1:] == joint.key[1:]:
            joint.go_on(last)
            self._has_gone_on = True
        else:
            self._leave_cut_part()
            joint.begin()


def _complete_same(joint: Joint, same: KnownText, full: str) -> None:
    """The last frame of a part whose id is known shows all of it (protocol notes 4.5)."""
    if not full.startswith(joint.rest_of or same.text):
        raise Unjoinable
    if joint.is_open:
        joint.restart(same)
