"""Fetching on real sockets: what arrives, what is counted, and servers that lie, drip, hang or blow up."""

from __future__ import annotations

import base64
import gzip
import hashlib
import socket
import ssl
import time
import zlib
from collections.abc import Callable, Iterator

import pytest
from msgspec.structs import replace

from app.core.errors import FileTooLarge, FileUnavailable, GatewayError, InvalidFile
from app.files.fetch import Fetcher, FetchPolicy
from app.files.spool import Spool, SpooledFile, SpoolRoom
from tests.app.files import sample
from tests.app.files.certificate import make_tls
from tests.file_server import FileServer, Page, chunked, page

LIMIT = 200_000
LARGE = sample.PDF + b"x" * (LIMIT - len(sample.PDF))


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer() as server:
        yield server


@pytest.fixture
def fetcher(server: FileServer) -> Fetcher:
    return Fetcher(FetchPolicy(LIMIT, 5, frozenset({server.port}), allow_private=True))


@pytest.fixture(autouse=True)
def spools(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Spool]]:
    """Every spool that a test made; all of them must be closed when it is over."""
    made: list[Spool] = []
    build = Spool.__init__

    def build_and_remember(self: Spool, max_bytes: int, room: SpoolRoom) -> None:
        build(self, max_bytes, room)
        made.append(self)

    monkeypatch.setattr(Spool, "__init__", build_and_remember)
    yield made
    assert [spool for spool in made if not spool.file.closed] == []


def fetch(fetcher: Fetcher, server: FileServer, answer: Page, path: str = "/cat.png") -> SpooledFile:
    server.pages[path.partition("?")[0]] = answer
    return fetcher.fetch(server.url + path)


def test_a_file_with_all_that_is_known_of_it(fetcher: Fetcher, server: FileServer) -> None:
    data = sample.png(640, 480)
    file = fetch(fetcher, server, page(data, "Content-Type: image/png"), "/a/%E7%8C%AB.png?size=big#part")
    assert (file.name, file.media_type, file.size_bytes) == ("猫.png", "image/png", len(data))
    assert (file.width, file.height, file.is_picture) == (640, 480, True)
    assert file.sha256 == hashlib.sha256(data).hexdigest()
    assert file.open().read() == file.open().read() == data
    file.close()
    file.close()
    (request,) = server.requests
    assert request.startswith("GET /a/%E7%8C%AB.png?size=big HTTP/1.1\r\n")


