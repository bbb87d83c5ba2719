"""Settings: every variable is read, every wrong value names its variable."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.config import _VARIABLES, InvalidSetting, Settings

KEY = "glm-" + "k" * 43
BOTH = {"GLM_REFRESH_TOKENS": "a,b", "GATEWAY_API_KEYS": f"x={KEY}"}

WRONG = {
    "GLM_UPSTREAM_URL": ["chatglm.cn", "ftp://x", "https://"],
    "GLM_PROXY": ["socks5://x", "x"],
    "GLM_SIGN_SECRET": ["geheim\u00e9"],
    "GLM_MAX_BODY_BYTES": ["0", "-1", "1.5", "many", "1e9"],
    "GLM_MAX_PROMPT_CHARS": ["0", "x"],
    "GLM_QUEUE_LENGTH": ["0", "x"],
    "GLM_BREAKER_FAILURES": ["0"],
    "GLM_ACCOUNT_REPLIES_PER_HOUR": ["0", "often"],
    "GLM_STATE_PATH": ["/"],
    "GLM_REFRESH_TOKENS_FILE": ["/does/not/exist"],
    "GLM_REFRESH_TOKENS": ["a b", "\u00e9"],
    "GATEWAY_API_KEYS": ["plain"],
    "GLM_PASS_THROUGH": ["yes", "2"],
    "TRUSTED_PROXIES": ["10.0.0.0/99", "host"],
    "CORS_ORIGINS": ["chat.example.org", "https://x/path"],
    "LOG_LEVEL": ["LOUD"],
    "LOG_FORMAT": ["xml"],
}
SECONDS = [name for name in _VARIABLES if name.endswith("_SECONDS") or name == "GLM_CONVERSATION_TTL"]
CASES = [(name, value) for name, values in WRONG.items() for value in values]
CASES += [(name, value) for name in SECONDS for value in ("-1", "soon", "1h", "inf", "nan")]


def test_every_variable_is_tried() -> None:
    assert set(WRONG) | set(SECONDS) == set(_VARIABLES)


@pytest.mark.parametrize(("variable", "value"), CASES)
def test_a_wrong_value_names_its_variable(variable: str, value: str) -> None:
    with pytest.raises(InvalidSetting, match=f"^{variable} is wrong: ."):
        Settings.from_env({variable: value})


def test_an_empty_variable_counts_as_absent() -> None:
    assert Settings.from_env(dict.fromkeys(_VARIABLES, " ")) == Settings()


def test_values_arrive() -> None:
    settings = Settings.from_env(
        {
            "GLM_UPSTREAM_URL": "http://127.0.0.1:1/",
            "GLM_IDLE_SECONDS": "2.5",
            "CORS_ORIGINS": "https://a.b, https://c.d",
        }
    )
    assert settings.upstream_url == "http://127.0.0.1:1"
    assert settings.idle_seconds == 2.5
    assert settings.cors_origins == ("https://a.b", "https://c.d")


@pytest.mark.parametrize("only", ["GLM_REFRESH_TOKENS", "GATEWAY_API_KEYS"])
def test_tokens_and_keys_go_together(only: str) -> None:
    with pytest.raises(InvalidSetting, match=only):
        Settings.from_env({only: BOTH[only]})


def test_with_keys_pass_through_is_off_unless_asked_for() -> None:
    assert Settings.from_env({}).pass_through
    assert not Settings.from_env(BOTH).pass_through
    assert Settings.from_env(BOTH | {"GLM_PASS_THROUGH": "1"}).pass_through
    with pytest.raises(InvalidSetting, match="GLM_PASS_THROUGH"):
        Settings.from_env({"GLM_PASS_THROUGH": "0"})


def test_no_secret_in_its_repr(tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text("x")
    settings = Settings.from_env(BOTH | {"GLM_REFRESH_TOKENS_FILE": str(tmp_path / "tokens")})
    assert KEY not in repr(settings)
    assert settings.sign_secret not in repr(settings)
    assert "('a', 'b')" not in repr(settings)
