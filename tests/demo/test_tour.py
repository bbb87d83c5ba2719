"""The tour's way out, wherever it is interrupted."""

from __future__ import annotations

import subprocess
import sys

from demo.gateway import ROOT

HALF_A_CLIENT = """
import os, signal, sys
from demo import command, tour

class Client:
    def __init__(self, **_):
        os.kill(os.getpid(), signal.SIGTERM)
        self.whole = True

    def __del__(self):
        self.whole

tour.OpenAI = Client
tour.tour = lambda: tour.Tour("")
sys.argv[1:] = []
sys.exit(command.main())
"""


def test_a_client_that_is_only_half_made_says_nothing() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", HALF_A_CLIENT],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (130, "")
    assert "Interrupted" in ended.stdout
