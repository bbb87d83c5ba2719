"""Connections of the gunicorn worker: one greenlet each, and bounds on all that they may do to it."""

from __future__ import annotations

import socket
import traceback
from contextlib import suppress
from typing import Any

from gunicorn.http.errors import NoMoreData
from gunicorn.http.wsgi import create
from gunicorn.util import close

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


class Connections:
    """All connections of one worker, which serve its application."""

    def __init__(self, worker: Any) -> None:
        """`worker` is gunicorn's, its application loaded."""
        self._worker = worker
        self._wsgi = worker.wsgi
        self._cfg = cfg = worker.cfg
        self._gateway = getattr(worker.wsgi, "extensions", {}).get("glm-api")
        seats = worker.worker_connections
        self._slots = ConnectionSlots(seats, min(_SPARE_SEATS, seats // 4))
        seconds = {} if self._gateway is None else {"request_seconds": self._gateway.settings.request_seconds}
        limits = HeadLimits(
            max_fields=cfg.limit_request_fields,
            max_credentials_bytes=cfg.limit_request_field_size,
            max_request_line_bytes=cfg.limit_request_line,
        )
        self._rounds = Rounds()
        self._freed_memory = FreedMemory()
        self._bounds = Bounds(idle_seconds=cfg.keepalive, head=limits, **seconds)

    def begin(self) -> None:
        """The first of them may come now."""
        limit_accepts(_MAX_ACCEPTS)
        if self._gateway is not None:
            self._gateway.state.gather_writes(call_soon)

    def look(self) -> None:
        """Call once a second. Those between two requests must not hold up the shutdown."""
        self._freed_memory.look()
        if not self._worker.alive:
            self._slots.close_waiting()

    def stop(self) -> None:
        """The worker is to end: the gateway is told, in its event loop. From signal handlers as well."""
        if self._gateway is not None:
            call_in_loop(self._gateway.active_requests.stop)

    def handle(self, listener: socket.socket, client: socket.socket, addr: Any) -> None:
        """One connection, from the first byte to the last, in its own greenlet."""
        client.setblocking(True)
        slot = self._slots.take(client)
        incoming = IncomingBytes(client, slot, self._bounds, enter_round=self._rounds.enter)
        parser = GatewayParser(self._cfg, incoming, addr)
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
                if not self._worker.alive:
                    parser.unreader.slot.read_no_more()
                request = next(parser)
                if is_reset(client.fileno()):
                    raise ConnectionResetError
                self._handle_request(listener_name, request, client, addr)
        except StopIteration:
            body = None if parser.mesg is None else parser.mesg.body
        if body is not None and body.left_bytes != 0:
            self._discard_rest(body, parser.unreader)

    def _handle_request(self, listener_name: Any, req: Any, sock: socket.socket, addr: Any) -> None:
        """Raises StopIteration where no other request may follow, GreenletExit where the client has gone.

        gunicorn's own, without hooks, access log and restarts after so many requests.
        """
        response, environ = create(req, sock, addr, listener_name, self._cfg, GatewayResponse)
        if not self._worker.alive:
            response.force_close()
        try:
            self._answer(environ, response)
        except (StopIteration, OSError):
            raise
        except Exception:
            if not response.headers_sent:
                raise
            # A second answer into the first one would be taken for a part of it.
            self._worker.log.exception("Error handling request")
            raise StopIteration from None
        if response.should_close():
            raise StopIteration

    def _answer(self, environ: dict[str, Any], response: GatewayResponse) -> None:
        answer = self._wsgi(environ, response.start_response)
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
