"""How gunicorn serves the gateway: one process, thousands of greenlets.

Read by gunicorn's master before anything is patched, so only the standard library is imported here, of the
application what makes no locks, and the worker's class, as gunicorn does; it is never preloaded. HOST, PORT,
LOG_LEVEL, LOG_FORMAT and GLM_DRAIN_SECONDS come from the same environment as the settings of the application:
all of them are looked at before anything listens, and what is wrong ends the start with a line for each.
"""

from __future__ import annotations

import errno
import os
import resource
import socket
import sys
import traceback
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Any

LOG_LEVELS = ("debug", "info", "warning", "error")
LOGGERS = {"text": "TextLogger", "json": "JsonLogger"}

# A worker looks once a second whether it should stop and once a second whether it has finished; what is left
# of these seconds is for its clean-up code. The master kills it when they are over.
CLEAN_UP_SECONDS = 5

# Files beside the connections: listener, state, log, resolver, deletions.
SPARE_FILES = 200


HOME = str(Path(__file__).resolve().parent)
if sys.path[0] != HOME:  # but what lies where gunicorn was called, which may be named as we are
    sys.path.insert(0, HOME)

WRONG: dict[str, str] = {}
"""A line for each variable that ends the start, once all of them have been read."""


def refuse(name: str, value: str, wanted: str) -> None:
    WRONG.setdefault(name, f"{name} is wrong: {wanted}, got {value!r}")


def read_number(name: str, default: int, lowest: int, highest: int) -> int:
    """The variable as a whole number; unset and empty both mean `default`."""
    text = os.environ.get(name, "").strip() or str(default)
    if not (text.isascii() and text.isdigit() and lowest <= int(text) <= highest):
        refuse(name, text, f"expected a whole number from {lowest} to {highest}")
        return default
    return int(text)


def read_log_level() -> str:
    """LOG_LEVEL in gunicorn's spelling."""
    text = os.environ.get("LOG_LEVEL", "").strip().lower() or "info"
    if text not in LOG_LEVELS:
        refuse("LOG_LEVEL", text, f"expected one of {', '.join(LOG_LEVELS)}")
        return "info"
    return text


def read_log_format() -> str:
    """LOG_FORMAT as app.log_line knows it."""
    text = os.environ.get("LOG_FORMAT", "").strip().lower() or "text"
    if text not in LOGGERS:
        refuse("LOG_FORMAT", text, f"expected one of {', '.join(LOGGERS)}")
        return "text"
    return text


def is_ip_address(text: str) -> bool:
    try:
        return bool(ip_address(text))
    except ValueError:
        return False


def read_address() -> str:
    """HOST and PORT as gunicorn binds them; port 0 takes any free one."""
    host = os.environ.get("HOST", "").strip() or "127.0.0.1"
    if any(character.isspace() or character in "/@" for character in host):
        refuse("HOST", host, "expected a host name or an IP address")
    elif ":" in host and not is_ip_address(host.strip("[]")):
        refuse("HOST", host, "expected a host name or an IP address, and the port in PORT")
    port = read_number("PORT", 8000, 0, 65535)
    return f"[{host.strip('[]')}]:{port}" if ":" in host else f"{host}:{port}"


def refuse_more_than_one_process(name: str, value: int) -> None:
    """One process owns its accounts: two would answer twice at a time on the same one."""
    if value > 1:
        refuse(
            name,
            str(value),
            "expected 1, since one process owns its accounts and knows which of them is answering (for more "
            "cores start more instances behind a balancer that hashes the credential)",
        )


bind = read_address()
# Thousands that somebody opens at once fill a shorter one; whose connection finds no place then asks again a
# second later. Linux allows net.core.somaxconn, 4096 unless set.
backlog = 4096

worker_class = "app.server.worker.GatewayWorker"
workers = 1
refuse_more_than_one_process("WEB_CONCURRENCY", read_number("WEB_CONCURRENCY", 1, 1, 1024))
# Every open connection counts, idle ones too. The worker keeps the last seats free: it closes who has kept it
# waiting longest.
worker_connections = 2000
preload_app = False
# Recycling a worker would cut its streams: the worker does not know how.
max_requests = 0

# Watches the event loop and never a request: a worker is only killed when something blocks it this long.
timeout = 120
graceful_timeout = read_number("GLM_DRAIN_SECONDS", 30, 0, 3600) + CLEAN_UP_SECONDS
# Longer than the 60 seconds that balancers keep a connection, so that they end it and never meet a closed
# one: from one answer to the first byte of the next request.
keepalive = 75

limit_request_line = 4094
# The Authorization header, or x-api-key, carries a whole list of refresh tokens of 300 to 500 bytes: 64 KiB
# are over a hundred. The name counts too. The head as a whole has a bound of its own: app/server/head.py.
limit_request_field_size = 65_536 + 64
limit_request_fields = 64
# The heartbeat file of the worker: on a disk it can block the event loop.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  gunicorn makes an unnamed file

# The application writes one line a request itself, when the stream is over and without secrets.
accesslog = None
errorlog = "-"
loglevel = read_log_level()
# The master's own lines look like those of the application.
logger_class = f"app.server.line_logger.{LOGGERS[read_log_format()]}"
# Nothing here needs steering from outside, and the image's file system may be read-only.
control_socket_disable = True
# What a proxy says of a request is believed from nobody here: a path that SCRIPT_NAME shortens would walk
# around the proxy's own rules. X-Forwarded-For is the application's matter (TRUSTED_PROXIES).
forwarded_allow_ips = ""
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}
# What is tested: gunicorn takes another parser by itself where that happens to be installed.
http_parser = "python"


