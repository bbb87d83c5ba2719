"""Settings: every variable is read, every wrong value names its variable."""

from __future__ import annotations

from dataclasses import fields, replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from app.config import _VARIABLES, InvalidSetting, Settings, read_settings
from app.shard import Shard

KEY = "glm-" + "k" * 43
BOTH = {"GLM_REFRESH_TOKENS": "a,b", "GATEWAY_API_KEYS": f"x={KEY}"}

WRONG = {
    "GLM_UPSTREAM_URL": ["chatglm.cn", "ftp://x", "https://"],
    "GLM_PROXY": ["socks5://x", "x"],
    "GLM_SIGN_SECRET": ["geheim\u00e9"],
    "GLM_BODIES_MAX_BYTES": ["0", "-1", "200M"],
    "GLM_SPOOL_MAX_BYTES": ["0", "1e9"],
    "GLM_MAX_BODY_BYTES": ["0", "-1", "1.5", "many", "1e9"],
    "GLM_MAX_PROMPT_CHARS": ["0", "x"],
    "GLM_QUEUE_LENGTH": ["0", "x"],
    "GLM_BREAKER_FAILURES": ["0"],
    "GLM_HEAL": ["1", "yes"],
    "GLM_CONTINUE": ["1", "yes"],
    "GLM_ACCOUNT_REPLIES_PER_HOUR": ["0", "often"],
    "GLM_STATE_PATH": ["/"],
    "GLM_DRAIN_FILE": ["/"],
    "GLM_MAX_STREAMS": ["0", "x"],
    "GLM_REFRESH_TOKENS_FILE": ["/does/not/exist"],
    "GLM_REFRESH_TOKENS": ["a b", "\u00e9"],
    "GATEWAY_API_KEYS": ["plain"],
    "GLM_PASS_THROUGH": ["yes", "2"],
    "GLM_FILES_MAX_BYTES": ["0", "1M"],
    "GLM_FILES_MAX_COUNT": ["0", "x"],
    "GLM_FILES_PORTS": ["0", "65536", "http", "80,", "80;443"],
    "GLM_FILES_ALLOW_PRIVATE": ["yes", "2"],
    "GLM_POOL_SHARD": ["0/4", "5/4", "four"],
    "METRICS_KEY": ["fifteen-letters", "sixteen letters!", "sixteen-letter\u00e9s"],
    "TRUSTED_PROXIES": ["10.0.0.0/99", "host"],
    "CORS_ORIGINS": ["chat.example.org", "https://x/path"],
    "LOG_LEVEL": ["LOUD"],
    "GLM_LANGUAGE": ["fr", "zh-CN"],
    "GLM_REASONING": ["none", "show"],
    "LOG_FORMAT": ["xml"],
    "GLM_DEMO_KEY": ["anna", "demo-", 'demo-a"b', "eyJhbGciOiJIUzI1NiJ9.e30.c2ln", KEY],
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


def test_every_wrong_value_is_told_and_no_wrong_consequence_of_it() -> None:
    environ = {"GLM_IDLE_SECONDS": "soon", "GLM_REFRESH_TOKENS": "a b", "GLM_MAX_BODY_BYTES": "0"}
    # Keys without tokens: there would be tokens, were they right.
    settings, wrong = read_settings(environ | {"GATEWAY_API_KEYS": BOTH["GATEWAY_API_KEYS"]})
    assert (settings, wrong.keys()) == (None, environ.keys())
    with pytest.raises(InvalidSetting) as raised:
        Settings.from_env(environ)
    assert sorted(line.split()[0] for line in str(raised.value).splitlines()) == sorted(environ)


def test_what_does_not_fit_together_is_told_beside_the_rest() -> None:
    environ = {"GLM_REFRESH_TOKENS": "a", "GLM_BODIES_MAX_BYTES": "1", "GLM_PROXY": "x"}
    assert len(read_settings(environ)[1]) == 3


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
    assert KEY not in repr(Settings(metrics_key=KEY))
    assert "('a', 'b')" not in repr(settings)


GOOD: dict[str, tuple[str, object]] = {
    "GLM_UPSTREAM_URL": ("http://127.0.0.1:1/", "http://127.0.0.1:1"),
    "GLM_SIGN_SECRET": ("abc", "abc"),
    "GLM_PROXY": ("http://user:pass@127.0.0.1:3128", "http://user:pass@127.0.0.1:3128"),
    "GLM_QUEUE_LENGTH": ("7", 7),
    "GLM_HEAL": ("OFF", "off"),
    "GLM_CONTINUE": ("off", "off"),
    "GLM_ACCOUNT_REPLIES_PER_HOUR": ("60", 60),
    "GLM_BREAKER_FAILURES": ("1", 1),
    "GLM_STATE_PATH": (":memory:", ":memory:"),
    "GLM_DRAIN_FILE": ("/run/glm-api/drain", "/run/glm-api/drain"),
    "GLM_MAX_STREAMS": ("500", 500),
    "GLM_MAX_BODY_BYTES": ("1", 1),
    "GLM_BODIES_MAX_BYTES": ("268435456", 268435456),
    "GLM_SPOOL_MAX_BYTES": ("1073741824", 1073741824),
    "GLM_MAX_PROMPT_CHARS": ("999999999999999999", 999999999999999999),
    "GLM_FILES_MAX_BYTES": ("1024", 1024),
    "GLM_FILES_MAX_COUNT": ("1", 1),
    "GLM_FILES_PORTS": ("80, 8443", (80, 8443)),
    "GLM_FILES_ALLOW_PRIVATE": ("1", True),
    "GLM_POOL_SHARD": ("2/4", Shard(2, 4)),
    "METRICS_KEY": ("sixteen-letters!", "sixteen-letters!"),
    "TRUSTED_PROXIES": (
        "10.0.0.1/8, ::1 ,127.0.0.1",
        (ip_network("10.0.0.0/8"), ip_network("::1"), ip_network("127.0.0.1")),
    ),
    "CORS_ORIGINS": ("https://a.b, http://c.d:81,", ("https://a.b", "http://c.d:81")),
    "LOG_LEVEL": ("debug", "DEBUG"),
    "GLM_LANGUAGE": ("EN", "en"),
    "GLM_REASONING": ("Tags", "tags"),
    "LOG_FORMAT": ("JSON", "json"),
}
TOGETHER = {"GLM_REFRESH_TOKENS", "GLM_REFRESH_TOKENS_FILE", "GATEWAY_API_KEYS", "GLM_PASS_THROUGH"}
TOGETHER |= {"GLM_DEMO_KEY"}
HERE = {"GLM_UPSTREAM_URL": "http://127.0.0.1:4000"}


@pytest.mark.parametrize("url", ["http://127.0.0.1:4000", "http://localhost:1/", "http://[::1]:4000"])
def test_a_demonstration_is_before_a_stand_in_on_this_machine(url: str) -> None:
    assert Settings.from_env({"GLM_DEMO_KEY": "demo-anna", "GLM_UPSTREAM_URL": url}).demo_key == "demo-anna"


@pytest.mark.parametrize(
    "others",
    [
        {},
        {"GLM_UPSTREAM_URL": "https://chatglm.cn"},
        {"GLM_UPSTREAM_URL": "http://127.0.0.1.example.com"},
        {"GLM_UPSTREAM_URL": "http://10.0.0.1"},
        BOTH | HERE,
    ],
)
def test_nobody_else_is_told_that_no_account_is_needed(others: dict[str, str]) -> None:
    with pytest.raises(InvalidSetting, match=r"^GLM_DEMO_KEY is set"):
        Settings.from_env({"GLM_DEMO_KEY": "demo-anna"} | others)


def test_what_was_given_for_a_demonstrations_key_is_not_repeated() -> None:
    with pytest.raises(InvalidSetting, match=r"^GLM_DEMO_KEY is wrong") as refused:
        Settings.from_env({"GLM_DEMO_KEY": KEY} | HERE)
    assert KEY not in str(refused.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"GLM_BODIES_MAX_BYTES": "99", "GLM_MAX_BODY_BYTES": "50"},
        {"GLM_BODIES_MAX_BYTES": "50000000"},
        {"GLM_SPOOL_MAX_BYTES": "99", "GLM_FILES_MAX_BYTES": "100"},
    ],
)
def test_what_may_be_sent_alone_fits_into_the_sum(wrong: dict[str, str]) -> None:
    with pytest.raises(InvalidSetting, match="must be at least"):
        Settings.from_env(wrong)


