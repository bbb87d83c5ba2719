"""An HTTPAdapter that knows that there is one upstream: what others decide per call is decided once.

Saves a quarter of what a call costs (docs/performance.md), and keeps no cookies: it never looks for any.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from http.client import HTTPException, RemoteDisconnected
from queue import Empty
from typing import Any

import requests
from requests.adapters import DEFAULT_CA_BUNDLE_PATH, HTTPAdapter
from urllib3.connectionpool import ConnectionPool
from urllib3.exceptions import ProtocolError

from app.core.errors import GatewayError, UpstreamTimeout, UpstreamUnreachable
from app.upstream.body import BodyReader
from app.upstream.connection import AddressBook, QuickConnection
from app.upstream.document import read_document


class FoldedFields(dict[str, str]):
    """Fields of a head, found whatever the case of their names."""

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)


class KeptAnswer:
    """Stands where `requests` has an answer of urllib3's, for the little that is asked of one here."""

    __slots__ = ("_connection", "_original_response", "_pool", "headers", "status")

    def __init__(self, head: Any, pool: Any, connection: Any) -> None:
        self.status = head.status
        self.headers = FoldedFields([(name.lower(), value) for name, value in head.headers.items()])
        self._original_response = head
        self._pool = pool
        self._connection = connection

    def release_conn(self) -> None:
        """The connection may serve again. Idempotent, as `close` is: what comes first counts."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._pool._put_conn(connection)

    def close(self) -> None:
        """The connection is of no use any more."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
            self._pool._put_conn(None)


class UpstreamResponse(requests.Response):
    """Holds what is asked of one here. The rest, a jar for cookies above all, takes longer to make."""

    def __init__(self, request: requests.PreparedRequest, answer: Any) -> None:
        self._content = False  # type: ignore[assignment]  # as `requests` has it: not read yet
        self._content_consumed = False
        self.status_code = answer.status
        self.headers = answer.headers  # folds the case of names as well
        self.raw = answer
        self.request = request


class WatchedResponse(UpstreamResponse):
    """An answer whose body somebody reads along with (recording.py)."""

    read_body: Callable[[Any], BodyReader] = BodyReader


def watch(response: requests.Response, read_body: Callable[[Any], BodyReader]) -> WatchedResponse:
    """The same answer, whose body `read_body` opens."""
    watched = WatchedResponse(response.request, response.raw)
    watched.read_body = read_body
    return watched


class UpstreamAdapter(HTTPAdapter):
    """For requests to one origin, made by hand with a `path`. Thread-safe as its base."""

    def __init__(self, max_connections: int) -> None:
        super().__init__(pool_connections=1, pool_maxsize=max_connections, max_retries=0)
        self._book = AddressBook()
        self._pool: ConnectionPool | None = None

    def get_connection_with_tls_context(
        self,
        request: requests.PreparedRequest,
        verify: Any,
        proxies: Any = None,
        cert: Any = None,
    ) -> ConnectionPool:
        """The pool of the one origin."""
        if self._pool is None:
            pool: Any = super().get_connection_with_tls_context(request, verify, proxies, cert)
            pool.ConnectionCls = type(
                "UpstreamConnection", (QuickConnection, pool.ConnectionCls), {"book": self._book}
            )
            self._pool = pool
        return self._pool

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        """As the base does it; on a connection that is kept, without what it decides anew for every call.

        `timeout` is a pair: for the connection, and for the head of the answer.
        """
        if not proxies and isinstance(request.body, bytes):
            pool: Any = self.get_connection_with_tls_context(request, verify)
            connection = _take_kept(pool)
            if connection is not None:
                return self._send_again(request, pool, connection, timeout)
        return super().send(request, stream, timeout, verify, cert, proxies)

    def _send_again(
        self, request: requests.PreparedRequest, pool: Any, connection: Any, timeout: tuple[float, float]
    ) -> requests.Response:
        connection.timeout, answer_seconds = timeout
        try:
            try:
                connection.request(request.method, request.path_url, request.body, request.headers)
            except BrokenPipeError:
                pass  # the upstream may have answered before it read everything
            connection.timeout = answer_seconds
            answer = KeptAnswer(connection.receive_head(), pool, connection)
        except BaseException as exc:
            connection.close()
            pool._put_conn(None)
            raise _name_failure(exc, request) from exc
        return self.build_response(request, answer)

    def request_url(self, request: requests.PreparedRequest, proxies: Mapping[str, str] | None) -> str:
        """The target as it stands in the request line."""
        return super().request_url(request, proxies) if proxies else request.path_url

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        """Only what is used: no cookies are looked for, no encoding is guessed."""
        return UpstreamResponse(req, resp)


