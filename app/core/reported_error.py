"""Which of several failures a caller is told."""

from __future__ import annotations

from app.catalogue.account import NO_ACCOUNT_LEFT
from app.core.errors import AccountsBusy, GatewayError, ShuttingDown

# Waiting cures what stands on the left; the caller is told the most hopeful truth.
_TELLING_ORDER = (429, 503, 504, 502, 404, 401)


def choose_reported(errors: list[GatewayError]) -> GatewayError:
    """The one error that a caller should see when several accounts failed, or there was none to ask."""
    if not errors:
        return AccountsBusy(NO_ACCOUNT_LEFT, retry_after_seconds=60)
    if isinstance(errors[-1], ShuttingDown):
        return errors[-1]
    known = [error for error in errors if error.status in _TELLING_ORDER]
    return min(known, key=lambda error: _TELLING_ORDER.index(error.status)) if known else errors[-1]
