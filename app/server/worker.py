"""The gunicorn worker: one greenlet a connection, and bounds on all that connections may do to it.

The master imports this module and what it imports, before anything is patched: none of that may make locks or
take functions out of `socket`, `ssl`, `threading` and their like (tests/app/server/test_worker.py looks).
"""

from __future__ import annotations

import gc
import socket
import traceback
from contextlib import suppress
from types import FrameType
from typing import Any

from gunicorn.http.errors import NoMoreData
from gunicorn.http.wsgi import create
from gunicorn.util import close
from gunicorn.workers.ggevent import GeventWorker

from app.hub import GreenletExit, Rounds, call_in_loop, call_soon, is_reset, limit_accepts
from app.memory import FreedMemory
from app.server.connection_slots import ConnectionSlots
from app.server.head import HeadLimits
from app.server.incoming import Bounds, IncomingBytes
from app.server.refusal import build_refusal, log_refusal, make_request_id, translate_failure
from app.server.request import GatewayParser
from app.server.response import GatewayResponse

_SPARE_SEATS = 50
_MAX_ACCEPTS = 8
_REFUSAL_SECONDS = 5.0
# What is read on and thrown away after an answer that came before the end of the request: of a body so much
# that clients which send all of it before they look get to see the answer, else little.
_MAX_DISCARDED_BODY_BYTES = 64 * 1024 * 1024
_DISCARD_BODY_SECONDS = 30.0
_MAX_DISCARDED_BYTES = 1024 * 1024
_DISCARD_SECONDS = 2.0


class GatewayWorker(GeventWorker):  # type: ignore[misc]
    """Serves the application of wsgi.py, or any other, in one process."""

    def load_wsgi(self) -> None:
        gc.disable()  # hardly anything that is loaded is garbage: looking for it takes a tenth of the start
        super().load_wsgi()
        self._gateway = getattr(self.wsgi, "extensions", {}).get("glm-api")
        self._slots = ConnectionSlots(
            self.worker_connections, min(_SPARE_SEATS, self.worker_connections // 4)
        )
        seconds = {} if self._gateway is None else {"request_seconds": self._gateway.settings.request_seconds}
        limits = HeadLimits(
            max_fields=self.cfg.limit_request_fields,
            max_credentials_bytes=self.cfg.limit_request_field_size,
            max_request_line_bytes=self.cfg.limit_request_line,
        )
        self._rounds = Rounds()
        self._freed_memory = FreedMemory()
        self._bounds = Bounds(idle_seconds=self.cfg.keepalive, head=limits, **seconds)

    def run(self) -> None:
        # What is loaded by now stays: full collections, which stop every stream, need not look at it.
        gc.freeze()
        gc.enable()
        limit_accepts(_MAX_ACCEPTS)
        if self._gateway is not None:
            self._gateway.state.gather_writes(call_soon)
        super().run()

    def notify(self) -> None:
        """Called once a second. Connections between two requests must not hold up the shutdown."""
        super().notify()
        self._freed_memory.look()
        if not self.alive:
            self._slots.close_waiting()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM: the gateway is told as well, in its event loop."""
        super().handle_exit(sig, frame)
        gateway = getattr(self, "_gateway", None)
        if gateway is not None:
            call_in_loop(gateway.active_requests.stop)

    def handle(self, listener: socket.socket, client: socket.socket, addr: Any) -> None:
        """One connection, from the first byte to the last, in its own greenlet."""
        client.setblocking(True)
        slot = self._slots.take(client)
        incoming = IncomingBytes(client, slot, self._bounds, enter_round=self._rounds.enter)
        parser = GatewayParser(self.cfg, incoming, addr)
        try:
            self._serve_requests(listener.getsockname(), parser, client, addr)
        except (NoMoreData, OSError, GreenletExit) as exc:
            # The client has gone, or is told to go. Flask keeps the error in a frame that the error's
            # traceback holds: in this cycle a whole body would stay until somebody collects it.
            traceback.clear_frames(exc.__traceback__)
        except Exception as exc:  # noqa: BLE001  whatever it is, this connection alone ends
            self._refuse(exc, client)
            incoming.discard(_MAX_DISCARDED_BYTES, _DISCARD_SECONDS)
        finally:
            slot.leave()
            close(client)

    def _serve_requests(
        self, listener_name: Any, parser: GatewayParser, client: socket.socket, addr: Any
    ) -> None:
        try:
            while True:
                if not self.alive:
                    parser.unreader.slot.read_no_more()
                request = next(parser)
                if is_reset(client.fileno()):
                    raise ConnectionResetError
                self.handle_request(listener_name, request, client, addr)
        except StopIteration:
            body = None if parser.mesg is None else parser.mesg.body
        if body is not None and body.left_bytes != 0:
            self._discard_rest(body, parser.unreader)

    def handle_request(self, listener_name: Any, req: Any, sock: socket.socket, addr: Any) -> None:
        """Raises StopIteration where no other request may follow, GreenletExit where the client has gone.

        gunicorn's own, without hooks, access log and restarts after so many requests.
        """
        response, environ = create(req, sock, addr, listener_name, self.cfg, GatewayResponse)
        if not self.alive:
            response.force_close()
        try:
            self._answer(environ, response)
        except (StopIteration, OSError):
            raise
        except Exception:
            if not response.headers_sent:
                raise
            # A second answer into the first one would be taken for a part of it.
            self.log.exception("Error handling request")
            raise StopIteration from None
        if response.should_close():
            raise StopIteration

    def _answer(self, environ: dict[str, Any], response: GatewayResponse) -> None:
        answer = self.wsgi(environ, response.start_response)
        try:
            for piece in answer:
                response.write(piece)
            response.close()
        finally:
            if hasattr(answer, "close"):
                answer.close()

    def _discard_rest(self, body: Any, incoming: IncomingBytes) -> None:
        """The answer is out, and a part of the body is not in."""
        left = _MAX_DISCARDED_BODY_BYTES if body.left_bytes is None else body.left_bytes
        if body.failed:
            incoming.discard(_MAX_DISCARDED_BYTES, _DISCARD_SECONDS)
        else:
            held = len(incoming.take_buffered())
            incoming.discard(min(left - held, _MAX_DISCARDED_BODY_BYTES), _DISCARD_BODY_SECONDS)

    def _refuse(self, exc: Exception, client: socket.socket) -> None:
        error, request_id = translate_failure(exc), make_request_id()
        log_refusal(exc, error, request_id)
        with suppress(OSError):
            client.settimeout(_REFUSAL_SECONDS)
            client.sendall(build_refusal(error, request_id))
