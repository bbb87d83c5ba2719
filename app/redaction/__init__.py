"""Known secrets, found by value in whatever is about to be written, in every spelling they come back in."""

from app.redaction.redactor import MAX_LEARNT_CHARS, Hold, Redactor

__all__ = ["MAX_LEARNT_CHARS", "Hold", "Redactor"]
