"""Requests that somebody tries to make this gateway send for them: every one is refused, and none is sent."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

import pytest

from app.core.errors import InvalidFileUrl
from app.files.address import is_allowed
from app.files.connection import Address
from app.files.fetch import Fetcher, FetchPolicy
from app.files.link import Link
from tests.app.files import sample
from tests.file_server import FileServer, page, redirect

STRICT = FetchPolicy(10**6, 5, frozenset({80, 443}))
PUBLIC = "93.184.216.34"
INNER = [
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255",
    "192.168.1.1", "169.254.169.254", "169.254.0.1", "100.64.0.1", "100.100.100.200", "100.127.255.255",
    "192.0.0.1", "192.0.0.192", "192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "192.88.99.1",
    "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "fe80::1", "febf::1", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "ff0e::1", "100::1",
    "2001:db8::1", "2001::1", "2001:10::1", "2001:20::1", "3fff::1", "5f00::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:93.184.216.34", "::127.0.0.1",
    "::ffff:0:127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::a00:1", "2002:7f00:1::",
    "2002:a9fe:a9fe::", "2002:5db8:d822::",
]  # fmt: skip
OUTER = [PUBLIC, "1.1.1.1", "8.8.8.8", "223.5.5.5", "2606:4700::1111", "2400:3200::1", "2a00:1450:4001::1"]
ALWAYS_REFUSED = [
    "169.254.169.254", "169.254.1.1", "fe80::1", "fe80::1%eth0", "0.0.0.0", "::", "224.0.0.1", "ff02::1",
    "255.255.255.255", "100.100.100.200", "fd00:ec2::254", "::ffff:169.254.169.254", "::ffff:0.0.0.0",
    "::169.254.169.254", "64:ff9b::169.254.169.254", "2002:a9fe:a9fe::1",
]  # fmt: skip
SPELLINGS = [
    "http://2130706433/", "http://0x7f000001/", "http://0x7f.0.0.1/", "http://0177.0.0.1/",
    "http://017700000001/", "http://127.1/", "http://127.0.1/", "http://127.0.0.1./", "http://0/",
    "http://0x/", "http://00000127.0.0.1/", "http://134744072/", "http://8.8.2056/", "http://256.1.1.1/",
    "http://1.2.3.4.5/", "http://a.1/", "http://１２７.０.０.１/", "http://127。0。0。1/", "http://①②⑦.⓪.⓪.①/",
    "http://localhost/", "http://LOCALHOST/", "http://localhost./", "http://a.localhost/",
    "http://ｌocalhost/", "http://printer.local/", "http://metadata.google.internal/",
    "http://router.home.arpa/", "http://[::1]/", "http://[0:0:0:0:0:0:0:1]/", "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/", "http://[fe80::1%25eth0]/", "http://[::127.0.0.1]/", "http://[v1.x]/",
    "http://[::1/", "http://[]/", "http://user@example.org/", "http://user:secret@example.org/",
    "http://@example.org/", "http://example.org\\@127.0.0.1/", "http://example.org:81/",
    "http://example.org:0/", "http://example.org:22/", "http://example.org:65536/", "http://example.org:x/",
    "http://example.org:-1/", "http://example.org:８１/", "file:///etc/passwd", "ftp://example.org/a",
    "gopher://example.org/", "javascript:alert(1)", "//example.org/a", "example.org/a.png", "", " ",
    "http://", "http:///a", "https:example.org", "http:/example.org", "http://a..b/",
    "http://exa mple.org/", "http://example.org/a\r\nX-Evil: 1", "http://example.org/\0", "http://-a.org/",
    "http://a%2eorg/", "http://" + "a" * 64 + ".org/", "http://" + "a." * 200 + "org/",
    "http://example.org/" + "x" * 9000,
]  # fmt: skip


class Resolver:
    """A DNS stand-in: every look-up takes the next answer, the last one stays."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> list[Address]:
        self.asked.append(host)
        addresses = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return [(address, port) for address in addresses]


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer() as server:
        server.pages["/cat.png"] = page(sample.png())
        yield server


def private(server: FileServer) -> FetchPolicy:
    return FetchPolicy(10**6, 5, frozenset({80, 443, server.port}), allow_private=True)


def refused(fetcher: Fetcher, url: str) -> InvalidFileUrl:
    with pytest.raises(InvalidFileUrl) as raised:
        fetcher.fetch(url, param="messages.0.content.0.image_url.url").close()
    assert raised.value.status == 400
    assert raised.value.code == "invalid_file_url"
    assert raised.value.param == "messages.0.content.0.image_url.url"
    return raised.value


@pytest.mark.parametrize("address", INNER)
def test_inner_addresses_are_refused(address: str) -> None:
    assert not is_allowed(ip_address(address), allow_private=False)
    literal = f"[{address}]" if ":" in address else address
    resolver = Resolver([address])
    error = refused(Fetcher(STRICT, resolve=resolver), f"http://{literal}/a.png")
    assert address not in error.message
    assert (
        refused(Fetcher(STRICT, resolve=resolver), "https://innocent.example/a.png").message == error.message
    )


@pytest.mark.parametrize("address", OUTER)
def test_outer_addresses_are_not(address: str) -> None:
    assert is_allowed(ip_address(address), allow_private=False)
    assert is_allowed(ip_address(address), allow_private=True)


