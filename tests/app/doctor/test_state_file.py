"""The doctor disturbs no gateway and loses no token."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.accounts.refresh import Refresher
from app.accounts.vault import RotatedTokens, Vault
from app.state import open_state
from tests.app.doctor.conftest import CallDoctor
from tests.eventually import eventually
from tests.file_server import FileServer, page
from upstream_emulator.emulator import UpstreamEmulator


@contextmanager
def hold(path: Path) -> Iterator[Vault]:
    """As a gateway does."""
    with closing(open_state(str(path))) as state:
        yield Vault(state)


def test_what_the_upstream_gives_in_exchange_is_kept(
    call: CallDoctor, upstream: UpstreamEmulator, state_path: Path
) -> None:
    upstream.configure(rotate="hard")  # what was shown once is dead
    for _ in range(3):
        assert call(given="demo-ann").verdict == "well"
    with hold(state_path) as vault:
        rotated = vault.get("demo-ann")
    assert rotated is not None
    assert rotated.newest.startswith("eyJ")
    refused = upstream.state()["refusals"].get("40102")
    assert refused == 3, "what the check of the signature shows, once a visit, is nobody's"


def test_beside_a_gateway_no_token_is_asked(
    call: CallDoctor, upstream: UpstreamEmulator, state_path: Path
) -> None:
    with hold(state_path):
        visit = call("--chat", given="demo-ann", PORT="7777")
        assert (visit.code, visit.verdict) == (0, "well")
        assert visit.line("state").startswith("ok")
        assert "held by a running gateway" in visit.line("state")
        assert "--url http://127.0.0.1:7777" in visit.line("token")
    assert upstream.state()["accounts"] == {}


@pytest.mark.parametrize("status", ["ok", "draining"])
def test_nor_beside_one_with_another_state_file(
    call: CallDoctor, upstream: UpstreamEmulator, status: str
) -> None:
    with FileServer() as gateway:
        gateway.pages["/health/ready"] = page(b'{"status": "%b"}' % status.encode())
        visit = call(given="demo-ann", PORT=str(gateway.port))
    assert f"--url {gateway.url}" in visit.line("token")
    assert upstream.state()["accounts"] == {}


def test_another_server_on_the_port_is_no_gateway(call: CallDoctor) -> None:
    with FileServer() as server:
        server.pages["/health/ready"] = page(b"<p>hello")
        assert call(given="demo-ann", PORT=str(server.port)).line("token").startswith("ok")


def test_without_a_file_nothing_is_refreshed(call: CallDoctor, upstream: UpstreamEmulator) -> None:
    visit = call(given="demo-ann", GLM_STATE_PATH=":memory:")
    assert visit.line("state").startswith("skip")
    assert "could be lost" in visit.line("token")
    assert upstream.state()["accounts"] == {}


def test_a_damaged_file_is_left_as_it_is(
    call: CallDoctor, upstream: UpstreamEmulator, state_path: Path
) -> None:
    state_path.parent.mkdir()
    state_path.write_bytes(b"this is no database " * 100)
    visit = call(given="demo-ann")
    assert visit.verdict == "this machine"
    assert "is damaged" in visit.line("state")
    assert state_path.read_bytes() == b"this is no database " * 100
    assert upstream.state()["accounts"] == {}


def test_a_place_that_is_no_directory(call: CallDoctor, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    visit = call(given="demo-ann", GLM_STATE_PATH=str(tmp_path / "file" / "state.sqlite3"))
    assert visit.verdict == "this machine"
    assert "cannot be written" in visit.line("state")


def test_a_place_that_cannot_be_written(call: CallDoctor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root, who may run these tests, may write everywhere."""
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    visit = call()
    assert visit.verdict == "this machine"
    assert "Permission denied" in visit.line("state")


