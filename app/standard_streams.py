"""Standard input, output and error of a program that was started without some of them.

What a process opens next takes the lowest number that is free. Where 1 or 2 is, whatever prints would write
into a socket or into the state file.
"""

from __future__ import annotations

import errno
import os
import sys

OUTPUT_ERRORS = frozenset({errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF})
"""What writing to standard output may end with."""

# Reading what nobody gives and writing what nobody reads fails, as it would have. Complaints go nowhere.
_MODES = {0: os.O_WRONLY, 1: os.O_RDONLY, 2: os.O_WRONLY}


def open_closed_streams() -> None:
    """Take the places that are free, for this process and whatever it becomes."""
    for number, mode in _MODES.items():
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, mode), True)  # the lowest that is free: `number`
    # Python has None where a place was free.
    sys.stdin = sys.stdin or open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def drop_output() -> None:
    """What is still to be written is lost, and nothing is said of it when the process ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
