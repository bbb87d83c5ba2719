"""A server on a loopback socket, one thread a connection; what it says is for its subclasses."""

from __future__ import annotations

import socket
import threading
from typing import Self


class LoopbackServer:
    """Serves from `with` to its end, when every connection must be over soon."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self._listener = socket.create_server((host, 0))
        self._threads: list[threading.Thread] = []
        self.host = host
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0

    def __enter__(self) -> Self:
        self._threads.append(threading.Thread(target=self._accept, daemon=True))
        self._threads[-1].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)
            assert not thread.is_alive(), "a connection did not end"

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self.serve, args=(connection, self.connections), daemon=True)
            self.connections += 1
            self._threads.append(thread)
            thread.start()

    def serve(self, connection: socket.socket, number: int) -> None:
        """Talk on connection `number`, counted from 0, and close it. Runs in a thread of its own."""
        raise NotImplementedError
