"""What keeps the gateway from starting is told in its own words, alone or last."""

from __future__ import annotations

import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from app.state import open_state
from tests.house.test_gunicorn_conf import CONF, ROOT, clean_environ


def start_and_fail(*arguments: str, **variables: str) -> list[str]:
    """What gunicorn says that does not start."""
    run = subprocess.run(
        [sys.executable, "-m", "gunicorn", "-c", CONF, *arguments, "wsgi:app"],
        cwd=ROOT, env=clean_environ(**variables), capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip
    assert run.returncode == 1
    return run.stderr.splitlines()


def test_all_that_is_wrong_is_told_at_once_and_nothing_else() -> None:
    wrong = {
        "PORT": "abc",
        "HOST": "localhost:9000",
        "LOG_LEVEL": "loud",
        "GLM_PROXY": "socks5://127.0.0.1:1080",
        "GLM_QUEUE_SECONDS": "soon",
        "GLM_BODIES_MAX_BYTES": "1",
        "GATEWAY_API_KEYS": "mykey",
    }
    said = start_and_fail(**wrong)
    assert sorted(line.split()[0] for line in said) == sorted(wrong)
    (proxy,) = [line for line in said if "GLM_PROXY" in line]
    assert "http:// port" in proxy
    (key,) = [line for line in said if "GATEWAY_API_KEYS" in line]
    assert "make key LABEL=" in key


def test_a_line_of_the_tokens_file_that_is_no_token_is_told_before_anything_listens(tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text("# mine\ndemo-anna\n<token>\n")
    key = "glm-" + "k" * 43
    (said,) = start_and_fail(GLM_REFRESH_TOKENS_FILE=str(tmp_path / "tokens"), GATEWAY_API_KEYS=f"a={key}")
    assert said.startswith("GLM_REFRESH_TOKENS_FILE is wrong: line 3 ")


def test_a_taken_port_is_told_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        *before, said = start_and_fail(PORT=str(port))
    assert said.startswith(f"port {port} of 127.0.0.1 is taken")
    assert f"PORT={port % 65535 + 1}" in said
    # gunicorn would have tried for five seconds, and said so each time: "Connection in use".
    assert [line for line in before if "Starting gunicorn" not in line] == []


def test_a_state_file_of_a_later_version_is_told_alone(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite3"
    open_state(str(path)).close()
    with closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA journal_mode = DELETE")
        file.execute("PRAGMA user_version = 999")
    before = path.read_bytes()
    *lines, said = start_and_fail(PORT="0", GLM_STATE_PATH=str(path))
    assert said.startswith(
        f"GLM_STATE_PATH {path} cannot be used: it was written by a newer glm-api: schema 999"
    )
    assert [line for line in lines if "Starting gunicorn" not in line] == []
    assert path.read_bytes() == before


def test_what_the_command_line_adds_to_the_environment_counts(tmp_path: Path) -> None:
    """The file that the environment names is of a later version: it matters only where nothing is added."""
    later, wrong = tmp_path / "later", "GLM_QUEUE_SECONDS=soon"
    later.write_bytes(b"SQLite format 3\0".ljust(60, b"\0") + (999).to_bytes(4, "big"))
    said = start_and_fail("--env", wrong, PORT="0", GLM_STATE_PATH=str(later))
    assert said[-1].startswith("GLM_QUEUE_SECONDS is wrong: ")
    assert [line for line in said[:-1] if "Starting gunicorn" not in line] == []
    said = start_and_fail("--env", f"GLM_STATE_PATH={tmp_path}", PORT="0", GLM_STATE_PATH=str(later))
    assert "is a directory" in said[-1]


@pytest.mark.parametrize(
    ("host", "said"),
    [("nowhere.invalid", "finds no address"), ("192.0.2.1", "no address of this machine")],
)
def test_a_host_that_is_not_ours_is_told_in_one_line(host: str, said: str) -> None:
    last = start_and_fail(HOST=host, PORT="0")[-1]
    assert last.startswith("HOST is wrong: this" if "finds" in said else "HOST is wrong: ")
    assert said in last
