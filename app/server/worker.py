"""The gunicorn worker: its life; what it serves is `connections`.

The master imports this module for the class, before anything is patched, and keeps what it imported for as
long as it lives. So it imports what gunicorn has anyway, and the rest is imported in the worker.
"""

from __future__ import annotations

import gc
import socket
from importlib import metadata
from types import FrameType
from typing import TYPE_CHECKING, Any

from gunicorn.workers.ggevent import GeventWorker

if TYPE_CHECKING:
    from app.server.connections import Connections


class GatewayWorker(GeventWorker):  # type: ignore[misc]
    """Serves the application of wsgi.py, or any other, in one process."""

    _connections: Connections | None = None

    def patch(self) -> None:
        """gevent asks at each of its 25 steps which packages have plug-ins for it: here all are read once.

        Else that is 20 ms of the start where 24 packages are installed, 80 with 120 of them.
        """
        read_entry_points = metadata.entry_points
        metadata.entry_points = read_entry_points().select
        try:
            super().patch()
        finally:
            metadata.entry_points = read_entry_points

    def load_wsgi(self) -> None:
        gc.disable()  # hardly anything that is loaded is garbage: looking for it takes a tenth of the start
        from app.encoding_guess import leave_out  # noqa: PLC0415 - gevent has patched by now
        from app.server.connections import Connections  # noqa: PLC0415

        leave_out()  # before anything imports `requests`
        # As plain attributes: else each of the many looks at a setting asks three functions.
        self.cfg.__dict__.update({name: setting.get() for name, setting in self.cfg.settings.items()})
        super().load_wsgi()
        self._connections = Connections(self)

    def run(self) -> None:
        # What is loaded by now stays: full collections, which stop every stream, need not look at it.
        gc.freeze()
        gc.enable()
        if self._connections is not None:
            self._connections.begin()
        super().run()

    def notify(self) -> None:
        """Called once a second."""
        super().notify()
        if self._connections is not None:
            self._connections.look()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM."""
        super().handle_exit(sig, frame)
        if self._connections is not None:
            self._connections.stop()

    def handle(self, listener: socket.socket, client: socket.socket, addr: Any) -> None:
        """One connection, from the first byte to the last, in its own greenlet."""
        if self._connections is not None:
            self._connections.handle(listener, client, addr)