def test_a_file_of_somebody_else_is_not_opened(
    call: CallDoctor, upstream: UpstreamEmulator, state_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hold(state_path):
        pass
    kept = sorted(state_path.parent.iterdir())
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    visit = call(given="demo-ann")
    assert visit.line("state").startswith("note")
    assert f"sudo -u '#{os.getuid()}'" in visit.line("state")
    assert sorted(state_path.parent.iterdir()) == kept
    assert upstream.state()["accounts"] == {}


def test_a_full_disk_is_told_before_a_token_is_lost(
    call: CallDoctor, upstream: UpstreamEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(9, 9, 4096))
    visit = call(given="demo-ann")
    assert visit.verdict == "this machine"
    assert "4096 bytes free" in visit.line("state")
    assert upstream.state()["accounts"] == {}


def test_looking_at_a_file_changes_nothing_in_it(call: CallDoctor, state_path: Path) -> None:
    with hold(state_path) as vault:
        vault.put("demo-ann", RotatedTokens("newest"), 4e9)
    call()
    with closing(sqlite3.connect(state_path)) as connection:
        assert connection.execute("SELECT count(*) FROM sealed_token").fetchone() == (1,)
    assert call().line("state").endswith("sound, held by nobody")


def test_a_signal_waits_for_the_refresh(
    call: CallDoctor, upstream: UpstreamEmulator, state_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upstream.configure(rotate="hard", refresh_delay_seconds=0.2)
    renew = Refresher.renew

    def interrupt_and_renew(self: Any, account: Any) -> Any:
        os.kill(os.getpid(), signal.SIGINT)
        return renew(self, account)

    monkeypatch.setattr(Refresher, "renew", interrupt_and_renew)
    usual = signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background it is ignored
    try:
        with pytest.raises(KeyboardInterrupt):
            call(given="demo-ann")
    finally:
        signal.signal(signal.SIGINT, usual)
    with hold(state_path) as vault:
        assert vault.get("demo-ann") is not None


def test_the_same_login_twice_is_noted(call: CallDoctor) -> None:
    visit = call(given="demo-ann\ndemo-ann.again")
    assert visit.code == 0
    assert "the same login as" in visit.text


def test_files_are_given_back_after_each_token(call: CallDoctor) -> None:
    """Or a long list of them would not be finished."""
    call(given="demo-first")
    before = count_files()
    call(given="\n".join(f"demo-many-{number}" for number in range(20)))
    eventually(lambda: count_files() <= before + 2)  # the emulator closes its ends in its own time


def test_a_chat_leaves_no_trace(call: CallDoctor, upstream: UpstreamEmulator, state_path: Path) -> None:
    visit = call("--chat", given="dead-bob\ndemo-ann")
    assert "the conversation is deleted" in visit.line("chat")
    state = upstream.state()
    assert [one["deleted"] for one in state["conversations"]] == [True]
    assert state["accounts"]["ann"]["answers"] == 1
    assert count_conversations(state_path) == 0


def test_a_conversation_that_cannot_be_deleted_is_left_to_the_gateway(
    call: CallDoctor, upstream: UpstreamEmulator, state_path: Path
) -> None:
    upstream.account("ann", delete_next=["http500"])
    visit = call("--chat", given="demo-ann")
    assert visit.line("chat").startswith("note")
    assert count_conversations(state_path) == 1


def test_nobody_can_be_asked(call: CallDoctor) -> None:
    assert call("--chat", given="dead-ann").line("chat").endswith("no live account to ask")


def count_conversations(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        ((count,),) = connection.execute("SELECT count(*) FROM conversation")
    return int(count)


def count_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_file_of_a_later_version_is_no_matter_of_rights(call: CallDoctor, state_path: Path) -> None:
    with hold(state_path):
        pass
    with closing(sqlite3.connect(state_path)) as file:
        file.execute("PRAGMA user_version = 999")
    visit = call(given="demo-ann")
    assert visit.line("state").startswith("FAIL")
    assert "written by a newer glm-api: schema 999" in visit.line("state")
    assert "Start the version that wrote it" in visit.text
