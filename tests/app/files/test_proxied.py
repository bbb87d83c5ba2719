"""The upstream's own pictures: from its hosts alone, through the proxy where there is one."""

from __future__ import annotations

import base64
import contextlib
import socket
import ssl
from collections.abc import Iterator

import pytest

from app.config import Settings
from app.core.errors import FileUnavailable, InvalidFileUrl
from app.files.fetch import Fetcher, FetchPolicy, Home
from app.files.policy import build_picture_policy
from app.files.spool import SpoolRoom
from tests.app.files import sample
from tests.app.files.certificate import make_tls
from tests.file_server import FileServer, page, redirect

PICTURE = sample.png(2, 2)
PLACE = "http://sfile.chatglm.cn/a.png"


@pytest.fixture
def proxy() -> Iterator[FileServer]:
    with FileServer() as proxy:
        yield proxy


def build(proxy_url: str | None, tls: ssl.SSLContext | None = None) -> Fetcher:
    policy = FetchPolicy(
        100_000, 5, frozenset({80, 443}), homes=(Home("chatglm.cn", frozenset({80, 443})),), proxy=proxy_url
    )

    def resolve(host: str, port: int) -> list[tuple[str, int]]:
        raise AssertionError("the proxy looks for itself")

    return Fetcher(policy, resolve=resolve, tls=tls)


def fetch(fetcher: Fetcher, url: str) -> bytes:
    with contextlib.closing(fetcher.fetch(url)) as file:
        return file.open().read()


def test_the_proxy_is_asked_for_the_whole_address(proxy: FileServer) -> None:
    proxy.pages[PLACE] = page(PICTURE)
    assert fetch(build(proxy.url), PLACE) == PICTURE
    (request,) = proxy.requests
    assert request.startswith(f"GET {PLACE} HTTP/1.1\r\n")
    assert "Host: sfile.chatglm.cn\r\n" in request
    assert "authorization" not in request.lower()


def test_the_proxy_hears_who_asks_and_nobody_behind_it_does(proxy: FileServer) -> None:
    own, trusting = make_tls("sfile.chatglm.cn")
    heard: list[bytes] = []

    def connect(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        with own.wrap_socket(connection, server_side=True) as inside:
            heard.append(inside.recv(65536))
            page(PICTURE)(inside)

    proxy.pages["sfile.chatglm.cn:443"] = connect
    address = proxy.url.replace("http://", "http://anna:p%40ss@")
    assert fetch(build(address, trusting), "https://sfile.chatglm.cn/a.png") == PICTURE
    known = base64.b64encode(b"anna:p@ss").decode()
    assert f"authorization: basic {known}".lower() in proxy.requests[0].lower()
    assert heard[0].startswith(b"GET /a.png HTTP/1.1\r\n")
    assert b"authorization" not in heard[0].lower()


def test_a_certificate_for_somebody_else_is_not_believed(proxy: FileServer) -> None:
    own, trusting = make_tls("other.example")

    def connect(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        with contextlib.suppress(OSError), own.wrap_socket(connection, server_side=True) as inside:
            inside.recv(1)

    proxy.pages["sfile.chatglm.cn:443"] = connect
    with pytest.raises(FileUnavailable):
        fetch(build(proxy.url, trusting), "https://sfile.chatglm.cn/a.png")


@pytest.mark.parametrize(
    "url",
    [
        "http://evil.example/a.png",
        "http://chatglm.cn.evil.example/a.png",
        "http://notchatglm.cn/a.png",
        "http://169.254.169.254/latest/meta-data",
        "http://chatglm.cn@10.0.0.1/a.png",
        "http://chatglm.cn:8080/a.png",
        "http://localhost/a.png",
    ],
)
def test_other_hosts_are_not_asked_for(proxy: FileServer, url: str) -> None:
    with pytest.raises(InvalidFileUrl):
        fetch(build(proxy.url), url)
    proxy.pages[PLACE] = redirect(url)
    with pytest.raises(InvalidFileUrl):
        fetch(build(proxy.url), PLACE)
    assert len(proxy.requests) == 1


def test_without_a_proxy_the_hosts_are_the_same() -> None:
    with pytest.raises(InvalidFileUrl):
        fetch(build(None), "http://evil.example/a.png")


def test_a_proxy_that_is_away(proxy: FileServer) -> None:
    with FileServer() as away:
        pass
    with pytest.raises(FileUnavailable):
        fetch(build(away.url), PLACE)


def test_what_the_settings_make_of_it() -> None:
    usual, room = frozenset({80, 443}), SpoolRoom()
    policy = build_picture_policy(Settings(proxy="http://proxy.example:3128"), room)
    assert policy.homes == (Home("chatglm.cn", usual), Home("chatglm.cn", usual))
    assert (policy.proxy, policy.room, policy.allow_private) == ("http://proxy.example:3128", room, False)
    mirror = build_picture_policy(Settings(upstream_url="https://mirror.example:8443"), room)
    assert mirror.homes[0] == Home("mirror.example", usual | {8443})


@pytest.mark.parametrize(
    ("upstream", "host", "port"),
    [
        ("http://127.0.0.1:81", "127.0.0.1", 81),
        ("http://127.0.0.1", "127.0.0.1", 80),
        ("https://10.1.2.3", "10.1.2.3", 443),
        ("http://localhost:9000", "localhost", 9000),
        ("http://[fd00::1]:81", "[fd00::1]", 81),
    ],
)
def test_of_an_upstream_inside_one_port_is_open(upstream: str, host: str, port: int) -> None:
    """Its host may serve others by the other ports, and nobody else inside is reached."""
    fetcher = Fetcher(build_picture_policy(Settings(upstream_url=upstream), SpoolRoom()))
    fetcher.check(f"http://{host}:{port}/a.png")
    closed = [f"http://{host}:{other}/" for other in (22, 80, 81, 443, 9000) if other != port]
    closed += [f"http://127.0.0.2:{port}/", f"http://10.1.2.4:{port}/", f"http://[::1]:{port}/"]
    for url in closed:
        with pytest.raises(InvalidFileUrl):
            fetcher.check(url)


def test_the_names_of_chatglm_do_not_lead_inside() -> None:
    """Though the upstream itself is inside."""
    policy = build_picture_policy(Settings(upstream_url="http://127.0.0.1:81"), SpoolRoom())
    fetcher = Fetcher(policy, resolve=lambda host, port: [("127.0.0.1", port)])
    with pytest.raises(InvalidFileUrl, match="public"):
        fetcher.fetch("http://sfile.chatglm.cn/a.png")


@pytest.mark.parametrize(
    ("url", "is_at_home"),
    [
        (PLACE, True),
        ("https://CHATGLM.cn", True),
        ("http://chatglm.cn.evil.example/a.png", False),
        ("http://notchatglm.cn/a.png", False),
        ("http://sfile.chatglm.cn@evil.example/a.png", False),
        ("data:image/png;base64,AA==", False),
        ("http://chatglm.cn:81/a.png", False),
        ("http://chatglm.cn/" + "a" * 9000, False),
        ("http://[", False),
        ("", False),
    ],
)
def test_what_is_at_home(url: str, is_at_home: bool) -> None:
    assert build(None).is_at_home(url) is is_at_home
