"""The doctor's command line: exit code 0 if all is well, 1 if something is wrong, 2 for a wrong command."""

from __future__ import annotations

import argparse
import getpass
import io
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

from app import logs
from app.core.errors import CredentialsRejected
from app.doctor.checks import Order, examine
from app.doctor.credentials import Credentials, parse_credentials
from app.doctor.report import choose_language, print_json, print_report
from app.invocation import CALLED, CHECKOUT

_EPILOG = """
Exit code: 0 all is well, 1 something is wrong, 2 the command makes no sense.
Tokens are never arguments: everybody on a machine can see those. Beside a running gateway no token is
refreshed, since it alone may hold the newest one: let it ask with --url.
"""
_THROUGH_MAKE = '\nThrough make: make doctor ARGS="--chat"\n'


def main(arguments: list[str], program: str = "python -m app.doctor") -> int:
    """`program` is what it was called by."""
    logs.configure("ERROR", "text")
    parser = _build_parser(program)
    options, unknown = parser.parse_known_args(arguments)
    if options.help:
        sys.stdout.write(parser.format_help())  # argparse would not say that it could not
        return 0
    if unknown:
        parser.error("unknown arguments (not repeated here, should they be tokens: those come with --tokens)")
    if options.url and not _is_address(options.url):
        parser.error("--url wants http://HOST:PORT")
    if options.record is not None and (options.url or options.tools or os.path.lexists(options.record)):
        parser.error("--record wants a file that is not there yet, and neither --url nor --tools")
    try:
        credentials = _read_credentials(options.tokens)
    except (OSError, UnicodeDecodeError, CredentialsRejected) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else exc
        if isinstance(exc, CredentialsRejected):
            reason = exc.said.say(choose_language(os.environ))
        parser.error(f"what --tokens names cannot be used: {reason}")
    return _report(options, credentials)


def _report(options: argparse.Namespace, credentials: Credentials) -> int:
    if isinstance(sys.stdout, io.TextIOWrapper):  # names of files, words of others: whatever the locale
        sys.stdout.reconfigure(errors="replace")
    language = choose_language(os.environ)
    # What everybody has in the clipboard is the base address of clients.
    url = options.url and options.url.rstrip("/").removesuffix("/v1").rstrip("/")
    order = Order(credentials, url, chat=options.chat, tools=options.tools, record=options.record)
    findings = examine(os.environ, order)
    if options.json:
        is_well = print_json(findings, sys.stdout, language)
    else:
        colours = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        is_well = print_report(findings, sys.stdout, language, colours=colours)
    return 0 if is_well else 1


def _build_parser(program: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=program,
        description="Looks at a gateway that does not work, and says what it is and what to do.",
        epilog=_EPILOG + (_THROUGH_MAKE if CALLED is CHECKOUT else ""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        add_help=False,
    )
    parser.add_argument("-h", "--help", action="store_true", help="show this, and nothing else")
    parser.add_argument("--chat", action="store_true", help="also ask one small question")
    parser.add_argument("--tools", action="store_true", help="also ask one question with a tool to call")
    parser.add_argument(
        "--record", metavar="FILE", help="ask one small question of the first account, and write its shapes"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document for scripts")
    parser.add_argument(
        "--tokens", metavar="FILE", help="refresh tokens, or a gateway key; - is standard input"
    )
    parser.add_argument("--url", help="a running gateway that shall ask, http://127.0.0.1:8000")
    return parser


def _read_credentials(name: str | None) -> Credentials:
    if name is None:
        return Credentials()
    if name != "-":
        return parse_credentials(Path(name).read_text("utf-8"))
    if sys.stdin.isatty():
        return parse_credentials(getpass.getpass("Refresh tokens or gateway key, not shown: "))
    return parse_credentials(sys.stdin.read())


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
