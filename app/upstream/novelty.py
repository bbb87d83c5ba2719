"""What the upstream sent that this gateway does not know: ignored, but counted, and logged once each."""

from __future__ import annotations

import logging
from collections import Counter

from app.logs import redactor

log = logging.getLogger(__name__)

_MOST_NAMES = 100
_MOST_NAME_CHARS = 40
_OTHERS = "others"

novelties: Counter[tuple[str, str]] = Counter()
"""(what, name) -> how often, for the life of the process. Beyond a bound names are counted together."""


def note_novelty(what: str, name: str) -> None:
    key = (what, redactor.quote(name, _MOST_NAME_CHARS))
    if key not in novelties and len(novelties) >= _MOST_NAMES:
        key = (what, _OTHERS)
    if key not in novelties:
        log.warning("the upstream sent an unknown %s: %r (ignored, and not logged again)", *key)
    novelties[key] += 1
