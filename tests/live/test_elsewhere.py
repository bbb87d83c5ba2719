"""The gateway where what only Linux has is hidden from it: a stand-in for macOS, which was not tried."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from demo.gateway import GatewayProcess
from tests.raw_client import RawClient, open_chat
from upstream_emulator.emulator import UpstreamEmulator

# Run by Python itself, before anything of ours. gevent's loop, in C, keeps an epoll of its own.
HIDE = """
import ctypes, fcntl, os, pathlib, select, signal, socket

for module, names in {
    socket: ("TCP_INFO", "TCP_USER_TIMEOUT", "TCP_QUICKACK", "SO_REUSEPORT_LB", "SOCK_CLOEXEC", "AF_NETLINK"),
    select: ("epoll", "EPOLLIN", "POLLRDHUP"),
    fcntl: ("F_OFD_SETLK", "F_OFD_SETLKW", "F_OFD_GETLK", "F_SETPIPE_SZ"),
    os: ("O_TMPFILE", "O_PATH", "memfd_create", "sched_getaffinity", "sched_setaffinity", "pidfd_open",
         "eventfd", "posix_fadvise", "copy_file_range", "splice", "accept4"),
    signal: ("SIGPWR", "SIGSTKFLT"),
}.items():
    for name in names:
        module.__dict__.pop(name, None)
        if name in getattr(module, "__all__", ()):
            module.__all__.remove(name)

real_cdll = ctypes.CDLL

def cdll(name, *rest, **named):
    if name is None:
        raise OSError("hidden")
    return real_cdll(name, *rest, **named)

ctypes.CDLL = cdll
hidden = ("/proc", "/dev/shm")
for method in ("open", "read_text", "read_bytes", "stat", "glob", "iterdir"):
    def refuse(self, *rest, _real=getattr(pathlib.Path, method), **named):
        if str(self).startswith(hidden):
            raise FileNotFoundError(2, "hidden", str(self))
        return _real(self, *rest, **named)
    setattr(pathlib.Path, method, refuse)
pathlib.Path(os.environ["HIDDEN_IN"], str(os.getpid())).touch()
"""


@pytest.fixture
def hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a file for each process from which it is hidden."""
    (tmp_path / "hooks").mkdir()
    (tmp_path / "hooks/sitecustomize.py").write_text(HIDE)
    (tmp_path / "seen").mkdir()
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(tmp_path / "hooks"), os.environ.get("PYTHONPATH", "")])
    )
    monkeypatch.setenv("HIDDEN_IN", str(tmp_path / "seen"))
    return tmp_path / "seen"


def test_it_starts_answers_streams_and_stops(hidden: Path) -> None:
    question = {"model": "glm", "messages": [{"role": "user", "content": "hello"}]}
    headers = {"Authorization": "Bearer demo-elsewhere"}
    with UpstreamEmulator() as upstream, GatewayProcess(upstream.url, METRICS_KEY="m" * 20) as gateway:
        assert (hidden / str(gateway.pid)).exists()
        chat = f"{gateway.url}/v1/chat/completions"
        whole = requests.post(chat, json=question, headers=headers, timeout=20)
        assert whole.json()["choices"][0]["message"]["content"]
        streamed = requests.post(chat, json=question | {"stream": True}, headers=headers, timeout=20)
        assert streamed.text.endswith("data: [DONE]\n\n")
        metrics = requests.get(
            f"{gateway.url}/metrics", headers={"Authorization": "Bearer " + "m" * 20}, timeout=20
        )
        assert metrics.status_code == 200
        assert gateway.stop() == 0
        assert "Traceback" not in gateway.log()


def leave(raw: RawClient) -> None:
    raw.close()


def end_own_half(raw: RawClient) -> None:
    raw.socket.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("go", [leave, end_own_half])
def test_a_client_that_goes_while_nothing_is_written_is_noticed(
    go: Callable[[RawClient], None], hidden: Path, *, stream: bool
) -> None:
    with UpstreamEmulator() as upstream, GatewayProcess(upstream.url, GLM_HEARTBEAT_SECONDS="60") as gateway:
        raw = open_chat(gateway.url, "demo-elsewhere", "[[stall at=1 seconds=30]]", stream=stream)
        upstream.wait_until(lambda state: state["open_streams"] == 1)
        go(raw)
        assert upstream.wait_until(lambda state: state["open_streams"] == 0)["stopped_early"] == 1
        raw.close()
        assert gateway.stop() == 0
        assert "Traceback" not in gateway.log()