@pytest.mark.parametrize("address", ALWAYS_REFUSED)
def test_some_are_refused_even_at_home(address: str) -> None:
    assert not is_allowed(ip_address(address), allow_private=True)
    at_home = FetchPolicy(10**6, 5, frozenset({80}), allow_private=True)
    refused(Fetcher(at_home, resolve=Resolver([address])), "http://innocent.example/")


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "192.168.1.1", "100.64.0.1", "::1", "fd00::1"])
def test_home_networks_can_be_allowed(address: str) -> None:
    assert is_allowed(ip_address(address), allow_private=True)


@pytest.mark.parametrize("url", SPELLINGS)
def test_a_spelling_is_refused_before_anybody_is_asked(url: str) -> None:
    resolver = Resolver([PUBLIC])
    with pytest.raises(InvalidFileUrl):
        Fetcher(STRICT, resolve=resolver).check(url)
    refused(Fetcher(STRICT, resolve=resolver), url)
    assert resolver.asked == []


@pytest.mark.parametrize("others", [[PUBLIC, "10.0.0.1"], ["10.0.0.1", PUBLIC], [PUBLIC, "::1"]])
def test_a_name_with_addresses_of_both_kinds_is_refused(others: list[str]) -> None:
    refused(Fetcher(STRICT, resolve=Resolver(others)), "http://both.example/")


def test_an_unknown_name_sounds_like_an_inner_one() -> None:
    def fail(host: str, port: int) -> list[Address]:
        raise OSError("no such host")

    unknown = refused(Fetcher(STRICT, resolve=fail), "http://unknown.example/")
    inner = refused(Fetcher(STRICT, resolve=Resolver(["10.0.0.1"])), "http://inner.example/")
    assert unknown.message == inner.message
    assert refused(Fetcher(STRICT, resolve=Resolver([])), "http://empty.example/").message == inner.message


def test_the_resolver_is_asked_once_and_its_second_answer_comes_too_late(server: FileServer) -> None:
    """DNS rebinding: checked as one address, meant to be connected to as another."""
    resolver = Resolver(["127.0.0.1"], ["169.254.169.254"])
    fetcher = Fetcher(private(server), resolve=resolver)
    with_name = f"http://rebind.example:{server.port}/cat.png"
    fetcher.fetch(with_name).close()
    assert resolver.asked == ["rebind.example"]
    assert f"\r\nHost: rebind.example:{server.port}\r\n" in server.requests[0]
    refused(fetcher, with_name)
    assert len(server.requests) == 1


LEADING_AWAY = [
    "http://169.254.169.254/latest/meta-data/", "//169.254.169.254/", "http://metadata.example/", "http://[fe80::1]/",
    "file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "data:text/plain,hello", "http://127.1/",
    "http://0x7f.1/", "http://user:x@127.0.0.1/", "http://127.0.0.1:22/", "http://127.0.0.1:x/", "http://[::1/",
]  # fmt: skip


@pytest.mark.parametrize("location", LEADING_AWAY)
@pytest.mark.parametrize("status", ["301 Moved", "307 Temporary Redirect"])
def test_a_redirect_is_checked_like_the_first_address(server: FileServer, location: str, status: str) -> None:
    server.pages["/away"] = redirect(location, status)
    answers = {"127.0.0.1": "127.0.0.1", "metadata.example": "169.254.169.254"}
    fetcher = Fetcher(private(server), resolve=lambda host, port: [(answers.get(host, host), port)])
    refused(fetcher, f"{server.url}/away")
    assert len(server.requests) == 1


def test_a_redirect_from_outside_to_inside_is_refused(server: FileServer) -> None:
    """The first hop is let through by a resolver that calls this machine public."""
    server.pages["/away"] = redirect(f"{server.url}/cat.png")
    policy = FetchPolicy(10**6, 5, frozenset({server.port}))
    hops = iter([True, False])

    class Believing(Fetcher):
        def _check_host(self, link: Link) -> list[Address]:
            return [("127.0.0.1", server.port)] if next(hops) else super()._check_host(link)

    refused(Believing(policy), f"http://outside.example:{server.port}/away")
    assert len(server.requests) == 1


def test_five_redirects_are_followed_and_a_sixth_is_not(server: FileServer) -> None:
    for number in range(1, 7):
        server.pages[f"/{number}"] = redirect(f"/{number - 1}")
    server.pages["/0"] = page(sample.png(), 'Content-Disposition: inline; filename="kept.png"')
    fetcher = Fetcher(private(server))
    with_five = fetcher.fetch(f"{server.url}/5")
    assert with_five.name == "kept.png"
    with_five.close()
    assert "more than 5 times" in refused(fetcher, f"{server.url}/6").message


@pytest.mark.parametrize("location", ["", "cat.png", "/cat.png", "?x", "./cat.png#part"])
def test_relative_redirects(server: FileServer, location: str) -> None:
    server.pages["/away"] = redirect(location)
    fetcher = Fetcher(private(server))
    if location in ("", "?x"):
        assert "redirects" in refused(fetcher, f"{server.url}/away").message
    else:
        fetcher.fetch(f"{server.url}/away").close()