def _take_kept(pool: Any) -> Any:
    """A connection that serves once more, None where none waits for it."""
    try:
        connection = pool.pool.get(block=False)
    except Empty:
        return None
    if connection is not None and connection.is_connected:
        return connection
    pool._put_conn(connection)
    return None


def _name_failure(exc: BaseException, request: requests.PreparedRequest) -> BaseException:
    """The failure of a call on a kept connection as `requests` has it, by the table that urllib3 keeps."""
    if isinstance(exc, TimeoutError):
        return requests.ReadTimeout(exc, request=request)
    if isinstance(exc, ssl.SSLError):
        return requests.exceptions.SSLError(exc, request=request)
    if isinstance(exc, (OSError, HTTPException)):
        return requests.ConnectionError(ProtocolError("Connection aborted.", exc), request=request)
    return exc


def open_body(response: requests.Response) -> BodyReader:
    """Takes over the reading; whoever closes it gives the connection back."""
    head = _find_head(response)
    return response.read_body(head) if isinstance(response, WatchedResponse) else BodyReader(head)


def give_back(response: requests.Response, reusable: bool) -> None:
    """Return the connection of an answer whose body is closed to the pool, or close it."""
    if reusable and not _find_head(response).will_close:
        response.raw.release_conn()
    else:
        response.close()


def read_answer(response: requests.Response, left_seconds: Callable[[], float]) -> Any:
    """The JSON of a short answer, None where it is something else. Gives the connection back; raises as
    `read_document` does.
    """
    body = open_body(response)
    try:
        return read_document(body, _encoding_of(response), left_seconds)
    finally:
        body.close()
        give_back(response, body.complete)


def is_compressed(response: requests.Response) -> bool:
    return _encoding_of(response) != "identity"


def _encoding_of(response: requests.Response) -> str:
    return str(response.headers.get("Content-Encoding", "identity")).lower()


def _find_head(response: requests.Response) -> Any:
    """A UsualHead or an AnswerHead, since QuickConnection made it."""
    return response.raw._original_response


# X509_V_FLAG_NO_CHECK_TIME of OpenSSL, which the standard library has no name for.
_ANY_TIME = 0x200000


def build_any_time_context() -> ssl.SSLContext:
    """Trusts whom the adapter trusts, whatever the time: for asking what time it is, and for nothing else."""
    context = ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)
    context.verify_flags |= _ANY_TIME
    return context


# Foreign errors, most special first; their words may hold addresses and headers, so none are passed on.
_TRANSLATIONS: tuple[tuple[type[requests.RequestException], type[GatewayError], str], ...] = (
    (requests.ConnectTimeout, UpstreamTimeout, "The upstream could not be reached in time."),
    (requests.ReadTimeout, UpstreamTimeout, "The upstream did not answer in time."),
    (requests.exceptions.SSLError, UpstreamUnreachable, "No trusted connection to the upstream is possible."),
    (requests.exceptions.ProxyError, UpstreamUnreachable, "The proxy in GLM_PROXY could not be used."),
    (requests.RequestException, UpstreamUnreachable, "The upstream could not be reached."),
)


def translate(exc: requests.RequestException) -> GatewayError:
    for foreign, error, message in _TRANSLATIONS:
        if isinstance(exc, foreign):
            return error(message)
    raise AssertionError("unreachable")


def was_stale(exc: requests.RequestException) -> bool:
    """True where a kept connection turned out to be closed, so that the upstream never saw the request."""
    if isinstance(exc, (requests.Timeout, requests.exceptions.SSLError, requests.exceptions.ProxyError)):
        return False
    cause = exc.args[0].args[-1] if exc.args and getattr(exc.args[0], "args", None) else None
    return isinstance(cause, (RemoteDisconnected, ConnectionResetError, BrokenPipeError))
