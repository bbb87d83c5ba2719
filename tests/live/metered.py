"""The gateway, and a greenlet that measures how long the event loop is held: `/longest-hold` tells.

In seconds of CPU time of the loop's thread between two turns of that greenlet, which asks for one every two
milliseconds: how busy the machine is otherwise makes no difference.
"""

from __future__ import annotations

import time

import gevent

from wsgi import app

_LOOK_SECONDS = 0.002


class HoldMeter:
    """Mutable: the longest hold since it was last asked."""

    def __init__(self) -> None:
        self.longest_seconds = 0.0
        gevent.spawn(self._measure)

    def take(self) -> str:
        longest, self.longest_seconds = self.longest_seconds, 0.0
        return f"{longest:.6f}"

    def _measure(self) -> None:
        while True:
            begun = time.thread_time()
            gevent.sleep(_LOOK_SECONDS)
            self.longest_seconds = max(self.longest_seconds, time.thread_time() - begun)


app.add_url_rule("/longest-hold", view_func=HoldMeter().take)