def test_nothing_of_anybody_is_sent_along(
    fetcher: Fetcher, server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    fetch(fetcher, server, page(sample.png(), "Set-Cookie: a=b")).close()
    fetch(fetcher, server, page(sample.png())).close()
    for request in server.requests:
        names = {line.partition(":")[0].lower() for line in request.split("\r\n")[1:] if line}
        assert names == {"host", "accept", "accept-encoding", "user-agent", "connection"}
        assert "\r\nAccept-Encoding: identity\r\n" in request


@pytest.mark.parametrize(
    ("headers", "path", "name"),
    [
        (['Content-Disposition: attachment; filename="b.pdf"'], "/a.pdf", "b.pdf"),
        (["Content-Disposition: attachment; filename*=UTF-8''%E6%8A%A5.pdf"], "/a", "报.pdf"),
        ([], "/a.pdf", "a.pdf"),
        (["Content-Type: application/pdf"], "/", "file.pdf"),
        (["Content-Type: text/plain"], "/download.aspx", "download.pdf"),
    ],
)
def test_names(fetcher: Fetcher, server: FileServer, headers: list[str], path: str, name: str) -> None:
    file = fetch(fetcher, server, page(sample.PDF, *headers), path)
    assert (file.name, file.media_type, file.is_picture) == (name, "application/pdf", False)
    file.close()


def test_the_users_own_name_wins(fetcher: Fetcher, server: FileServer) -> None:
    server.pages["/a"] = page(sample.PDF, 'Content-Disposition: attachment; filename="b.pdf"')
    file = fetcher.fetch(f"{server.url}/a", name="../mine.pdf")
    assert file.name == "mine.pdf"
    file.close()


GOOD: dict[str, Page] = {
    "with its length": page(LARGE),
    "without its length": page(LARGE, length=None),
    "in chunks": chunked(LARGE[:7], LARGE[7:100_000], LARGE[100_000:]),
    "compressed though not asked": page(gzip.compress(LARGE), "Content-Encoding: gzip"),
    "deflated": page(zlib.compress(LARGE), "Content-Encoding: deflate"),
    "called identity": page(LARGE, "Content-Encoding: identity"),
}


@pytest.mark.parametrize("answer", GOOD.values(), ids=GOOD.keys())
def test_all_the_bytes_arrive(fetcher: Fetcher, server: FileServer, answer: Page) -> None:
    file = fetch(fetcher, server, answer, "/a.pdf")
    assert file.size_bytes == LIMIT
    assert file.open().read() == LARGE
    file.close()


BOMB = gzip.compress(b"\0" * 50_000_000)
TOO_LARGE: dict[str, Page] = {
    "by its length": page(b"", length=LIMIT + 1),
    "by a length of many digits": page(b"", length=10**30),
    "by one byte": page(LARGE + b"x"),
    "without its length": page(LARGE + b"x" * 10_000_000, length=None),
    "in chunks": chunked(*[b"x" * 65536] * 40),
    "a bomb": page(BOMB, "Content-Encoding: gzip"),
}


@pytest.mark.parametrize("answer", TOO_LARGE.values(), ids=TOO_LARGE.keys())
def test_too_large(fetcher: Fetcher, server: FileServer, answer: Page, spools: list[Spool]) -> None:
    with pytest.raises(FileTooLarge) as raised:
        fetch(fetcher, server, answer)
    assert raised.value.code == "file_too_large"
    assert str(LIMIT) in raised.value.message
    assert spools[0].size_bytes <= LIMIT + 65536, "stopped late"


UNAVAILABLE: dict[str, Page] = {
    "not found": page(b"no", status="404 Not Found"),
    "in trouble": page(b"no", status="503 Service Unavailable"),
    "a part of it": page(sample.png(), status="206 Partial Content"),
    "nothing new": page(b"", status="304 Not Modified"),
    "shorter than it says": page(sample.png(), length=10_000),
    "a chunk is cut": chunked(end=b"ff\r\nhalf of it"),
    "chunks never end": chunked(sample.png(), end=b""),
    "compressed and damaged": page(b"\x1f\x8b" + b"rubbish" * 9, "Content-Encoding: gzip"),
    "compressed and cut": page(gzip.compress(LARGE)[:-20], "Content-Encoding: gzip"),
    "compressed in an unknown way": page(b"x", "Content-Encoding: br"),
    "no answer": lambda connection: None,
    "not HTTP": lambda connection: connection.sendall(b"220 ready\r\n"),
    "a head without end": lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 5000),
}


@pytest.mark.parametrize("answer", UNAVAILABLE.values(), ids=UNAVAILABLE.keys())
def test_a_server_that_does_not_give_it(fetcher: Fetcher, server: FileServer, answer: Page) -> None:
    with pytest.raises(FileUnavailable) as raised:
        fetch(fetcher, server, answer)
    assert (raised.value.status, raised.value.code) == (400, "file_unavailable")
    assert "127.0.0.1" not in raised.value.message


@pytest.mark.parametrize(
    "slow",
    [
        lambda server: server.hang(),
        lambda server: server.hang(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n\x89PNG"),
        lambda server: server.drip(b"x", 0.05, then=b"HTTP/1.1 200 OK\r\n\r\n"),
        lambda server: server.drip(
            b"1\r\nx\r\n", 0.05, then=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        ),
    ],
    ids=["silent", "silent in the middle", "dripping", "dripping in chunks"],
)
def test_a_slow_server_is_left(
    server: FileServer, fetcher: Fetcher, slow: Callable[[FileServer], Page]
) -> None:
    """A head that drips needs the worker's event loop to be noticed: see the live tests."""
    server.pages["/a"] = slow(server)
    begun = time.monotonic()
    with pytest.raises(FileUnavailable, match="in time"):
        fetcher.fetch(f"{server.url}/a", seconds=0.3)
    assert time.monotonic() - begun < 10


CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
ENDLESS: dict[str, tuple[bytes, bytes]] = {
    "informational answers": (b"", CONTINUE * 100),
    "early hints": (b"", b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" * 100),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 100),
    "one header": (b"HTTP/1.1 200 OK\r\nX: ", b"y" * 6000),
    "a status": (b"HTTP/1.1 200 ", b"OK" * 3000),
    "headers of an informational answer": (b"HTTP/1.1 103 Early\r\n", b"X: y\r\n" * 100),
    "trailers": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n", b"X: y\r\n" * 1000
    ),
    "the size of a chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0" * 6000),
    "tiny chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 1000),
}  # fmt: skip


