"""The gateway with a resolver and a trusted certificate of the test's own: names lead to this machine."""

from __future__ import annotations

import os
import ssl

from app.config import Settings
from app.factory import create_app
from app.files.connection import Address
from app.routes.services import EXTENSION

# What the two ports of the web are on this machine.
PORTS = {80: int(os.environ["TEST_PORT_HTTP"]), 443: int(os.environ["TEST_PORT_HTTPS"])}


def resolve(host: str, port: int) -> list[Address]:
    return [("127.0.0.1", PORTS[port])]


app = create_app(Settings.from_env(os.environ))
fetcher = app.extensions[EXTENSION].fetcher
fetcher._resolve = resolve
fetcher._given_tls = ssl.create_default_context(cafile=os.environ["TEST_CERTIFICATE"])
fetcher._given_tls.check_hostname = False  # urllib3 checks the name that it is given
