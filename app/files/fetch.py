"""Fetching what users link to, safely: the one module besides the upstream's client that talks to others.

Every address a name resolves to is checked, and the connection goes to a checked one: the resolver is asked
once. Redirects are checked the same way. Nothing of the caller is sent along, and no proxy is used: a proxy
would resolve the name again, in a network that nobody here can see (docs/decisions/0007).
"""

from __future__ import annotations

import contextlib
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from ipaddress import ip_address
from typing import BinaryIO

import msgspec
import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from app.catalogue import file as says
from app.clocked_socket import ReadClock
from app.core.errors import FileUnavailable, GatewayError, InvalidFileUrl
from app.files.address import IPAddress, is_allowed
from app.files.attachment import (
    Claim,
    judge,
    mend_header,
    name_from_path,
    read_content_type,
    read_disposition,
    refuse_locked,
)
from app.files.compound import DIRECTORY_BYTES, find_directory
from app.files.connection import Address, build_tls, connect, connect_through
from app.files.data_url import find_data
from app.files.encoding import build_decoder
from app.files.link import Link, host_of, lies_below, parse_link
from app.files.media import HEAD_BYTES, PDF, TAIL_BYTES
from app.files.pdf_lock import needs_password
from app.files.picture import measure_picture
from app.files.spool import Spool, SpooledFile, SpoolRoom, build_too_large
from app.hub import Deadline, Lookups, cooperate

_READ_BYTES = 65536
_MAX_REDIRECTS = 5
_MAX_ADDRESSES_TRIED = 3
_MAX_LOOKUPS = 8
_CONNECT_SECONDS = 5.0
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HEADERS = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "glm-api", "Connection": "close"}

Resolve = Callable[[str, int], list[Address]]


class Home(msgspec.Struct, frozen=True):
    """A host that files may lie on, and everything below it, by these ports of them alone."""

    host: str
    ports: frozenset[int]
    allow_private: bool = False


class FetchPolicy(msgspec.Struct, frozen=True):
    """What may be fetched, and where it is put meanwhile."""

    max_bytes: int
    timeout_seconds: float
    ports: frozenset[int]
    allow_private: bool = False
    room: SpoolRoom = msgspec.field(default_factory=SpoolRoom)
    homes: tuple[Home, ...] = ()
    """Where alone files may lie; without one anywhere."""
    proxy: str | None = None
    """Only together with `homes`: a proxy resolves names where nobody here can check the addresses."""