@pytest.mark.parametrize(("begin", "flood"), ENDLESS.values(), ids=ENDLESS)
def test_what_never_ends_and_never_pauses_is_left(
    server: FileServer, fetcher: Fetcher, begin: bytes, flood: bytes
) -> None:
    """No timer can fire here: nothing patches the sockets of this process."""
    server.pages["/a"] = server.drip(flood, 0.0, then=begin)
    begun = time.monotonic()
    with pytest.raises(InvalidFile):
        fetcher.fetch(f"{server.url}/a", seconds=0.3)
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize("early", [CONTINUE, b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" * 3])
def test_an_informational_answer_is_not_the_answer(
    server: FileServer, fetcher: Fetcher, early: bytes
) -> None:
    def answer(connection: socket.socket) -> None:
        connection.sendall(early)
        page(sample.png())(connection)

    fetch(fetcher, server, answer).close()


def test_the_next_address_is_tried(server: FileServer) -> None:
    server.pages["/cat.png"] = page(sample.png())
    fetcher = Fetcher(
        FetchPolicy(LIMIT, 5, frozenset({server.port}), allow_private=True),
        resolve=lambda host, port: [("127.0.0.1", 1), ("127.0.0.1", port)],
    )
    fetcher.fetch(f"http://two.example:{server.port}/cat.png").close()


def test_nobody_listens(server: FileServer) -> None:
    fetcher = Fetcher(FetchPolicy(LIMIT, 5, frozenset({1}), allow_private=True))
    with pytest.raises(FileUnavailable, match="could not be reached"):
        fetcher.fetch("http://127.0.0.1:1/a")


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "data:image/png;base64,"),
        (b"x" * 99, "data:image/png;base64,"),
        (sample.png(100_000, 100_000), "data:image/png;base64,"),
        (sample.SVG, "data:image/svg+xml;base64,"),
        (sample.PDF, "data:image/png;base64,"),
        (sample.png(), "data:application/pdf;base64,"),
        (LARGE + b"x", "data:application/pdf;base64,"),
    ],
)
def test_bad_data_urls_leave_nothing(fetcher: Fetcher, data: bytes, kind: str, spools: list[Spool]) -> None:
    with pytest.raises(InvalidFile) as raised:
        fetcher.fetch(kind + base64.b64encode(data).decode(), param="here")
    assert raised.value.param == "here"
    assert len(spools) == 1


def test_a_data_url(fetcher: Fetcher) -> None:
    url = "data:image/jpeg;base64," + base64.b64encode(sample.png()).decode()
    fetcher.check(url)
    file = fetcher.fetch(url)
    assert (file.name, file.media_type) == ("image.png", "image/png")
    file.close()


def test_a_certificate_must_be_for_the_name_of_the_link() -> None:
    """The connection goes to an address, but the name is what is asked for and what is checked."""
    own, trusting = make_tls("files.example")
    with FileServer(own) as server:
        server.pages["/cat.png"] = page(sample.png())
        policy = FetchPolicy(LIMIT, 5, frozenset({server.port}), allow_private=True)

        def build(tls: ssl.SSLContext | None) -> Fetcher:
            return Fetcher(policy, resolve=lambda host, port: [("127.0.0.1", port)], tls=tls)

        build(trusting).fetch(f"https://files.example:{server.port}/cat.png").close()
        for tls, host in ((trusting, "other.example"), (trusting, "127.0.0.1"), (None, "files.example")):
            with pytest.raises(FileUnavailable, match="certificate"):
                build(tls).fetch(f"https://{host}:{server.port}/cat.png")
        assert len(server.requests) == 1


def test_no_room_is_our_failure(fetcher: Fetcher, tmp_path: object) -> None:
    nowhere = Fetcher(replace(fetcher.policy, room=SpoolRoom(f"{tmp_path}/not-there")))
    with pytest.raises(GatewayError) as raised:
        nowhere.fetch("data:,x")
    assert raised.value.status == 500
    assert "not-there" not in raised.value.message
