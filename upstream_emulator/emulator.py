"""The upstream emulator, as a program and inside a process.

`python -m upstream_emulator [--host 127.0.0.1] [--port 0] [replay FILE]` prints `listening http://HOST:PORT`
and serves until SIGTERM or SIGINT. `with UpstreamEmulator() as upstream:` serves from a thread of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import ssl
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from upstream_emulator.connection import Connection
from upstream_emulator.control import change_account
from upstream_emulator.endpoint import Dispatcher
from upstream_emulator.replay import BadRecording, Replay, read_recording
from upstream_emulator.world import World

BACKLOG = 1024
START_SECONDS = 10

T = TypeVar("T")


class UpstreamServer:
    """The listening socket and everything behind it. Lives on one event loop.

    With `replay` it answers from a recording and knows nobody.
    """

    def __init__(self, replay: Replay | None = None) -> None:
        self.world = World()
        self._replay = replay
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> str:
        """Begins to listen and returns the URL. Raises OSError."""
        dispatch = self._replay or Dispatcher(self.world)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(dispatch, self.world.connections, self.world.clock),
            host,
            port,
            backlog=BACKLOG,
            ssl=tls,
        )
        name = self._server.sockets[0].getsockname()
        return f"http{'s' if tls else ''}://{name[0]}:{name[1]}"

    async def stop(self) -> None:
        """Stops listening and closes every connection at once."""
        if self._server is not None:
            self._server.close()
            for connection in list(self.world.connections):
                connection.abort()
            await self._server.wait_closed()


class UpstreamEmulator:
    """Runs the upstream emulator in a daemon thread. All methods may be called from any thread."""

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        replay: Replay | None = None,
        **settings: Any,
    ) -> None:
        """`settings` are those of `upstream_emulator.setting.Setting`; with `tls` it is an https server."""
        self._address = (host, port, tls)
        self._settings = settings
        self._server = UpstreamServer(replay)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="upstream-emulator", daemon=True)
        self.url = ""

    def __repr__(self) -> str:
        return f"<UpstreamEmulator {self.url or 'not started'}>"

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self.url = self._await(self._server.start(*self._address))
            self.configure(**self._settings)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stops serving; may be called again."""
        if self._loop.is_closed():
            return
        self._await(self._server.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_SECONDS)
        self._loop.close()

    def state(self) -> dict[str, Any]:
        """What `GET /_emulator/state` shows."""
        return self._call(self._world.snapshot)

    def requests(self) -> list[dict[str, Any]]:
        """What `GET /_emulator/requests` shows: the last 200 requests, oldest first."""
        return self._call(lambda: [recorded.as_json() for recorded in self._world.record.recent])

    def reset(self) -> None:
        """Forgets everything, the settings given at the start excepted."""
        self._call(self._world.reset)
        self.configure(**self._settings)

    def configure(self, **settings: Any) -> None:
        """Changes settings. Raises InvalidSetting."""
        self._call(lambda: self._world.setting.apply(settings))

    def account(self, name: str, **changes: Any) -> None:
        """Changes an account as `POST /_emulator/accounts/NAME` does. Raises InvalidChange."""
        self._call(lambda: change_account(self._world, name, changes))

    @contextmanager
    def held(self) -> Iterator[None]:
        """Serves nobody meanwhile, as if its process had no core."""
        is_held, may_go = threading.Event(), threading.Event()

        def hold() -> None:
            is_held.set()
            may_go.wait(START_SECONDS)

        self._loop.call_soon_threadsafe(hold)
        is_held.wait(START_SECONDS)
        try:
            yield
        finally:
            may_go.set()

    def wait_until(self, accept: Callable[[dict[str, Any]], bool], seconds: float = 20) -> dict[str, Any]:
        """The first state that is accepted. Raises TimeoutError, showing the last one."""
        deadline = time.monotonic() + seconds
        while not accept(state := self.state()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"the upstream did not get there within {seconds} s: {state}")
            time.sleep(0.005)
        return state

    @property
    def _world(self) -> World:
        return self._server.world

    def _call(self, function: Callable[[], T]) -> T:
        async def call() -> T:
            return function()

        return self._await(call())

    def _await(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(START_SECONDS)


async def _serve(host: str, port: int, replay: Replay | None) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    server = UpstreamServer(replay)
    print(f"listening {await server.start(host, port)}", flush=True)
    await stopping.wait()
    await server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description="A stand-in for chatglm.cn on a loopback socket.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    commands = parser.add_subparsers(dest="command")
    replaying = commands.add_parser("replay", help="answer from a recording of `glm-api record`")
    replaying.add_argument("file", type=Path)
    arguments = parser.parse_args()
    try:
        replay = Replay(read_recording(arguments.file)) if arguments.command else None
    except (OSError, UnicodeDecodeError, BadRecording) as exc:
        parser.error(str(exc))
    asyncio.run(_serve(arguments.host, arguments.port, replay))
