"""Files of every version: earlier ones are taken along, later ones left alone, foreign ones set aside."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from app.accounts.login import Logins
from app.accounts.vault import RotatedTokens, Vault
from app.conversations.ledger import Conversation, Ledger
from app.state import StateTooNew, open_sound_state, open_state
from app.state.schema import VERSION
from tests.app.state.opened import count, file_of, locked, write
from tests.eventually import eventually

ROOT = Path(__file__).parents[3]


def make_unversioned(path: Path) -> None:
    """A file as it was before there was a schema version."""
    script = (ROOT / "tests/fixtures/state/unversioned.sql").read_text()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(script)


def test_a_file_of_an_earlier_version_is_taken_along(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "state.sqlite3"
    make_unversioned(path)
    for _ in range(2):
        state = open_state(str(path))
        assert Vault(state).get("original-refresh-token") == RotatedTokens("rotated-refresh-token")
        assert Logins(state).get("a" * 64) == "b" * 64
        kept = Ledger(state).get("c" * 24)
        assert kept == Conversation("c" * 24, "assistant", "b" * 64, "caller", 1764e6, 1764000005, 1764000605)
        assert file_of(state).execute("PRAGMA user_version").fetchone() == (VERSION,)
        state.close()
    assert caplog.text == ""


def test_a_migrated_file_is_as_a_new_one(tmp_path: Path) -> None:
    make_unversioned(tmp_path / "old")
    tables = []
    for name in ("old", "new"):
        state = open_state(str(tmp_path / name))
        query = "SELECT m.name, c.* FROM sqlite_master m, pragma_table_info(m.name) c ORDER BY m.name, c.cid"
        tables.append(file_of(state).execute(query).fetchall())
    assert tables[0] == tables[1]


def test_only_memory_is_indexed(tmp_path: Path) -> None:
    """What an earlier release left is dropped: every change would write it anew, and nothing reads by it."""
    path = tmp_path / "state.sqlite3"
    make_unversioned(path)
    query = "SELECT name FROM sqlite_master WHERE type = 'index' ORDER BY name"
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute(query).fetchall() == [("conversation_due",), ("conversation_owner_due",)]
    state = open_state(str(path))
    assert file_of(state).execute(query).fetchall() == []
    assert state.run(query) == [("conversation_due",), ("conversation_owner_due",)]


def make_earlier(path: Path) -> None:
    """A file of this version as an earlier release left it, which knows some logins."""
    state = open_state(str(path))
    for number in range(400):
        write(state, f"{number}-{'x' * 200}")
    state.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE INDEX conversation_due ON conversation (due)")
        connection.execute("CREATE INDEX conversation_owner_due ON conversation (owner, due)")


@pytest.mark.parametrize("how", ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"])
def test_indexes_that_cannot_be_dropped_now_hinder_nobody(
    tmp_path: Path, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The file is locked, and can be read: who does not would go without rotated tokens meanwhile."""
    path = tmp_path / "state.sqlite3"
    make_earlier(path)
    query = "SELECT name FROM sqlite_master WHERE type = 'index'"
    with locked(path, how):
        for open_one in (open_state, open_sound_state):
            state = open_one(str(path))
            assert (state.is_kept, count(state), len(file_of(state).execute(query).fetchall())) == (
                True,
                400,
                2,
            )
            state.close()
    assert caplog.text == ""
    state = open_state(str(path))
    assert (count(state), file_of(state).execute(query).fetchall()) == (400, [])


def test_a_damaged_file_keeps_its_indexes(tmp_path: Path) -> None:
    """Nothing is written to what somebody may still mend."""
    path = tmp_path / "state.sqlite3"
    make_earlier(path)
    with path.open("r+b") as file:
        file.seek(4096 * 12)
        file.write(b"\xff" * 4096)
    damaged = path.read_bytes()
    with pytest.raises(sqlite3.DatabaseError):
        open_sound_state(str(path))
    assert path.read_bytes() == damaged
    assert open_state(str(path)).is_kept
    assert [aside.read_bytes() for aside in tmp_path.glob("*.damaged-*")] == [damaged]


def test_a_migration_that_does_not_come_through_is_made_later(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite3"
    make_unversioned(path)
    with locked(path):
        state = open_state(str(path))
        Vault(state).put("another", RotatedTokens("newest", "previous"), 2e9)
    eventually(lambda: state.is_kept)
    assert Vault(state).get("original-refresh-token") == RotatedTokens("rotated-refresh-token")
    state.close()
    assert Vault(open_state(str(path))).get("another") == RotatedTokens("newest", "previous")


def test_a_file_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite3"
    state = open_state(str(path))
    write(state)
    file_of(state).execute(f"PRAGMA user_version = {VERSION + 1}")
    state.close()
    before = path.read_bytes()
    for _ in range(2):
        with pytest.raises(
            StateTooNew, match=rf"GLM_STATE_PATH .* schema {VERSION + 1}, this one knows {VERSION}"
        ):
            open_state(str(path))
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "is_versioned"),
    [
        ("ALTER TABLE conversation DROP COLUMN caller", False),
        ("ALTER TABLE conversation DROP COLUMN caller", True),
        ("ALTER TABLE conversation RENAME COLUMN due TO due_at", True),
        ("ALTER TABLE login ADD COLUMN more TEXT NOT NULL DEFAULT ''", False),
        ("ALTER TABLE login ADD COLUMN more TEXT NOT NULL DEFAULT ''", True),
        ("ALTER TABLE sealed_token ADD COLUMN previous TEXT", False),
        ("DROP TABLE login; CREATE TABLE login (account, owner, last_used)", False),
        ("DROP TABLE login", True),
        ("DROP TABLE conversation; CREATE VIEW conversation AS SELECT 1 AS id", False),
    ],
)
def test_a_file_with_other_columns_is_set_aside_unchanged(
    tmp_path: Path, change: str, is_versioned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "state.sqlite3"
    if is_versioned:
        open_state(str(path)).close()
    else:
        make_unversioned(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(f"DROP INDEX IF EXISTS conversation_owner_due; {change}")
        dump = list(connection.iterdump())
    state = open_state(str(path))
    write(state)
    assert Ledger(state).count() == 0
    assert state.is_kept
    assert "not ours" in caplog.text
    (aside,) = tmp_path.glob("*.damaged-*")
    with closing(sqlite3.connect(aside)) as connection:
        assert list(connection.iterdump()) == dump
