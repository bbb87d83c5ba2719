"""The gateway, which waits longer for the upstream where a client left, so that a test may come late."""

from __future__ import annotations

from app.exchange import opener, reply
from app.video import service
from wsgi import app

__all__ = ["app"]

PATIENT_SECONDS = 20.0

reply._STOP_SECONDS = PATIENT_SECONDS
opener.NAME_SECONDS = PATIENT_SECONDS  # type: ignore[attr-defined]
service.NAME_SECONDS = PATIENT_SECONDS  # type: ignore[attr-defined]
