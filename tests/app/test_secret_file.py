"""A secret may stand in a file: read at the start, never quoted, never in two places."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from app.config import _SECRETS, _VARIABLES, InvalidSetting, Settings
from app.keys import digest_key

KEYS = [f"glm-{letter * 43}" for letter in "ab"]


def write(directory: Path, text: str) -> str:
    path = directory / "secret"
    path.write_text(text, "utf-8")
    return str(path)


def test_a_proxy_and_a_sign_secret(tmp_path: Path) -> None:
    proxy = write(tmp_path, "\n http://user:pa%23ss@127.0.0.1:3128 \n")
    assert Settings.from_env({"GLM_PROXY_FILE": proxy}).proxy == "http://user:pa%23ss@127.0.0.1:3128"
    assert Settings.from_env({"GLM_SIGN_SECRET_FILE": write(tmp_path, "#1\n")}).sign_secret == "#1"


def test_keys_stand_one_a_line_with_comments(tmp_path: Path) -> None:
    path = write(tmp_path, f"# who may come in\nlaptop={KEYS[0]};admin\n\n{KEYS[1]}, \n")
    settings = Settings.from_env({"GATEWAY_API_KEYS_FILE": path, "GLM_REFRESH_TOKENS": "t"})
    assert [key.digest for key in settings.gateway_keys] == list(map(digest_key, KEYS))
    assert settings.gateway_keys[0].is_admin
    assert not settings.pass_through


@pytest.mark.parametrize("variable", _SECRETS)
def test_both_at_once_are_refused(variable: str, tmp_path: Path) -> None:
    environ = {variable: "hush", f"{variable}_FILE": write(tmp_path, "hush")}
    with pytest.raises(InvalidSetting, match=f"^{variable} and {variable}_FILE are both set"):
        Settings.from_env(environ)


@pytest.mark.parametrize("variable", _SECRETS)
@pytest.mark.parametrize("text", ["", "\n# nobody\n\n", "one hush\ntwo hush\n", "hush\u00e9"])
def test_a_file_that_cannot_be_used_names_its_variable(variable: str, text: str, tmp_path: Path) -> None:
    if variable == "GLM_SIGN_SECRET" and "# nobody" in text:
        return  # a secret may begin with any character
    with pytest.raises(InvalidSetting, match=f"^{variable}_FILE is wrong: .") as raised:
        Settings.from_env({f"{variable}_FILE": write(tmp_path, text)})
    assert "hush" not in str(raised.value)


@pytest.mark.parametrize("variable", _SECRETS)
def test_a_file_that_is_not_there_names_its_variable(variable: str, tmp_path: Path) -> None:
    for path in (str(tmp_path / "none"), str(tmp_path)):
        with pytest.raises(InvalidSetting, match=f"^{variable}_FILE is wrong: ."):
            Settings.from_env({f"{variable}_FILE": path})


def test_every_secret_has_a_file() -> None:
    """A secret is what a printed Settings does not show."""
    hidden = {one.name for one in fields(Settings) if not one.repr}
    secrets = {variable for variable, (name, _) in _VARIABLES.items() if name in hidden}
    assert secrets == {*_SECRETS, "GLM_REFRESH_TOKENS"}
    assert "GLM_REFRESH_TOKENS_FILE" in _VARIABLES


def test_only_secrets_have_files(tmp_path: Path) -> None:
    assert Settings.from_env({"GLM_UPSTREAM_URL_FILE": write(tmp_path, "x")}) == Settings()
