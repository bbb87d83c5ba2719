"""How gunicorn serves the gateway: one process, thousands of greenlets.

Read by gunicorn's master before anything is patched, so only the standard library is imported here and the
application is never preloaded. HOST, PORT, LOG_LEVEL, GLM_DRAIN_SECONDS and GLM_REQUEST_SECONDS come from the
same environment as the settings of the application; a wrong value ends the start with one line that names it.
"""

from __future__ import annotations

import gc
import os
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NoReturn
from weakref import WeakKeyDictionary

LOG_LEVELS = ("debug", "info", "warning", "error")

# A worker looks once a second whether it should stop and once a second whether it has finished; what is left
# of these seconds is for its clean-up code. The master kills it when they are over.
CLEAN_UP_SECONDS = 5

# Files beside the connections: listener, state, log, resolver, deletions.
SPARE_FILES = 200


def refuse(name: str, value: str, wanted: str) -> NoReturn:
    """End the start with one line."""
    raise SystemExit(f"{name} is wrong: {wanted}, got {value!r}")


def read_number(name: str, default: int, lowest: int, highest: int) -> int:
    """The variable as a whole number; unset and empty both mean `default`."""
    text = os.environ.get(name, "").strip() or str(default)
    if not (text.isascii() and text.isdigit() and lowest <= int(text) <= highest):
        refuse(name, text, f"expected a whole number from {lowest} to {highest}")
    return int(text)


def read_log_level() -> str:
    """LOG_LEVEL in gunicorn's spelling."""
    text = os.environ.get("LOG_LEVEL", "").strip().lower() or "info"
    if text not in LOG_LEVELS:
        refuse("LOG_LEVEL", text, f"expected one of {', '.join(LOG_LEVELS)}")
    return text


def read_address() -> str:
    """HOST and PORT as gunicorn binds them; port 0 takes any free one."""
    host = os.environ.get("HOST", "").strip() or "127.0.0.1"
    if any(character.isspace() or character in "/@" for character in host):
        refuse("HOST", host, "expected a host name or an IP address")
    port = read_number("PORT", 8000, 0, 65535)
    return f"[{host.strip('[]')}]:{port}" if ":" in host else f"{host}:{port}"


def refuse_more_than_one_process(name: str, value: int) -> None:
    """One process owns its accounts: two would answer twice at a time on the same one."""
    if value > 1:
        refuse(
            name,
            str(value),
            "expected 1, since one process owns its accounts and knows which of them is answering (for more "
            "cores start more instances behind a balancer that hashes the Authorization header)",
        )


bind = read_address()
backlog = 1024

worker_class = "gevent"
workers = 1
refuse_more_than_one_process("WEB_CONCURRENCY", read_number("WEB_CONCURRENCY", 1, 1, 1024))
# Every open connection counts, idle ones too; beyond this many the next ones wait in the backlog.
worker_connections = 2000
preload_app = False
# Recycling a worker would cut its streams.
max_requests = 0

# Watches the event loop and never a request: a worker is only killed when something blocks it this long.
timeout = 120
graceful_timeout = read_number("GLM_DRAIN_SECONDS", 30, 0, 3600) + CLEAN_UP_SECONDS
# Longer than the 60 seconds that balancers keep a connection, so that they end it and never meet a closed
# one: from one answer to the first byte of the next request.
keepalive = 75
# The head of a request has this long: the first from the connection on, a later one from its first byte on.
HEAD_SECONDS = read_number("GLM_REQUEST_SECONDS", 60, 1, 3600)

limit_request_line = 4094
# The Authorization header carries a whole list of refresh tokens of 300 to 500 bytes: 64 KiB are over a
# hundred. The name counts too; gunicorn buffers up to fields times size of a head, hence fewer fields.
limit_request_field_size = 65_536 + 64
limit_request_fields = 64
# The heartbeat file of the worker: on a disk it can block the event loop.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  gunicorn makes an unnamed file

# The application writes one line a request itself, when the stream is over and without secrets.
accesslog = None
errorlog = "-"
loglevel = read_log_level()
# Nothing here needs steering from outside, and the image's file system may be read-only.
control_socket_disable = True
# X-Forwarded-* is believed from loopback only.
forwarded_allow_ips = "127.0.0.1,::1"


