"""What the upstream sent that this gateway does not know: ignored, but counted, and logged once each."""

from __future__ import annotations

import logging
from collections import Counter

from app.logs import redactor

log = logging.getLogger(__name__)

_MAX_NAMES = 100
_MAX_NAME_CHARS = 40
_OTHERS = "others"

unknown_contents: Counter[tuple[str, str]] = Counter()
"""(what, name) -> how often, for the life of the process. Beyond a bound names are counted together."""


def note_unknown_content(what: str, name: str) -> None:
    if (what, name) in unknown_contents:  # nothing in it is secret, then
        unknown_contents[what, name] += 1
        return
    key = (what, redactor.quote(name, _MAX_NAME_CHARS))
    if key not in unknown_contents and len(unknown_contents) >= _MAX_NAMES:
        key = (what, _OTHERS)
    if key not in unknown_contents:
        log.warning("the upstream sent an unknown %s: %r (ignored, and not logged again)", *key)
    unknown_contents[key] += 1
