"""The command `glm-api`, in a checkout `python -m app.command`: one name for all that can be started.

Only the standard library is imported before it is known what is wanted, so that missing packages are said in
one line.
"""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

from app.invocation import CALLED, CHECKOUT, HOME, PACKAGE
from app.standard_streams import OUTPUT_ERRORS, drop_output, open_closed_streams

_USAGE_CODE = 2
_INTERRUPTED = 130
_HELP = ("-h", "--help")


@dataclass(frozen=True, slots=True)
class _Command:
    """`text` is its help; without one the command reads --help by itself."""

    arguments: str
    summary: str
    call: Callable[[list[str]], int]
    text: str = ""


def main(arguments: list[str]) -> int:
    """Returns the exit code. `run` and `demo` become the program that they name, and do not return."""
    return run_guarded(lambda: _call(arguments))


def run_guarded(call: Callable[[], int]) -> int:
    """What `call` returns; missing packages, Ctrl-C, and an output that takes no more are no tracebacks."""
    open_closed_streams()
    try:
        code = _find_code(call)
        sys.stdout.flush()
    except ModuleNotFoundError as exc:
        package = (exc.name or "").partition(".")[0]
        if (HOME / package).exists():
            raise  # a mistake of ours
        sys.stderr.write(f"the package {package} is not installed here: {_say_remedy()}\n")
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    except OSError as exc:
        if exc.filename is not None or exc.errno not in OUTPUT_ERRORS:
            raise  # of a file, or of a connection
        if not isinstance(exc, BrokenPipeError):  # its reader has seen enough
            sys.stderr.write(f"cannot write to standard output: {exc.strerror}\n")
        drop_output()
        return 1
    return code


def _find_code(call: Callable[[], int]) -> int:
    """The parser of arguments ends the program, help that it was asked for is still to be written."""
    try:
        return call()
    except SystemExit as end:
        if not isinstance(end.code, int):
            raise
        return end.code


def _say_remedy() -> str:
    if CALLED is CHECKOUT:
        return "`make install` and `make run` install what they need (README.md, Two commands)"
    if CALLED is PACKAGE:
        return "install glm-api again, with its packages (`pipx reinstall glm-api`; docs/deploy.md)"
    return "`python -m pip install --require-hashes -r requirements.txt`"


def _call(arguments: list[str]) -> int:
    name, *rest = arguments or [""]
    if name == "help" and rest and rest[0] in _COMMANDS:
        name, rest = rest[0], ["--help"]
    if name in (*_HELP, "help"):
        sys.stdout.write(_build_usage())
        return 0
    if name in ("-V", "--version"):
        sys.stdout.write(f"glm-api {find_version()}\n")
        return 0
    command = _COMMANDS.get(name)
    if command is None:
        return _refuse_name(name)
    if command.text and not {*_HELP}.isdisjoint(rest):
        sys.stdout.write(f"{_build_line(name)}\n\n{command.text}")
        return 0
    return command.call(rest)


def _refuse_name(name: str) -> int:
    """The name is not repeated: it may be a token."""
    near = "".join(f"; did you mean {found}?" for found in get_close_matches(name, _COMMANDS, 1))
    sys.stderr.write(f"glm-api: expected {', '.join(_COMMANDS)} or --help{near}\n")
    return _USAGE_CODE


def _build_usage() -> str:
    lines = (
        f"  {f'{name} {command.arguments}'.strip():15} {command.summary}\n"
        for name, command in _COMMANDS.items()
    )
    return (
        f"usage: {CALLED.program} COMMAND\n\n{''.join(lines)}\n"
        f"  --help, --version; {CALLED.program} COMMAND --help tells more of one\n\n"
        "All settings are environment variables: docs/configuration.md.\n"
    )


def _build_line(name: str) -> str:
    return f"usage: {CALLED.program} {name} {_COMMANDS[name].arguments}".rstrip()


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
    sys.stderr.write(
        f"glm-api {name}: takes no arguments; settings are environment variables: "
        f"PORT=8001 {CALLED.program} {name}\n"
    )
    return _USAGE_CODE


def _doctor(arguments: list[str]) -> int:
    return int(import_module("app.doctor.command").main(arguments, f"{CALLED.program} doctor"))


def _record(arguments: list[str]) -> int:
    """The doctor's; everything after the file is an option of the doctor's."""
    if not arguments or arguments[0].startswith("-"):
        sys.stderr.write("glm-api record: expected FILE, and then what the doctor takes (--tokens FILE)\n")
        return _USAGE_CODE
    return _doctor(["--record", *arguments])


def _key(arguments: list[str]) -> int:
    return int(import_module("app.keys.__main__").main(["new", *arguments]))


_COMMANDS: Mapping[str, _Command] = {
    "run": _Command(
        "",
        "start the gateway, on 127.0.0.1:8000 (HOST and PORT in the environment say otherwise)",
        _run,
        f"""Starts the gateway and stays. Settings are environment variables; a wrong one ends the start and
is named:

  PORT=8001 {CALLED.program} run

SIGTERM and Ctrl-C let running answers end first. Exit code: 0 stopped, another one: it could not start.
""",
    ),
    "demo": _Command(
        "",
        "start it with a stand-in for chatglm.cn, to look around; the key is demo-anna",
        _demo,
        f"""Starts the gateway with a stand-in for chatglm.cn, and stays until Ctrl-C. Nothing leaves this
machine, and nothing is kept. It takes port 8000, or another one where that is taken; with PORT that one
or none:

  PORT=8001 {CALLED.program} demo

Exit code: 0 stopped by SIGTERM or Ctrl-C, 1 it could not start, or nobody reads what it prints.
""",
    ),
    "doctor": _Command(
        "", f"say why it does not work, and what to do ({CALLED.program} doctor --help)", _doctor
    ),
    "record": _Command(
        "FILE",
        "ask one small question, and write the shapes of what was said, to be handed on",
        _record,
        """Asks the first account one small question, and writes the shapes of what was sent and answered to
FILE, which must not be there yet: no text, no id, no token. Read it before you give it away (docs/doctor.md).

  --tokens FILE   refresh tokens, one a line; - is standard input. Else those that are configured.
  --json          one JSON document for scripts

Exit code: 0 written, 1 something is wrong, 2 the command makes no sense.
""",
    ),
    "key": _Command(
        "LABEL",
        "make a gateway key",
        _key,
        """Prints a new gateway key, which is stored nowhere, and its entry for GATEWAY_API_KEYS. LABEL names
it in the log: letters, digits, . _ - (docs/configuration.md, Gateway keys).

Exit code: 0 made, 2 the label cannot be used.
""",
    ),
}


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
