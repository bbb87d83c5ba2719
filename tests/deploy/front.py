"""deploy/nginx.conf in Debian's nginx, with the addresses and the certificate of a test."""

from __future__ import annotations

import datetime
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

CONFIGURATION = Path(__file__).parents[2] / "deploy/nginx.conf"
HOST = "glm.example.org"
INSTANCE = "X-Instance"
# Long bodies wait in a file: the workers need to get at this directory.
USER = "user root;" if os.geteuid() == 0 else ""
FRAME = """{user} daemon off; worker_processes 2; pid {directory}/nginx.pid; error_log {directory}/error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi; uwsgi_temp_path {directory}/uwsgi; scgi_temp_path {directory}/scgi;
    # Tells the test who answered: the last one, where the first could not be reached.
    add_header {header} $upstream_addr always;
    {configuration}
    {more}
}}
"""
BOUND_SECONDS = 20


class Nginx:
    """A running nginx. `servers` are written as the configuration writes them: `127.0.0.1:8000 down`."""

    def __init__(self, directory: Path, servers: Iterable[str], *, tls: bool = False, more: str = "") -> None:
        self._directory = directory
        self._tls = tls
        self._more = more
        self._process: subprocess.Popen[bytes] | None = None
        self.port = find_port()
        self.certificate = directory / "fullchain.pem"
        write_certificate(directory)
        self._write(servers)

    def __enter__(self) -> Self:
        configuration, log = self._directory / "nginx.conf", self._directory / "start.log"
        self._process = subprocess.Popen(["nginx", "-c", str(configuration), "-e", str(log)])
        wait_until(self._accepts, "nginx does not answer")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(BOUND_SECONDS)

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def reload(self, servers: Iterable[str]) -> None:
        """Returns when no old worker takes connections any more; it serves those that it has to their end."""
        assert self._process is not None
        old = self._workers()
        self._write(servers)
        self._process.send_signal(signal.SIGHUP)
        wait_until(lambda: all(is_leaving(pid) for pid in old), "nginx does not reload")

    def _write(self, servers: Iterable[str]) -> None:
        text = CONFIGURATION.read_text("utf-8")
        lines = "\n".join(f"server {server} max_fails=0;" for server in servers)
        listen = f"listen 127.0.0.1:{self.port}{' ssl' if self._tls else ''};"
        for before, after in [
            ("listen 443 ssl;", listen),
            ("    server 127.0.0.1:8000 max_fails=0;\n", lines),
            (f"/etc/letsencrypt/live/{HOST}", str(self._directory)),
        ]:
            assert before in text
            text = text.replace(before, after)
        text = FRAME.format(
            user=USER, directory=self._directory, header=INSTANCE, configuration=text, more=self._more
        )
        (self._directory / "nginx.conf").write_text(text, "utf-8")

    def _workers(self) -> list[int]:
        assert self._process is not None
        pid = self._process.pid
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]

    def _accepts(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._directory / "start.log").read_text("utf-8")
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def is_leaving(worker: int) -> bool:
    try:
        return b"shutting down" in Path(f"/proc/{worker}/cmdline").read_bytes()
    except OSError:
        return True


def wait_until(accept: Callable[[], bool], problem: str, seconds: float = BOUND_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not accept():
        assert time.monotonic() < deadline, problem
        time.sleep(0.02)


def find_port() -> int:
    """One that nobody listens on and that no outgoing connection is given meanwhile."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


def write_certificate(directory: Path) -> None:
    """A certificate that vouches for itself, and its key, under the names that certbot gives them."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (directory / "fullchain.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (directory / "privkey.pem").write_bytes(private)
