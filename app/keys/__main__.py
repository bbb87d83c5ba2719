"""`python -m app.keys new LABEL`: a fresh gateway key, and the line that lets it in."""

from __future__ import annotations

import re
import sys

from app.command import run_guarded
from app.invocation import CALLED
from app.keys import digest_key, generate_key


def main(arguments: list[str]) -> int:
    """The command line. The key itself is shown once and stored nowhere."""
    if len(arguments) != 2 or arguments[0] != "new" or not re.fullmatch(r"[\w.][\w.-]{0,63}", arguments[1]):
        sys.stderr.write(f"a key needs a label of letters, digits, . _ -: {CALLED.key}\n")
        return 2
    key = generate_key()
    sys.stdout.write(f"key (give it to the caller, it is not stored): {key}\n")
    sys.stdout.write(f"entry for GATEWAY_API_KEYS: {arguments[1]}=sha256:{digest_key(key).hex()}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(run_guarded(lambda: main(sys.argv[1:])))
