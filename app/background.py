"""Work that goes on by itself, begun in one step.

`threading.Thread.start` and executors wait for locks and for the thread to come up. A request may be
interrupted wherever it waits (app/hub/), and would leave behind a place that is taken and work that nobody
does.
"""

from __future__ import annotations

import _thread
import logging
from collections.abc import Callable

log = logging.getLogger(__name__)


def run_in_background(work: Callable[[], None]) -> None:
    """Begin `work` in a thread of its own, which does not keep the process alive. Never waits."""
    _thread.start_new_thread(_run, ([work],))


def _run(works: list[Callable[[], None]]) -> None:
    """Takes the work out of its list: an error that is kept holds this frame, and would hold it too."""
    try:
        works.pop()()
    except Exception as exc:
        log.error("unexpected failure in the background", exc_info=exc)
