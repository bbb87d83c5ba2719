"""TLS to the upstream that cannot be trusted, for each reason there is."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.upstream.adapter import build_any_time_context
from tests.app.doctor.conftest import CallDoctor
from tests.app.files.certificate import make_certificate
from upstream_emulator.emulator import UpstreamEmulator

WEEK = timedelta(days=7)


class Site:
    """An https upstream on localhost, whose own clock is right."""

    def __init__(self, tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
        self._path = tmp_path / "site.pem"
        self._patch = patch

    @contextmanager
    def serve(
        self, begins: datetime, *, trusted: bool, name: str = "localhost", ahead: float = 0, fault: str = ""
    ) -> Iterator[str]:
        certificate, key = make_certificate(name, begins=begins)
        self._path.write_bytes(certificate + key)
        if trusted:
            for module in ("requests.adapters", "app.upstream.adapter"):
                self._patch.setattr(f"{module}.DEFAULT_CA_BUNDLE_PATH", str(self._path))
        own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        own.load_cert_chain(self._path)
        with UpstreamEmulator(tls=own, clock_offset_seconds=ahead, fault=fault) as upstream:
            yield upstream.url.replace("127.0.0.1", "localhost")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(tmp_path, monkeypatch)


NOW = datetime.now(UTC)


def test_trusted(call: CallDoctor, site: Site) -> None:
    with site.serve(NOW - WEEK / 14, trusted=True) as url:
        assert call(given="demo-ann", GLM_UPSTREAM_URL=url).verdict == "well"


def test_an_authority_that_nobody_trusts(call: CallDoctor, site: Site) -> None:
    with site.serve(NOW - WEEK / 14, trusted=False) as url:
        visit = call(given="demo-ann", GLM_UPSTREAM_URL=url)
    assert visit.verdict == "network"
    assert "is not trusted: self-signed certificate" in visit.line("network")
    assert "stands between" in visit.text.splitlines()[-1]


def test_a_certificate_for_another_name(call: CallDoctor, site: Site) -> None:
    with site.serve(NOW - WEEK / 14, trusted=True, name="other.example") as url:
        visit = call(GLM_UPSTREAM_URL=url)
    assert visit.verdict == "network"
    assert "Hostname mismatch" in visit.line("network")


@pytest.mark.parametrize("weeks", [-2, 2])
def test_the_clock_is_weeks_off(call: CallDoctor, site: Site, weeks: int) -> None:
    """Not ours, which tests cannot set: the upstream's clock and its certificate are of another week."""
    offset = weeks * WEEK
    with site.serve(NOW + offset, trusted=True, ahead=offset.total_seconds()) as url:
        visit = call(GLM_UPSTREAM_URL=url)
    assert visit.verdict == "clock wrong"
    assert ("ahead of" if weeks < 0 else "behind") in visit.line("clock")
    assert abs(float(visit.line("clock").split()[2]) - 14 * 86400) < 60


def test_the_certificate_has_run_out(call: CallDoctor, site: Site) -> None:
    with site.serve(NOW - 2 * WEEK, trusted=True) as url:
        visit = call(GLM_UPSTREAM_URL=url)
    assert visit.verdict == "network"
    assert "certificate has expired" in visit.line("network")


@pytest.mark.parametrize(("trusted", "name"), [(False, "localhost"), (True, "other.example")])
def test_nobody_believes_the_time_of_a_stranger(site: Site, *, trusted: bool, name: str) -> None:
    with site.serve(NOW - 2 * WEEK, trusted=trusted, name=name) as url:
        address = ("localhost", int(url.rpartition(":")[2]))
        with (
            socket.create_connection(address, 10) as connection,
            pytest.raises(ssl.SSLCertVerificationError),
        ):
            build_any_time_context().wrap_socket(connection, server_hostname="localhost")


def test_what_cannot_be_told_apart_is_said(call: CallDoctor, site: Site) -> None:
    with site.serve(NOW - 2 * WEEK, trusted=True, fault="hangup") as url:
        visit = call(GLM_UPSTREAM_URL=url)
    assert visit.verdict == "clock wrong"
    assert "`date -u`" in visit.text