def raise_file_limit(connections: int) -> str | None:
    """Let the worker, which inherits it, open all the files it may need; what to say where it cannot."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # A reply holds two: its client and its upstream.
    wanted = 2 * connections + SPARE_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        if soft < wanted:
            streams = max(0, (soft - SPARE_FILES) // 2)
            return f"Only {soft} open files are allowed (ulimit -Hn): about {streams} answers at a time."
    return None


def on_starting(server: Any) -> None:
    """The command line can still ask for what this file refuses."""
    refuse_more_than_one_process("--workers", server.cfg.workers)
    if server.cfg.preload_app:
        refuse("--preload", "on", "expected off, since the worker must import the application after patching")
    warning = raise_file_limit(server.cfg.worker_connections)
    if warning is not None:
        server.log.warning(warning)


class HeadWatch:
    """Gives a head its time from its first byte on: calls `end` when that is over, unless closed before."""

    def __init__(self, loop: Any, fd: int, end: Callable[[], None]) -> None:
        self._loop = loop
        self._end = end
        self._watcher = loop.io(fd, 1)
        self._watcher.start(self.begin)

    def begin(self) -> None:
        self._watcher.close()
        self._watcher = self._loop.timer(HEAD_SECONDS)
        self._watcher.start(self._end)

    def close(self) -> None:
        self._watcher.close()


class IdleConnections:
    """Connections between two requests; ended as soon as the worker should stop, or a head is too slow.

    gunicorn waits for them as if they were answering: a single idle one holds the shutdown until the graceful
    timeout, and then the master kills the worker before its clean-up code has run.
    """

    def __init__(
        self,
        worker: Any,
        current_greenlet: Callable[[], Any],
        in_hub: Callable[..., Any],
        start_head_clock: Callable[[], AbstractContextManager[Any]],
        watch_head: Callable[[int, Callable[[], None]], HeadWatch],
    ) -> None:
        self._worker = worker
        self._start_head_clock = start_head_clock
        self._watch_head = watch_head
        self._start_clock: Callable[[], AbstractContextManager[Any]] = worker.timeout_ctx
        self._notify: Callable[[], None] = worker.notify
        self._current_greenlet = current_greenlet
        self._in_hub = in_hub
        # Mutable: greenlet -> the clock that ends its waiting.
        self._clocks: dict[Any, Any] = {}
        # Mutable: of connections that have sent their first head, greenlet -> what reads from the socket.
        self._readers: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()

    @contextmanager
    def wait(self) -> Iterator[None]:
        """Stands in for the worker's `timeout_ctx`: runs while the next request is awaited."""
        greenlet = self._current_greenlet()
        reader, watch = self._readers.get(greenlet), None
        with self._start_clock() if reader else self._start_head_clock() as clock:
            self._clocks[greenlet] = clock
            if not self._worker.alive:
                self._in_hub(self._end, greenlet)
            try:
                if reader:
                    watch = self._watch_head(reader.sock.fileno(), lambda: self._end(greenlet))
                    if reader.buf.getvalue():
                        watch.begin()
                yield
            finally:
                del self._clocks[greenlet]
                if watch is not None:
                    watch.close()

    def keep(self, reader: Any) -> None:
        """A request of the running greenlet has been read by `reader`; another one may follow."""
        self._readers[self._current_greenlet()] = reader

    def notify(self) -> None:
        """Stands in for the worker's `notify`, which its loop calls once a second."""
        self._notify()
        if not self._worker.alive:
            for greenlet in list(self._clocks):
                self._in_hub(self._end, greenlet)

    def _end(self, greenlet: Any) -> None:
        # Looked up again: a request may have come in before the hub got here.
        clock = self._clocks.get(greenlet)
        if clock is not None:
            greenlet.throw(clock)


def post_worker_init(worker: Any) -> None:
    """Runs in the worker, after gevent has patched it."""
    import gevent  # noqa: PLC0415  must not be loaded in the master

    loop = gevent.get_hub().loop
    idle = IdleConnections(
        worker,
        gevent.getcurrent,
        loop.run_callback,
        lambda: gevent.Timeout(HEAD_SECONDS, False),
        partial(HeadWatch, loop),
    )
    worker.timeout_ctx = idle.wait
    worker.notify = idle.notify
    worker.idle = idle
    gateway = getattr(worker.wsgi, "extensions", {}).get("glm-api")
    if gateway is not None:
        begin_stop = signal.getsignal(signal.SIGTERM)

        def stop(number: int, frame: Any) -> None:
            """The worker's own handler, and the gateway is told in its event loop."""
            if callable(begin_stop):
                begin_stop(number, frame)
            loop.run_callback_threadsafe(gateway.presence.stop)

        signal.signal(signal.SIGTERM, stop)
    # What is loaded by now stays. Full collections, which stop every stream, need not look at it any more.
    gc.collect()
    gc.freeze()


def pre_request(worker: Any, req: Any) -> None:
    """Called in the greenlet of a connection, for each request that it brings."""
    worker.idle.keep(req.unreader)


def worker_exit(server: Any, worker: Any) -> None:
    """The last thing a worker does: what is due is deleted upstream, the rest waits in the state file."""
    app = getattr(worker, "wsgi", None)
    if app is not None:
        app.extensions["glm-api"].stop(CLEAN_UP_SECONDS - 2)
