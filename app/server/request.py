"""gunicorn's parser of requests, stricter where RFC 9112 is, and with our reading of heads and bodies."""

from __future__ import annotations

import time
from typing import Any

from gunicorn.http.errors import InvalidHeader, InvalidHTTPVersion, UnsupportedTransferCoding
from gunicorn.http.message import Request
from gunicorn.http.parser import RequestParser

from app.core.errors import GatewayError
from app.server.body import BoundedChunks, RequestBody
from app.server.incoming import IncomingBytes

_DRAIN_SECONDS = 5.0


class GatewayRequest(Request):  # type: ignore[misc]
    """One request: its head when this is made, its body as the application reads it."""

    body: Any
    _expected_100_continue: bool

    def parse(self, unreader: IncomingBytes) -> bytes:
        unreader.read_head()
        unused: bytes = super().parse(unreader)
        return unused

    def set_body_reader(self) -> None:
        """Raises what gunicorn's own raises, for more heads."""
        # RFC 9110 would have later minor versions read as 1.1. There are none, so that only probes say one,
        # and gunicorn would answer in the version it was asked in.
        if self.version > (1, 1):
            raise InvalidHTTPVersion(self.version)
        if self.version == (1, 1) and "HOST" not in dict(self.headers):
            raise InvalidHeader("HOST")
        codings = [value.strip().lower() for name, value in self.headers if name == "TRANSFER-ENCODING"]
        if codings and set(codings) != {"chunked"}:
            raise UnsupportedTransferCoding(None)
        super().set_body_reader()
        incoming = self.unreader
        reader = BoundedChunks(self, incoming) if codings else self.body.reader
        self.body = RequestBody(reader, incoming)
        if self.body.left_bytes == 0:
            incoming.slot.work()
        else:
            incoming.slot.send()
        # Said when the body is read: who is refused before that need not send it.
        incoming.owes_continue, self._expected_100_continue = self._expected_100_continue, False

    def _peer_is_trusted_proxy(self) -> bool:
        """As gunicorn's own, which reads the address even where the configuration names no proxy."""
        if self.cfg.forwarded_allow_ips:
            return bool(super()._peer_is_trusted_proxy())
        return not isinstance(self.peer_addr, tuple)

    def should_close(self) -> bool:
        """Also asked when the head of the answer is written, so that it tells the client."""
        return self.body.must_close() or bool(super().should_close())


class GatewayParser(RequestParser):  # type: ignore[misc]
    """The requests of one connection, one after the other."""

    mesg_class = GatewayRequest

    def __init__(self, settings: Any, incoming: IncomingBytes, peer: Any) -> None:
        super().__init__(settings, incoming.sock, peer)
        self.unreader = incoming

    def finish_body(self, deadline: float | None = None, max_bytes: int | None = None) -> bool:
        """Read what the application left of a body. False where that is too much: then nothing follows."""
        if self.mesg is None or self.mesg.body.left_bytes == 0:
            return True
        ends_at = time.monotonic() + _DRAIN_SECONDS if deadline is None else deadline
        try:
            return bool(super().finish_body(ends_at, max_bytes))
        except GatewayError:  # the answer is out: there is nobody to tell
            return False
