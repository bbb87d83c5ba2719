"""What gunicorn's master imports for the worker's class is harmless: nothing is patched yet."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]

# What gevent replaces: who takes a function or class out of one of these by name keeps the old one.
CODE = """
import sys
import gunicorn.glogging, gunicorn.workers.ggevent
before = set(sys.modules)
import app.config, app.state, app.server.line_logger, app.server.worker
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
print(*[name for name in new if name.split(".")[0] not in sys.stdlib_module_names])
"""


def test_nothing_that_is_patched_later_is_taken_before() -> None:
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", CODE],
        cwd=ROOT, capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    *taken, modules = run.stdout.splitlines()
    # These take them on purpose: they want them unpatched.
    wanted = ("app.hub.client _poll", "app.hub.loop _getaddrinfo", "gevent._threading ", "gevent.threadpool ")
    assert [line for line in taken if not line.startswith(wanted)] == []
    loaded = {name.split(".")[0] for name in modules.split()}
    assert loaded <= {"app", "gevent", "msgspec", "typing_extensions"}
    assert "app.factory" not in modules.split()
