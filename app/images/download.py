"""The bytes of a drawn picture, from the upstream's own hosts and nowhere else."""

from __future__ import annotations

import base64
from urllib.parse import urlsplit

from app.errors import InvalidFile, UpstreamInvalid, UpstreamUnreachable
from app.files.fetch import Fetcher

# Pictures lie on sfile.chatglm.cn even where GLM_UPSTREAM_URL names a mirror.
_UPSTREAM_HOST = "chatglm.cn"


class PictureDownload:
    """Thread-safe. The address is the upstream's, but is not believed: hosts and networks are checked."""

    def __init__(self, fetcher: Fetcher, upstream_url: str) -> None:
        self._fetcher = fetcher
        self._hosts = (urlsplit(upstream_url).hostname or _UPSTREAM_HOST, _UPSTREAM_HOST)

    def fetch(self, url: str) -> str:
        """The picture as base64. Raises UpstreamInvalid or UpstreamUnreachable."""
        host = urlsplit(url).hostname or ""
        if not any(host == known or host.endswith(f".{known}") for known in self._hosts):
            raise UpstreamInvalid("The upstream's picture lies somewhere else; ask for response_format url.")
        try:
            file = self._fetcher.fetch(url)
        except InvalidFile as exc:
            raise UpstreamUnreachable(
                f"The picture was drawn but cannot be fetched: {exc.message} Ask for response_format url."
            ) from exc
        try:
            if not file.is_picture:
                raise UpstreamInvalid("What lies at the drawn picture's address is no picture.")
            return base64.b64encode(file.open().read()).decode("ascii")
        finally:
            file.close()