def test_every_variable_has_its_setting() -> None:
    assert set(GOOD) | set(SECONDS) | TOGETHER == set(_VARIABLES)
    names = [name for name, _ in _VARIABLES.values()]
    assert sorted(names) == sorted(field.name for field in fields(Settings))


@pytest.mark.parametrize(("variable", "text", "value"), [(name, *good) for name, good in GOOD.items()])
def test_a_value_arrives(variable: str, text: str, value: object) -> None:
    name = _VARIABLES[variable][0]
    settings = Settings.from_env({variable: f" {text} "})
    assert getattr(settings, name) == value
    assert replace(settings, **{name: getattr(Settings(), name)}) == Settings()


@pytest.mark.parametrize("variable", SECONDS)
@pytest.mark.parametrize("text", ["1", "0.5", "86400"])
def test_seconds_arrive(variable: str, text: str) -> None:
    settings = Settings.from_env({variable: text})
    assert getattr(settings, _VARIABLES[variable][0]) == float(text)


@pytest.mark.parametrize("variable", SECONDS)
def test_only_some_waits_may_be_nothing(variable: str) -> None:
    zero = {
        "GLM_QUEUE_SECONDS",
        "GLM_ACCOUNT_MIN_INTERVAL_SECONDS",
        "GLM_DRAIN_SECONDS",
        "GLM_CONVERSATION_TTL",
    }
    if variable in zero:
        assert getattr(Settings.from_env({variable: "0"}), _VARIABLES[variable][0]) == 0
    else:
        with pytest.raises(InvalidSetting, match=variable):
            Settings.from_env({variable: "0"})


def test_the_defaults_are_those_of_the_documents() -> None:
    settings = Settings.from_env({})
    assert settings.upstream_url == "https://chatglm.cn"
    clocks = (
        settings.connect_timeout_seconds,
        settings.first_event_seconds,
        settings.start_seconds,
        settings.idle_seconds,
        settings.max_reply_seconds,
        settings.commit_seconds,
        settings.queue_seconds,
        settings.heartbeat_seconds,
        settings.conversation_ttl_seconds,
    )
    assert list(clocks) == [5, 20, 50, 120, 1800, 15, 30, 10, 600]
    assert (settings.max_body_bytes, settings.max_prompt_chars) == (48 * 1024 * 1024, 1_000_000)
    assert (settings.cors_origins, settings.proxy, settings.pass_through) == (("*",), None, True)


def test_a_wrong_secret_is_not_quoted() -> None:
    for variable, secret in (
        ("GATEWAY_API_KEYS", "hush"),
        ("GLM_REFRESH_TOKENS", "hush hush"),
        ("GLM_PROXY", "hush"),
        ("METRICS_KEY", "hush"),
    ):
        with pytest.raises(InvalidSetting) as raised:
            Settings.from_env(BOTH | {variable: secret})
        assert "hush" not in str(raised.value)
        assert raised.value.__cause__ is None
