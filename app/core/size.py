"""How much memory a question takes beside the body it came in. Pure."""

from __future__ import annotations

import sys

from app.core.request import Question, TextPart

# Objects, and the places that they carry for errors; measured, and rounded up.
_TURN_BYTES = 250
_PART_BYTES = 300
# A decoded schema takes so many times what its text takes: of agents 4, of nothing but brackets 25.
_SCHEMA_FACTOR = 12


def measure_question(question: Question) -> int:
    """In bytes. Text counts twice: the prompt repeats it, and so does the call upstream. What strings take
    beyond their bytes in the body counts as well; a file in the question takes what it took there.
    """
    size_bytes = 0
    for turn in question.turns:
        texts = [part.text for part in turn.parts if isinstance(part, TextPart)]
        texts += [call.arguments for call in turn.calls]
        size_bytes += 2 * sum(map(sys.getsizeof, texts))
        size_bytes += _TURN_BYTES + _PART_BYTES * (len(turn.parts) + len(turn.calls))
    return size_bytes + _SCHEMA_FACTOR * sum([tool.schema_bytes for tool in question.tools])