def raise_file_limit(connections: int) -> str | None:
    """Let the worker, which inherits it, open all the files it may need; what to say where it cannot."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # A reply holds two: its client and its upstream.
    wanted = 2 * connections + SPARE_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        if soft < wanted:
            streams = max(0, (soft - SPARE_FILES) // 2)
            return f"Only {soft} open files are allowed (ulimit -Hn): about {streams} answers at a time."
    return None


def keep_standard_streams() -> None:
    """No socket and no state file may become standard output, or error."""
    from app.standard_streams import open_closed_streams  # noqa: PLC0415 - the application lies beside this file

    open_closed_streams()


def ask_child(*questions: Callable[[], str], meanwhile: Callable[[], None]) -> list[str]:
    """The answers to `questions`, in order, out of a process of its own; `meanwhile` is done in this one.

    The master lives as long as the gateway and stays as large as it has once been; what reads settings is two
    megabytes, and takes a twelfth of a second to load.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            with os.fdopen(writing, "w", encoding="utf-8", errors="surrogateescape") as said:
                said.write("\0".join([ask() for ask in questions]))
        except BaseException:  # noqa: BLE001 - this process must not become another master
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    os.close(writing)
    meanwhile()
    with os.fdopen(reading, encoding="utf-8", errors="surrogateescape") as said:
        answers = said.read().split("\0")
    if os.waitpid(child, 0)[1]:
        raise SystemExit("the settings could not be read")
    return answers


def import_worker() -> None:
    """What gunicorn imports next anyway: on a second core the start is shorter by as much."""
    import app.server.worker  # noqa: F401, PLC0415 - the application lies beside this file


def describe_wrong() -> str:
    from app.config import read_settings  # noqa: PLC0415 - the application lies beside this file

    return "\n".join((read_settings(os.environ)[1] | WRONG).values())


def describe_state() -> str:
    """A gateway would find that out for itself, in the worker, with gunicorn's own words after the reason.

    Empty where settings are wrong: `describe_wrong` says that.
    """
    from app.config import InvalidSetting, Settings  # noqa: PLC0415 - as above
    from app.state import StateInUse, StateTooNew, check_startable  # noqa: PLC0415

    try:
        check_startable(Settings.from_env(os.environ).state_path)
    except InvalidSetting:
        return ""
    except (StateInUse, StateTooNew) as exc:
        return str(exc)
    return ""


def end_where_wrong(problem: str) -> None:
    """Nothing listens yet, and nothing was said: the reasons are all that there is to read."""
    if problem:
        raise SystemExit(problem)


def look_at_settings() -> str:
    """What is wrong with the state file. Where a setting is wrong, the start ends here."""
    settings_problem, state_problem = ask_child(describe_wrong, describe_state, meanwhile=import_worker)
    end_where_wrong(settings_problem)
    return state_problem


def find_address_problem(address: Any) -> str | None:
    """Why nobody can listen there. gunicorn would try for five seconds, and not say what to do."""
    if not isinstance(address, tuple):
        return None
    host, port = address[0], address[1]
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except socket.gaierror:
        return f"HOST is wrong: this machine finds no address of {host!r}"
    except OSError as exc:
        problems = {
            errno.EADDRINUSE: f"port {port} of {host} is taken by another program; take another one: "
            f"PORT={port % 65535 + 1}",
            errno.EACCES: f"port {port} is for root alone; take one above 1023: PORT=8000",
            errno.EADDRNOTAVAIL: f"HOST is wrong: {host!r} is no address of this machine",
        }
        return problems.get(exc.errno or 0, f"cannot listen on {host}, port {port}: {exc.strerror}")
    return None


def check_addresses(cfg: Any) -> None:
    """Sockets that a predecessor or systemd hands over, or that several may share, are taken as they are."""
    if cfg.reuse_port or os.environ.keys() & {"GUNICORN_FD", "LISTEN_FDS"}:
        return
    for problem in filter(None, map(find_address_problem, cfg.address)):
        raise SystemExit(problem)


def on_starting(server: Any) -> None:
    """The command line can still ask for what this file refuses."""
    refuse_more_than_one_process("--workers", server.cfg.workers)
    if server.cfg.preload_app:
        refuse("--preload", "on", "expected off, since the worker must import the application after patching")
    if WRONG:
        raise SystemExit("\n".join(WRONG.values()))
    check_addresses(server.cfg)
    if server.app.app_uri == "wsgi:app":
        # What --env says was not in the environment when this file was read.
        end_where_wrong(look_at_settings() if server.cfg.env else STATE_PROBLEM)
    warning = raise_file_limit(server.cfg.worker_connections)
    if warning is not None:
        server.log.warning(warning)


def post_worker_init(worker: Any) -> None:
    """The application is loaded, and requests are about to be taken."""
    gateway = getattr(worker.wsgi, "extensions", {}).get("glm-api")
    if gateway is not None:
        gateway.log_start([listener.getsockname() for listener in worker.sockets])


def worker_exit(server: Any, worker: Any) -> None:
    """The last thing a worker does: what is due is deleted upstream, the rest waits in the state file."""
    gateway = getattr(getattr(worker, "wsgi", None), "extensions", {}).get("glm-api")
    if gateway is not None:
        gateway.stop(CLEAN_UP_SECONDS - 2)


keep_standard_streams()
# A reload reads this file again, and finds the state file in use, by itself: that matters at the start alone.
STATE_PROBLEM = look_at_settings()
