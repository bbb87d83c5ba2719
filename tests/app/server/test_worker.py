"""What gunicorn's master imports for the worker's class is harmless: nothing is patched yet."""

from __future__ import annotations

import sys

from tests.fresh_python import run_python

# What gevent replaces: who takes a function or class out of one of these by name keeps the old one.
CODE = """
import sys
import gunicorn.glogging, gunicorn.workers.ggevent
before = set(sys.modules)
import app.config, app.state_lock, app.server.line_logger, app.server.worker
new = sorted(set(sys.modules) - before)
from gevent import monkey
monkey.patch_all()
import warnings
patched = {}
for name, names in monkey.saved.items():
    for attribute, original in names.items():
        if callable(original):
            patched[id(original)] = (name, attribute)
for name in new:
    module = sys.modules[name]
    for attribute, value in vars(module).items():
        if id(value) in patched and attribute != "__builtins__":
            print(name, attribute, patched[id(value)])
print(*new)
"""


def test_nothing_that_is_patched_later_is_taken_before() -> None:
    *taken, modules = run_python(CODE)
    assert taken == []
    loaded = {name.split(".")[0] for name in modules.split()} - sys.stdlib_module_names
    assert loaded <= {"app", "gevent"}


def test_the_master_does_not_load_what_it_does_not_need() -> None:
    """It lives as long as the gateway, and stays as large as it has once been."""
    loaded = set(run_python(CODE.replace("app.config, app.state_lock, ", ""))[-1].split())
    assert "app.server.worker" in loaded
    unneeded = {"sqlite3", "ctypes", "msgspec", "app.config", "app.core", "app.hub", "app.server.connections"}
    assert not loaded & unneeded


LEFT_OUT = """
import sys
from app.encoding_guess import leave_out
leave_out()
import requests
left_out = [name for name in ("chardet", "charset_normalizer") if name in sys.modules]
import charset_normalizer
answer = requests.Response()
answer._content = "Zürich".encode()
print(left_out, answer.text)
"""


def test_requests_does_without_what_guesses_encodings_and_others_do_not() -> None:
    assert run_python(LEFT_OUT) == ["[] Zürich"]


PATCHED = """
from importlib import metadata
import gevent.monkey
from app.server.worker import GatewayWorker
heard, reads = [], []
gevent.monkey._subscribe_signal_os = heard.append
ours, metadata.entry_points = metadata.entry_points, lambda **params: reads.append(params) or ours(**params)
asked = metadata.entry_points
worker = GatewayWorker.__new__(GatewayWorker)
worker.sockets = []
worker.patch()
import socket
print(reads, len(heard), metadata.entry_points is asked, socket.socket.__module__)
"""


def test_installed_packages_are_read_once_for_the_plug_ins_of_gevent() -> None:
    """And a plug-in is still told."""
    assert run_python(PATCHED) == ["[{}] 1 True gevent._socket3"]
