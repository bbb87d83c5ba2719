"""The refresh tokens that the operator configured, re-read when their file changes."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

from app.config import InvalidSetting
from app.logs import redactor
from app.pasted_token import Mistake, parse_lines, say_lines
from app.shard import Shard

log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0


class ConfiguredTokens:
    """Tokens given directly, then those of the file, one a line; `#` begins a comment."""

    def __init__(
        self,
        tokens: tuple[str, ...],
        path: str | None,
        clock: Callable[[], float] = time.monotonic,
        *,
        shard: Shard | None = None,
    ) -> None:
        """Only the tokens of `shard` are kept.

        Raises OSError where the file cannot be read, InvalidSetting where a line of it is no token.
        """
        self._shard = shard
        self._given = tokens
        self._path = Path(path) if path else None
        self._clock = clock
        self._looked_at = clock()
        self._seen: tuple[int, int] | None = None
        self._tokens = self._select(tokens)
        for token in tokens:
            redactor.keep(token)
        if self._path is not None:
            self._read(self._path)
        if shard is not None and not self._tokens:
            log.warning("GLM_POOL_SHARD %s owns none of the configured accounts", shard)

    def __repr__(self) -> str:
        return f"<ConfiguredTokens tokens={len(self._tokens)}>"

    def __contains__(self, refresh_token: object) -> bool:
        return refresh_token in self._tokens

    def tokens(self) -> tuple[str, ...]:
        """The tokens of now. A file that cannot be read any more leaves those of before."""
        now = self._clock()
        if self._path is not None and now - self._looked_at >= _LOOK_SECONDS:
            self._looked_at = now
            try:
                self._read(self._path)
            except OSError as exc:
                log.warning("GLM_REFRESH_TOKENS_FILE cannot be read (%s), keeping its tokens", exc.strerror)
        return self._tokens

    def _read(self, path: Path) -> None:
        status = path.stat()
        seen = (status.st_mtime_ns, status.st_size)
        if seen == self._seen:
            return
        found, wrong = parse_lines(path.read_text("utf-8-sig", "replace"))
        if wrong:
            self._refuse(wrong)
        every = tuple(dict.fromkeys((*self._given, *found)))
        for token in every:
            redactor.keep(token)
        self._tokens = self._select(every)
        if self._seen is not None:
            log.info("GLM_REFRESH_TOKENS_FILE was read again: %d accounts", len(self._tokens))
        self._seen = seen

    def _refuse(self, wrong: dict[Mistake, list[int]]) -> None:
        """At the start for good; later the others go on. Named by their numbers: a line may hold a secret."""
        for mistake, numbers in wrong.items():
            problem = f"{say_lines(numbers)} {mistake.what}"
            if self._seen is None:
                raise InvalidSetting(f"GLM_REFRESH_TOKENS_FILE is wrong: {problem}. {mistake.advice}")
            log.warning("GLM_REFRESH_TOKENS_FILE: %s, left out", problem)

    def _select(self, tokens: tuple[str, ...]) -> tuple[str, ...]:
        return tokens if self._shard is None else self._shard.select(tokens)
