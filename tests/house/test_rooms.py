"""What the start leaves to whoever needs it first (docs/decisions/0018), and that nothing of it is broken."""

from __future__ import annotations

from tests.fresh_python import run_python

ROOMS = (
    "cryptography", "jsonschema_rs", "prometheus_client",
    "app.accounts.seal", "app.command", "app.doctor", "app.metrics.exposition", "app.upstream.recording",
    "app.formats.anthropic_messages.asked", "app.formats.openai_responses",
)  # fmt: skip

EVERYTHING = """
import importlib, pkgutil
import app
names = [module.name for module in pkgutil.walk_packages(app.__path__, "app.")]
for name in names:
    importlib.import_module(name)
print(len(names))
"""

BEFORE = f"""
import sys
from app.config import Settings
from app.factory import create_app
gateway = create_app(Settings(state_path=":memory:")).extensions["glm-api"]
ROOMS = {ROOMS}
print(*[room for room in ROOMS if room in sys.modules])
"""

FIRST_ROTATION = """
from app.accounts.vault import RotatedTokens, Vault
vault, tokens = Vault(gateway.state), RotatedTokens("newest")
print(vault.get("original"), "cryptography" in sys.modules)
vault.put("original", tokens, 2e9)
print(vault.get("original") == tokens, vault.get("other"), "cryptography" in sys.modules)
"""

UNDER_GEVENT = f"""
from gevent import monkey
monkey.patch_all()
{BEFORE}
import importlib, greenlet
switches = []
greenlet.settrace(lambda event, greenlets: switches.append(event))
for room in ROOMS:
    importlib.import_module(room)
print(len(switches))
"""


def test_every_module_can_be_imported() -> None:
    """Those of a room, too, before a request is the first to find out."""
    assert int(run_python(EVERYTHING)[-1]) > 250


def test_the_start_enters_no_room() -> None:
    assert run_python(BEFORE) == [""]


def test_the_first_rotated_token_loads_what_seals_it() -> None:
    assert run_python(BEFORE + FIRST_ROTATION) == ["", "None False", "True None True"]


def test_no_other_greenlet_runs_while_a_room_is_loaded() -> None:
    """So two first requests at once cannot meet in one."""
    assert run_python(UNDER_GEVENT) == ["", "0"]
