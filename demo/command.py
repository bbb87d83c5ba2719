"""The command line: which of the two is shown, and how it ends when somebody has seen enough."""

from __future__ import annotations

import argparse
import errno
import os
import select
import signal
import socket
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from urllib.parse import urlsplit

from demo.gateway import GatewayFailed, GatewayProcess
from upstream_emulator.emulator import UpstreamEmulator

USUAL_PORT = 8000
KEY = "demo-anna"

# SIGHUP: its window is closed.
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Interrupted(BaseException):
    """Ctrl-C or SIGTERM: everything that was started is stopped on the way out."""


class OutputLost(Exception):
    """Nobody reads what is said, or nothing can be said any more: the message says why, or is empty."""


def say(text: str = "", end: str = "\n") -> None:
    """Raises OutputLost."""
    try:
        print(text, end=end, flush=True)
    except OSError as exc:
        is_left = isinstance(exc, BrokenPipeError)
        raise OutputLost("" if is_left else f"cannot write to standard output: {exc.strerror}") from exc


def serve() -> int:
    """Keep both running until Ctrl-C or SIGTERM."""
    port, why = find_port()
    with (
        UpstreamEmulator(pace=40) as upstream,
        GatewayProcess(
            upstream.url, None, "wsgi:app", PORT=port, GLM_DEMO_KEY=KEY, **_let_in(upstream)
        ) as gateway,
    ):
        say(f"page      {gateway.url}/   (any key that begins with demo- is alive)")
        if why:
            say(f"          {why}")
        say(f"gateway   {gateway.url}/v1")
        say(f"upstream  {upstream.url}   (a stand-in for chatglm.cn; its record: /_emulator/state)\n\nTry:")
        body = '{"model": "glm", "stream": true, "messages": [{"role": "user", "content": "你好"}]}'
        say(f"  curl -N {gateway.url}/v1/chat/completions \\")
        say(f"    -H 'Authorization: Bearer {KEY}' -d '{body}'")
        with suppress(Interrupted):
            say("\nCtrl-C stops both.")
            wait_while_read(sys.stdout.fileno())
        say("stopping")
    say("stopped")
    return 0


def find_port() -> tuple[str, str]:
    """The one to take, and why it is another one than README.md names, where it is.

    Without PORT it is any (0) where somebody has the usual one. Ends where PORT cannot be had.
    """
    given = os.environ.get("PORT", "").strip()
    port = given or str(USUAL_PORT)
    if not (port.isascii() and port.isdecimal() and int(port) <= 65535):
        raise SystemExit(f"PORT is wrong: expected a whole number from 0 to 65535, got {port!r}")
    if not _is_taken(int(port)):
        return port, ""
    if given:
        raise SystemExit(
            f"port {port} is taken by another program; take another one: PORT={int(port) % 65535 + 1}"
        )
    return "0", f"since port {USUAL_PORT} is taken by another program; PORT=8001 would choose one"


def _is_taken(port: int) -> bool:
    """Anything else that is wrong with it the gateway says."""
    host = os.environ.get("HOST", "").strip().strip("[]") or "127.0.0.1"
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((host, port))
        except OSError as exc:
            return exc.errno == errno.EADDRINUSE
    return False


def wait_while_read(output: int) -> None:
    """Until a signal, or until the reader of a pipe has left. Raises OutputLost for that."""
    mode = os.fstat(output).st_mode
    watch = select.poll()
    if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
        watch.register(output, 0)  # errors and hang-ups alone
    watch.poll()
    raise OutputLost


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m demo", description="Show the gateway at work.")
    parser.add_argument("--serve", action="store_true", help="keep everything running to try by hand")
    show = serve if parser.parse_args().serve else _load_tour()
    for number in _SIGNALS:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup
            signal.signal(number, _interrupt)
    try:
        return _show(show)
    except OutputLost as lost:
        _silence(str(lost))
        return 1
    except Interrupted:
        return 130


def _show(show: Callable[[], int]) -> int:
    if sys.stdout is None:
        raise OutputLost(f"cannot write to standard output: {os.strerror(errno.EBADF)}")
    try:
        return show()
    except GatewayFailed as failed:
        say(f"The gateway did not start. Its log:\n{failed}")
        return 1
    except Interrupted:
        say("\nInterrupted; everything is stopped.")
        raise


def _silence(why: str) -> None:
    """Say it where it can be said; what is still to be written is dropped."""
    if why and sys.stderr is not None:
        sys.stderr.write(f"{why}\n")
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _load_tour() -> Callable[[], int]:
    # It talks through the official client, which `make demo` installs and `make demo-serve` does without.
    tour: Callable[[], int] = import_module("demo.tour").tour
    return tour


def _let_in(upstream: UpstreamEmulator) -> dict[str, str]:
    """The pictures that the emulator draws lie on this machine, where no gateway would look otherwise."""
    return {"GLM_FILES_ALLOW_PRIVATE": "1", "GLM_FILES_PORTS": f"80,443,{urlsplit(upstream.url).port}"}


def _interrupt(number: int, frame: object) -> None:
    # Once: what stops everything must not be interrupted in its turn.
    for other in _SIGNALS:
        signal.signal(other, signal.SIG_IGN)
    # It may strike in the middle of a client's constructor: what half a client says as it dies helps nobody.
    sys.unraisablehook = lambda _: None
    raise Interrupted
