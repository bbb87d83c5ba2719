"""Ten seconds of `make soak`: everything at once, and nothing left."""

from __future__ import annotations

import pytest

from tests.acceptance.soak import run_soak
from tests.acceptance.soak_client import BAD, GOOD


@pytest.mark.timeout(300)
def test_everything_at_once() -> None:
    rows, findings = run_soak(10)
    assert findings.problems == []
    assert [row for row in rows if not row.kept] == []
    assert findings.outages
    assert findings.counts["good"] > len(GOOD)
    assert findings.counts["bad"] > len(BAD)
