"""Clients leave at every moment there is, and nothing stays taken, undeleted or doubled."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_whoever_leaves_whenever_leaves_nothing_behind() -> None:
    command = [sys.executable, "-m", "tests.app.accounts.turmoil", "1.5", "7"]
    played = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=50, check=False)
    assert played.returncode == 0, played.stderr.decode()
    left = json.loads(played.stdout)
    assert left.pop("requests") > 100
    assert left == {
        "problems": [],
        "pool": "<AccountPool accounts=14 leased=0 waiting=0>",
        "in_use": 0,
        "upstream": 0,
        "ledger": 0,
    }
