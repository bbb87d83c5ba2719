"""What an answer to a refresh says of the token: few of them are the upstream's own word."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.errors import AccessRejected, UpstreamUnreachable
from app.upstream.envelope import classify_refresh

OWN: list[tuple[int, Any]] = [
    (401, {"status": 40102, "message": "unauthorized user"}),
    (200, {"status": 40102, "message": "40102: token expired", "result": None}),
    (401, {"status": 40103, "message": "user needs login"}),
    (400, {"code": "40103", "message": ""}),
]
FOREIGN: list[tuple[int, Any]] = [
    (401, None),
    (401, []),
    (401, "Unauthorized"),
    (401, {}),
    (401, {"detail": "Not authenticated"}),
    (401, {"status": 401, "message": "no"}),
    (401, {"code": 401, "message": "login has expired"}),
    (403, {"status": 403, "message": "your session has expired"}),
    (200, {"status": 1, "message": "Signature has expired"}),
]


@pytest.mark.parametrize(("status", "document"), OWN)
def test_the_upstreams_own_refusal(status: int, document: Any) -> None:
    assert isinstance(classify_refresh(status, document), AccessRejected)


@pytest.mark.parametrize(("status", "document"), FOREIGN)
def test_a_refusal_of_somebody_else(status: int, document: Any) -> None:
    assert isinstance(classify_refresh(status, document), UpstreamUnreachable)


@pytest.mark.parametrize("status", [301, 400, 403, 404, 429, 500, 502, 503])
def test_a_page_is_never_a_refusal(status: int) -> None:
    assert not isinstance(classify_refresh(status, None), AccessRejected)
