"""Passing a large file through costs no memory worth speaking of."""

from __future__ import annotations

import re
import socket
import threading
from pathlib import Path

import pytest

from demo.gateway import GatewayProcess
from tests.file_server import FileServer, Page
from tests.live.asking import ask_messages
from tests.live.conftest import connect
from tests.live_files.attaching import TEXT, image, link, messages
from tests.live_files.conftest import MEBIBYTE, SETTINGS
from upstream_emulator.emulator import UpstreamEmulator

FILE_BYTES = 100 * MEBIBYTE


def large(stamp: bytes) -> Page:
    """A document of exactly as many bytes as are allowed; the stamp makes it one of its own."""
    begin = b"%PDF-1.7 " + stamp

    def write(connection: socket.socket) -> None:
        connection.settimeout(30)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % FILE_BYTES + begin)
        left = FILE_BYTES - len(begin)
        while left:
            piece = b"x" * min(left, 65536)
            connection.sendall(piece)
            left -= len(piece)

    return write


def peak_mebibytes(gateway: GatewayProcess) -> float:
    """The most the worker ever had in memory."""
    status = Path(f"/proc/{gateway.worker_pid}/status").read_text("ascii")
    (kibibytes,) = re.findall(r"VmHWM:\s+(\d+) kB", status)
    return int(kibibytes) / 1024


@pytest.mark.parametrize(("at_once", "max_mebibytes"), [(1, 32), (3, 64)])
def test_a_file_of_100_mebibytes(
    upstream: UpstreamEmulator, pages: FileServer, at_once: int, max_mebibytes: int
) -> None:
    settings = SETTINGS | {
        "GLM_FILES_MAX_BYTES": str(FILE_BYTES),
        "GLM_FILES_TIMEOUT_SECONDS": "50",
        "GLM_FILES_PORTS": str(pages.port),
        "GLM_START_SECONDS": "10",
    }
    with GatewayProcess(upstream.url, None, **settings) as gateway:
        with connect(gateway, "demo-warm") as client:
            ask_messages(client, messages(image("data:image/gif;base64,R0lGODlhAQABAAAAADs=")), stream=False)
        idle = peak_mebibytes(gateway)
        asking = [threading.Thread(target=ask, args=(gateway, pages, number)) for number in range(at_once)]
        for thread in asking:
            thread.start()
        for thread in asking:
            thread.join(55)
        grown = peak_mebibytes(gateway) - idle
    uploads = [one for one in upstream.state()["uploads"] if one["size"] == FILE_BYTES]
    assert len({one["sha256"] for one in uploads}) == at_once
    assert grown < max_mebibytes


def ask(gateway: GatewayProcess, pages: FileServer, number: int) -> None:
    pages.pages[f"/{number}.pdf"] = large(b"%d" % number)
    with connect(gateway, f"demo-large-{number}") as client:
        ask_messages(client, messages(link(f"{pages.url}/{number}.pdf"), TEXT), stream=False)
