"""The operator's accounts from a file: what is no token is named by its line, and never sent anywhere."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from app.accounts.configured_tokens import ConfiguredTokens
from app.config import InvalidSetting
from tests.clock import Clock

ODD = [
    "中文-pasted-token",
    "two words",
    "a\u00a0b",
    "a\x00b",
    "a\x7fb",
    "tok\u200ben",
    "a\u2028b",
    "x" * 8193,
    "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
]


def write(path: Path, text: str, *, size_stays: bool = False) -> None:
    path.write_text(text, "utf-8")
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1_000_000_000))


@pytest.mark.parametrize("odd", ODD)
def test_a_wrong_line_ends_the_start_by_its_number(tmp_path: Path, odd: str) -> None:
    path = tmp_path / "tokens"
    write(path, f"# a comment\ngood-token\n\n{odd}\nanother\n{odd}  # here\n")
    with pytest.raises(InvalidSetting, match=r"GLM_REFRESH_TOKENS_FILE .*line 4, 6 ") as raised:
        ConfiguredTokens((), str(path))
    assert odd not in str(raised.value)
    assert "good" not in str(raised.value)


@pytest.mark.parametrize("odd", ODD)
def test_a_wrong_line_is_left_out_later(tmp_path: Path, odd: str, caplog: pytest.LogCaptureFixture) -> None:
    path, clock = tmp_path / "tokens", Clock(0.0)
    write(path, "first-token")
    roster = ConfiguredTokens(("given",), str(path), clock)
    write(path, f"first-token\n{odd}\nsecond-token")
    for _ in range(3):
        clock.now += 2
        assert roster.tokens() == ("given", "first-token", "second-token")
    assert len(re.findall("line 2 (?:holds characters|is longer)", caplog.text)) == 1
    assert odd not in caplog.text
    write(path, "first-token\nmended-token\nsecond-token")
    clock.now += 2
    assert roster.tokens() == ("given", "first-token", "mended-token", "second-token")


def test_many_wrong_lines_are_not_all_named(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    write(path, "two words\n" * 500)
    with pytest.raises(InvalidSetting, match=r"line 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, \.\.\. holds"):
        ConfiguredTokens((), str(path))


def test_what_editors_add_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_bytes("\ufefffirst-token\r\n  second-token  # laptop\r\n#third\r\n\r\n".encode())
    assert ConfiguredTokens((), str(path)).tokens() == ("first-token", "second-token")
