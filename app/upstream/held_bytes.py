"""What one answer makes the gateway hold beside the text it says: parts, pages, pictures, calls, outputs."""

from __future__ import annotations

from app.budget import Share
from app.core.errors import UpstreamInvalid

# Of a usual answer it is some thousand bytes, of one with a hundred searches some hundred thousand. What is
# beyond the free part counts in the room of all answers.
_MAX_HELD_BYTES = 16 * 1024 * 1024
_FREE_BYTES = 256 * 1024


class HeldBytes:
    """One for each answer; grows until its end. The sizes are estimates, none of them too small."""

    __slots__ = ("_size_bytes", "share")

    def __init__(self) -> None:
        self._size_bytes = 0
        self.share: Share | None = None
        """In the room of all answers; whoever sets it closes it, and leaves it then."""

    def add(self, size_bytes: int) -> None:
        """Raises UpstreamInvalid where no answer holds as much, OutOfRoom where there is no room for it."""
        self._size_bytes += size_bytes
        if self._size_bytes > _MAX_HELD_BYTES:
            raise UpstreamInvalid("The upstream sent an answer of too many parts.")
        if self.share is not None and self._size_bytes > _FREE_BYTES:
            self.share.take(size_bytes)

    def leave(self, share: Share | None) -> None:
        """`share` is closed. Nothing changes where another one has taken its place."""
        if self.share is share:
            self.share = None
