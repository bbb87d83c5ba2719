"""Ten seconds of `make soak`: everything at once, and nothing left."""

from __future__ import annotations

import pytest

from bench.soak import run_soak
from bench.visitor import BAD, GOOD


@pytest.mark.timeout(300)
def test_everything_at_once() -> None:
    rows, findings = run_soak(10)
    assert findings.problems == []
    assert [row for row in rows if not row.kept] == []
    assert findings.outages
    assert findings.met["good"] > len(GOOD)
    assert findings.met["bad"] > len(BAD)