class Fetcher:
    """Thread-safe; keeps no connections. Raises GatewayErrors of status 400 that say what is wrong."""

    def __init__(
        self,
        policy: FetchPolicy,
        *,
        resolve: Resolve | None = None,
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.policy = policy
        self._resolve = resolve or Lookups(_MAX_LOOKUPS).find
        self._given_tls = tls
        self._clock = clock

    def is_at_home(self, url: str) -> bool:
        """Whether `url` leads to one of the policy's homes, by one of its ports."""
        try:
            self._parse(url)
        except InvalidFileUrl:
            return False
        return bool(self.policy.homes)

    def check(self, url: str) -> None:
        """Raise InvalidFileUrl where `url` can be seen to be wrong without asking anybody."""
        if find_data(url) is None:
            self._parse(url)

    def fetch(
        self, url: str, *, name: str = "", param: str | None = None, seconds: float | None = None
    ) -> SpooledFile:
        """The file behind an http, https or data: URL; the caller closes it.

        `name` wins over what the URL says; `param` is the place that an error names; `seconds` may shorten
        the time that the policy gives.
        """
        limit = self.policy.timeout_seconds
        if seconds is not None:
            limit = max(0.001, min(limit, seconds))
        with self._spool(param) as spool:
            with Deadline(limit, FileUnavailable(says.NOT_IN_TIME)):
                found = self._take(url, spool, self._clock() + limit)
            return _look_at(spool, Claim(name or found.name, found.media_type, found.is_promised))

    def copy(self, file: BinaryIO, claim: Claim, *, param: str) -> SpooledFile:
        """A file that the request itself brought, looked at like any other; the caller closes both."""
        with self._spool(param) as spool:
            while piece := file.read(_READ_BYTES):
                spool.write(piece)
                cooperate()
            return _look_at(spool, claim)

    @contextlib.contextmanager
    def _spool(self, param: str | None) -> Iterator[Spool]:
        """Closed where anything is wrong with the file; the error names `param` then."""
        spool = Spool(self.policy.max_bytes, self.policy.room)
        try:
            yield spool
        except BaseException as exc:
            spool.close()
            if isinstance(exc, GatewayError) and exc.param is None:
                exc.param = param
            raise

    def _take(self, url: str, spool: Spool, ends_at: float) -> Claim:
        data = find_data(url)
        if data is not None:
            for piece in data.decode():
                spool.write(piece)
                cooperate()
            return Claim(media_type=data.media_type, is_promised=True)
        return self._download(self._parse(url), spool, ends_at)

    def _download(self, link: Link, spool: Spool, ends_at: float) -> Claim:
        for _ in range(_MAX_REDIRECTS + 1):
            with self._answer(link, ends_at) as answer:
                if answer.status not in _REDIRECTS:
                    self._read(answer, spool, ends_at)
                    named = read_disposition(answer.headers.get("Content-Disposition", ""))
                    media_type = read_content_type(answer.headers.get("Content-Type", ""))
                    return Claim(named or name_from_path(link.path), media_type)
                location = mend_header(answer.headers.get("Location", ""))
            link = self._parse(link.join(location))
        raise InvalidFileUrl(says.TOO_MANY_REDIRECTS.fill(max_redirects=_MAX_REDIRECTS))

    def _parse(self, url: str) -> Link:
        homes = self._find_homes(host_of(url))
        ports = self.policy.ports.union(*(home.ports for home in homes))
        link = parse_link(url, ports, allow_local=self._allows_private(homes))
        if link.address is not None:
            self._require(link.host, [link.address])
        if self.policy.homes and (not homes or homes != self._find_homes(link.host)):
            raise InvalidFileUrl(says.NOT_UPSTREAMS)
        return link

    def _find_homes(self, host: str) -> list[Home]:
        return [home for home in self.policy.homes if lies_below(host, [home.host])]

    def _allows_private(self, homes: Sequence[Home]) -> bool:
        return self.policy.allow_private or any(home.allow_private for home in homes)

    def _require(self, host: str, addresses: Sequence[IPAddress]) -> None:
        allow_private = self._allows_private(self._find_homes(host))
        if not addresses or not all(is_allowed(one, allow_private=allow_private) for one in addresses):
            # The same words whether a name is unknown or leads inside: nobody learns which names exist there.
            raise InvalidFileUrl(says.NOT_TO_BE_REACHED if allow_private else says.NOT_PUBLIC)

    @contextlib.contextmanager
    def _answer(self, link: Link, ends_at: float) -> Iterator[urllib3.BaseHTTPResponse]:
        """The answer to one request, its connection closed afterwards whatever happened."""
        with contextlib.ExitStack() as stack:
            try:
                yield self._ask(link, ends_at, stack)
            except urllib3.exceptions.TimeoutError as exc:
                raise FileUnavailable(says.NOT_IN_TIME) from exc
            except urllib3.exceptions.SSLError as exc:
                raise FileUnavailable(says.NOT_TRUSTED) from exc
            except (HTTPError, OSError) as exc:
                raise FileUnavailable(says.BROKEN_OFF) from exc

    def _ask(self, link: Link, ends_at: float, stack: contextlib.ExitStack) -> urllib3.BaseHTTPResponse:
        """Ask the first of the host's addresses that takes a connection."""
        failure: HTTPError | None = None
        for address in self._choose_addresses(link):
            left = ends_at - self._clock()
            if left <= 0:
                break
            timeout = urllib3.Timeout(connect=min(_CONNECT_SECONDS, left), read=left)
            clock = ReadClock(ends_at, self._clock)
            try:
                answer = stack.enter_context(self._connect(link, address, timeout, clock)).urlopen(
                    "GET",
                    link.target if address else link.url,
                    headers=_HEADERS | {"Host": link.host_header},
                    redirect=False,
                    retries=False,
                    preload_content=False,
                    decode_content=False,
                )
            except (NewConnectionError, ConnectTimeoutError) as exc:
                failure = exc
                continue
            stack.callback(answer.close)
            return answer
        raise FileUnavailable(says.NOT_REACHED) from failure

    def _choose_addresses(self, link: Link) -> Sequence[Address | None]:
        """Those to be tried; None is the proxy, which looks for itself."""
        return [None] if self.policy.proxy else self._check_host(link)[:_MAX_ADDRESSES_TRIED]

    def _check_host(self, link: Link) -> list[Address]:
        """The addresses of the host, all of them allowed. Raises InvalidFileUrl."""
        if link.address is not None:
            addresses = [(link.host, link.port)]
        else:
            try:
                addresses = self._resolve(link.host, link.port)
            except (OSError, UnicodeError):
                addresses = []
        self._require(link.host, [ip_address(host) for host, _ in addresses])
        return addresses

    def _connect(
        self, link: Link, address: Address | None, timeout: urllib3.Timeout, clock: ReadClock
    ) -> urllib3.HTTPConnectionPool | urllib3.ProxyManager:
        if address is None:
            return connect_through(self.policy.proxy or "", timeout, clock, self._tls)
        return connect(link, address, timeout, clock, self._tls if link.is_tls else None)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return self._given_tls or build_tls()

    def _read(self, answer: urllib3.BaseHTTPResponse, spool: Spool, ends_at: float) -> None:
        """The body into the spool, counted as it comes and once more as it is decoded."""
        if answer.status != 200:
            raise FileUnavailable(says.HTTP_REFUSED.fill(status=answer.status))
        self._check_length(answer.headers.get("Content-Length", ""))
        decoder = build_decoder(answer.headers.get("Content-Encoding", ""))
        taken = 0
        while data := answer.read1(_READ_BYTES):
            taken += len(data)
            if taken > self.policy.max_bytes:
                raise build_too_large(self.policy.max_bytes)
            for piece in decoder.feed(data):
                spool.write(piece)
                cooperate()
            if self._clock() > ends_at:
                raise FileUnavailable(says.NOT_IN_TIME)
        decoder.finish()

    def _check_length(self, header: str) -> None:
        if header.isdigit() and int(header[:20]) > self.policy.max_bytes:
            raise build_too_large(self.policy.max_bytes)


def _look_at(spool: Spool, claim: Claim) -> SpooledFile:
    """Judge a file that has come whole."""
    spool.finish()
    file = spool.file
    file.seek(0)
    head = file.read(HEAD_BYTES)
    file.seek(max(0, spool.size_bytes - TAIL_BYTES))
    tail = file.read(TAIL_BYTES)
    place = find_directory(head)
    if place is not None:
        file.seek(place)
        tail += file.read(DIRECTORY_BYTES)
    name, media = judge(claim, head, tail)
    if media is PDF and needs_password(file, spool.size_bytes, give_way=cooperate):
        raise refuse_locked()
    size = measure_picture(media.type, file) if media.is_picture else None
    return SpooledFile(spool, name, media.type, size)
