"""The command line: which of the two is shown, and how it ends when somebody has seen enough."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from urllib.parse import urlsplit

from demo.gateway import GatewayFailed, GatewayProcess
from upstream_emulator.emulator import UpstreamEmulator


class Interrupted(BaseException):
    """Ctrl-C or SIGTERM: everything that was started is stopped on the way out."""


def say(text: str = "") -> None:
    print(text, flush=True)


def serve() -> int:
    """Keep both running until Ctrl-C or SIGTERM."""
    with (
        UpstreamEmulator(pace=40) as upstream,
        GatewayProcess(upstream.url, None, "wsgi:app", PORT=find_port(), **_let_in(upstream)) as gateway,
    ):
        say(f"page      {gateway.url}/   (any key that begins with demo- is alive)")
        say(f"gateway   {gateway.url}/v1")
        say(f"upstream  {upstream.url}   (a stand-in for chatglm.cn; its record: /_emulator/state)\n\nTry:")
        body = '{"model": "glm", "stream": true, "messages": [{"role": "user", "content": "你好"}]}'
        say(f"  curl -N {gateway.url}/v1/chat/completions \\")
        say(f"    -H 'Authorization: Bearer demo-anna' -d '{body}'")
        with suppress(Interrupted):
            say("\nCtrl-C stops both.")
            threading.Event().wait()
        say("stopping")
    say("stopped")
    return 0


def find_port() -> str:
    """The one that README.md names, or another (0) where somebody has it."""
    port = os.environ.get("PORT") or "8000"
    if not port.isdecimal() or int(port) > 65535:
        raise SystemExit(f"PORT is {port!r}: a number up to 65535 is needed")
    with socket.socket() as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind(("127.0.0.1", int(port)))
        except OSError:
            return "0"
    return port


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m demo", description="Show the gateway at work.")
    parser.add_argument("--serve", action="store_true", help="keep everything running to try by hand")
    show = serve if parser.parse_args().serve else _load_tour()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    try:
        return show()
    except GatewayFailed as failed:
        say(f"The gateway did not start. Its log:\n{failed}")
        return 1
    except Interrupted:
        say("\nInterrupted; everything is stopped.")
        return 130


def _load_tour() -> Callable[[], int]:
    # It talks through the official client, which `make demo` installs and `make demo-serve` does without.
    tour: Callable[[], int] = import_module("demo.tour").tour
    return tour


def _let_in(upstream: UpstreamEmulator) -> dict[str, str]:
    """The pictures that the emulator draws lie on this machine, where no gateway would look otherwise."""
    return {"GLM_FILES_ALLOW_PRIVATE": "1", "GLM_FILES_PORTS": f"80,443,{urlsplit(upstream.url).port}"}


def _interrupt(number: int, frame: object) -> None:
    # Once: what stops everything must not be interrupted in its turn.
    for other in (signal.SIGTERM, signal.SIGINT):
        signal.signal(other, signal.SIG_IGN)
    # It may strike in the middle of a client's constructor: what half a client says as it dies helps nobody.
    sys.unraisablehook = lambda _: None
    raise Interrupted
