"""What a call in nobody's name tells: do calls come through, do signatures count, what time is it."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from app.core.errors import GatewayError
from app.upstream.envelope import classify_answer
from app.upstream.failure import SIGNATURE_CODES

_NOBODYS = (b'{"alg":"HS256","typ":"JWT"}', b'{"type":"refresh","exp":1}', bytes(32))
PLACEHOLDER_TOKEN = ".".join(urlsafe_b64encode(segment).decode().rstrip("=") for segment in _NOBODYS)
"""A refresh token that nobody has: of the right form, long over, and signed by no one."""


class ProbeResult(msgspec.Struct, frozen=True):
    """How the upstream turned the call away; `now` is its own Unix time, None where it tells none."""

    status: int
    refusal: GatewayError
    refuses_signature: bool
    now: float | None


def read_probe(status: int, headers: Mapping[str, str], document: Any) -> ProbeResult:
    code = document.get("status", document.get("code")) if isinstance(document, dict) else None
    refuses_signature = str(code) in SIGNATURE_CODES
    return ProbeResult(
        status, classify_answer(status, document), refuses_signature, _read_date(headers.get("Date"))
    )


def _read_date(header: str | None) -> float | None:
    try:
        return parsedate_to_datetime(header).timestamp() if header else None
    except ValueError:
        return None
