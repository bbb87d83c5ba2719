"""The command `glm-api`, in a checkout `python -m app.command`: one name for all that can be started.

Only the standard library is imported before it is known what is wanted, so that missing packages are said in
one line.
"""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

HOME = Path(__file__).parents[1]
"""Where wsgi.py, gunicorn.conf.py, app and demo lie, in a checkout and in an installed package."""

USAGE = """usage: glm-api COMMAND

  run             start the gateway, on 127.0.0.1:8000 (HOST and PORT in the environment say otherwise)
  demo            start it with a stand-in for chatglm.cn, to look around; the key is demo-anna
  doctor          say why it does not work, and what to do (glm-api doctor --help)
  record FILE     ask one small question, and write the shapes of what was said, to be handed on
  key LABEL       make a gateway key

  --help, --version

All settings are environment variables: docs/configuration.md.
"""

_USAGE_CODE = 2
_INTERRUPTED = 130


def main(arguments: list[str]) -> int:
    """Returns the exit code. `run` and `demo` become the program that they name, and do not return."""
    return run_guarded(lambda: _call(arguments))


def run_guarded(call: Callable[[], int]) -> int:
    """What `call` returns; missing packages, Ctrl-C and a reader that has seen enough are no tracebacks."""
    try:
        code = call()
        sys.stdout.flush()
    except ModuleNotFoundError as exc:
        package = (exc.name or "").partition(".")[0]
        if (HOME / package).exists():
            raise  # a mistake of ours
        sys.stderr.write(f"the package {package} is not installed here: see README.md, Two commands\n")
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:  # nothing must be written at the end either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


def _call(arguments: list[str]) -> int:
    name, *rest = arguments or [""]
    if name in ("-h", "--help", "help"):
        sys.stdout.write(USAGE)
        return 0
    if name in ("-V", "--version"):
        sys.stdout.write(f"glm-api {find_version()}\n")
        return 0
    if name not in _COMMANDS:
        # Not repeated: it may be a token.
        sys.stderr.write(f"glm-api: expected {', '.join(_COMMANDS)} or --help\n")
        return _USAGE_CODE
    return _COMMANDS[name](rest)


def find_version() -> str:
    """Of the checkout that this is, or of the package that is installed."""
    try:
        text = (HOME / "pyproject.toml").read_text("utf-8")
    except FileNotFoundError:
        return _find_installed_version()
    return str(tomllib.loads(text)["project"]["version"])


def _find_installed_version() -> str:
    try:
        return version("glm-api")
    except PackageNotFoundError:
        return "unknown"


def _run(arguments: list[str]) -> int:
    return _become("run", arguments, "gunicorn", "-c", str(HOME / "gunicorn.conf.py"), "wsgi:app")


def _demo(arguments: list[str]) -> int:
    return _become("demo", arguments, "demo", "--serve")


def _become(name: str, arguments: list[str], module: str, *rest: str) -> int:
    """Be this program from now on: signals and the exit code are its own.

    -P: what lies in the directory of the call must not be taken for a module of ours.
    """
    if not arguments:
        import_module("gunicorn")  # a missing package is said by us
        path = os.pathsep.join(filter(None, [str(HOME), os.environ.get("PYTHONPATH")]))
        command = [sys.executable, "-P", "-m", module, *rest]
        os.execve(sys.executable, command, {**os.environ, "PYTHONPATH": path})  # noqa: S606 - no shell
    sys.stderr.write(f"glm-api {name}: takes no arguments; settings are environment variables\n")
    return _USAGE_CODE


def _doctor(arguments: list[str]) -> int:
    return int(import_module("app.doctor.command").main(arguments))


def _record(arguments: list[str]) -> int:
    """The doctor's; everything after the file is an option of the doctor's."""
    if not arguments or arguments[0].startswith("-"):
        sys.stderr.write("glm-api record: expected FILE, and then what the doctor takes (--tokens FILE)\n")
        return _USAGE_CODE
    return _doctor(["--record", *arguments])


def _key(arguments: list[str]) -> int:
    return int(import_module("app.keys.__main__").main(["new", *arguments]))


_COMMANDS: Mapping[str, Callable[[list[str]], int]] = {
    "run": _run,
    "demo": _demo,
    "doctor": _doctor,
    "record": _record,
    "key": _key,
}


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
