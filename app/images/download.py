"""The bytes of a drawn picture, from the upstream's own hosts and nowhere else."""

from __future__ import annotations

import base64
from collections.abc import Callable

from app.catalogue.code import CODES
from app.catalogue.upstream import PICTURE_NOT_FETCHED
from app.core.errors import InvalidFile, UpstreamInvalid, UpstreamUnreachable
from app.files.fetch import Fetcher

_COPIES = 3
"""Base64, and the answer around it: each is a third larger than the picture."""


class PictureDownload:
    """Thread-safe. The address is the upstream's, but is not believed: the fetcher checks it."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher

    def fetch(self, url: str, hold: Callable[[int], None]) -> str:
        """The picture as base64. `hold` is told how much memory that takes, until it has been sent.

        Raises UpstreamInvalid, UpstreamUnreachable, and what `hold` raises.
        """
        try:
            file = self._fetcher.fetch(url)
        except InvalidFile as exc:
            raise UpstreamUnreachable(PICTURE_NOT_FETCHED.fill(reason=CODES[exc.code].name)) from exc
        try:
            if not file.is_picture:
                raise UpstreamInvalid("What lies at the drawn picture's address is no picture.")
            hold(_COPIES * file.size_bytes)
            return base64.b64encode(file.open().read()).decode("ascii")
        finally:
            file.close()
