"""Processes that a test began, its children's children too, found by a mark in their environment."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

_LISTENING = "0A"


def find_processes(mark: str, word: str = "") -> list[Path]:
    """Those of `MARK=mark` that still run, with `word` in their command line, as directories of /proc."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # ended meanwhile, or somebody else's
            ours = f"MARK={mark}".encode() in (process / "environ").read_bytes().split(b"\0")
            if ours and word in (process / "cmdline").read_text():
                found.append(process)
    return found


def find_ports(mark: str) -> set[int]:
    """The TCP ports of IPv4 at which they listen."""
    sockets = set()
    for process in find_processes(mark):
        with suppress(OSError):
            sockets |= {str(link.readlink()) for link in (process / "fd").iterdir()}
    rows = [line.split() for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]]
    return {
        int(row[1].rpartition(":")[2], 16)
        for row in rows
        if row[3] == _LISTENING and f"socket:[{row[9]}]" in sockets
    }
