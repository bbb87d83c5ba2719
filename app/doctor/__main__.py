"""`python -m app.doctor`; its packages are looked for only when it can be said which of them is missing."""

from __future__ import annotations

import sys
from importlib import import_module

from app.command import run_guarded


def main() -> int:
    return int(import_module("app.doctor.command").main(sys.argv[1:]))


if __name__ == "__main__":
    raise SystemExit(run_guarded(main))
