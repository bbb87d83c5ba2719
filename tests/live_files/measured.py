"""The product with a look at itself: how long its event loop was held, and how much memory it took.

`GET /measured` tells both since it was asked last, and what is held now.
"""

from __future__ import annotations

import time
from pathlib import Path

import gevent
from flask import Response, jsonify

from wsgi import app

_LOOK_SECONDS = 0.001


class Watcher:
    """A greenlet that wants its turn again and again. What its thread computes between two turns is CPU time
    in which nobody else had one; other load of the machine does not count.
    """

    def __init__(self) -> None:
        self.longest_hold_seconds = 0.0
        gevent.spawn(self._watch)

    def _watch(self) -> None:
        while True:
            begun = time.thread_time()
            gevent.sleep(_LOOK_SECONDS)
            self.longest_hold_seconds = max(self.longest_hold_seconds, time.thread_time() - begun)


watcher = Watcher()


def measured() -> Response:
    status = Path("/proc/self/status").read_text("ascii")
    gateway = app.extensions["glm-api"]
    answer = jsonify(
        longest_hold_seconds=watcher.longest_hold_seconds,
        resident_mebibytes=_read(status, "VmRSS:"),
        peak_mebibytes=_read(status, "VmHWM:"),
        bodies_bytes=gateway.bodies.held_bytes,
        spool_bytes=gateway.fetcher.policy.room.budget.held_bytes,
    )
    watcher.longest_hold_seconds = 0.0
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    return answer


def _read(status: str, name: str) -> float:
    return int(status.partition(name)[2].split()[0]) / 1024


app.add_url_rule("/measured", view_func=measured)
