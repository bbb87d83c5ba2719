"""What the upstream says of an account's standing (protocol notes 0.2 row 20, 10). Pure."""

from __future__ import annotations

import math
from typing import Any

from app.auth_token import AccessToken
from app.core.standing import Standing
from app.upstream.client import UpstreamClient

STANDING_PATH = "/chatglm/user-api/user/info"

_HUNDREDTHS = 100.0
_MAX_POINTS = 1e12


_CALL_SECONDS = 10.0


def ask_standing(client: UpstreamClient, token: AccessToken) -> Standing:
    """Raises the GatewayError that the upstream's behaviour amounts to."""
    return parse_standing(client.ask("GET", STANDING_PATH, token, b"", _CALL_SECONDS))


def parse_standing(result: Any) -> Standing:
    """Of the profile: `member_info.left_score` is a number or a text of hundredths, `block_info` is empty for
    an account in good standing.
    """
    if not isinstance(result, dict):
        return Standing(None, None)
    member = result.get("member_info")
    points = _read_points(member.get("left_score") if isinstance(member, dict) else None)
    return Standing(points, bool(result["block_info"]) if "block_info" in result else None)


def _read_points(score: object) -> float | None:
    if isinstance(score, bool) or not isinstance(score, int | float | str):
        return None
    try:
        points = float(score) / _HUNDREDTHS
    except (ValueError, OverflowError):
        return None
    return points if math.isfinite(points) and abs(points) < _MAX_POINTS else None
