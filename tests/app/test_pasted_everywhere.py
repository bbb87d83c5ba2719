"""Whatever takes refresh tokens takes them as people paste them, and names the same mistakes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from app.accounts.authenticator import Authenticator
from app.accounts.configured_tokens import ConfiguredTokens
from app.config import InvalidSetting, Settings
from app.core.errors import CredentialsRejected
from app.doctor.credentials import parse_credentials
from app.keys import parse_keys
from app.pasted_token import Mistake
from tests.app.test_pasted_token import AROUND, MISTAKES

KEY = "glm-" + "k" * 43
Place = Callable[[str, Path], tuple[str, ...]]


def make_door() -> Authenticator:
    return Authenticator((), ConfiguredTokens((), None), pass_through=True)


def read_header(text: str, _: Path) -> tuple[str, ...]:
    """As a server hands it on: bytes of UTF-8, read as Latin-1."""
    return make_door().authenticate(f"Bearer {text.encode().decode('latin-1')}", "::1").refresh_tokens


def read_check(text: str, _: Path) -> tuple[str, ...]:
    return make_door().parse_tokens(text)


def read_setting(text: str, _: Path) -> tuple[str, ...]:
    return Settings.from_env({"GLM_REFRESH_TOKENS": text, "GATEWAY_API_KEYS": KEY}).refresh_tokens


def read_file(text: str, directory: Path) -> tuple[str, ...]:
    path = directory / "tokens"
    path.write_text(f"demo-first\n\n# a remark\n{text}\n", "utf-8")
    first, *rest = ConfiguredTokens((), str(path)).tokens()
    assert first == "demo-first"
    return tuple(rest)


def read_doctor(text: str, _: Path) -> tuple[str, ...]:
    return parse_credentials(text).tokens


PLACES = [read_header, read_check, read_setting, read_file, read_doctor]


@pytest.mark.parametrize(
    ("place", "around"),
    [
        pytest.param(place, around, id=f"{place.__name__}-{around}")
        for place in PLACES
        for around in AROUND
        if place is not read_header or "\n" not in around  # a header has no lines
    ],
)
def test_what_stands_around_a_token_is_taken_off_everywhere(
    place: Place, around: str, tmp_path: Path
) -> None:
    assert place(around.format("demo-ann"), tmp_path) == ("demo-ann",)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
@pytest.mark.parametrize("separator", [",", "，", "、", ";", "；", "%2C", " , "])
def test_every_comma_separates_everywhere(place: Place, separator: str, tmp_path: Path) -> None:
    assert place(separator.join(("demo-ann", "demo-bob")), tmp_path) == ("demo-ann", "demo-bob")


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
# A gateway's key is no mistake everywhere: it may be this gateway's.
@pytest.mark.parametrize(("text", "mistake"), [row for row in MISTAKES if not row[0].startswith("glm-")])
def test_a_mistake_is_named_everywhere(place: Place, text: str, mistake: Mistake, tmp_path: Path) -> None:
    with pytest.raises((CredentialsRejected, InvalidSetting)) as raised:
        place(text, tmp_path)
    assert mistake.what.en in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_key_is_told_from_a_token() -> None:
    keyed = Authenticator(parse_keys(KEY), ConfiguredTokens(("demo-ann",), None), pass_through=False)
    with pytest.raises(CredentialsRejected, match="send it alone, as it was given"):
        keyed.parse_tokens(f"demo-ann,{KEY}")
    with pytest.raises(CredentialsRejected, match="this gateway has none"):
        make_door().parse_tokens(KEY)
