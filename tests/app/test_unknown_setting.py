"""Variables that look like settings and are none."""

from __future__ import annotations

import pytest

from app.config import _SECRETS, _VARIABLES, list_unknown


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("GLM_QUEUE_SECOND", "GLM_QUEUE_SECONDS"),
        ("GATEWAY_API_KEY", "GATEWAY_API_KEYS"),
        ("GLM_REFRESH_TOKEN", "GLM_REFRESH_TOKENS"),
        ("GLM_FILES_PORT", "GLM_FILES_PORTS"),
        ("GLM_PROXY_FILES", "GLM_PROXY_FILE"),
    ],
)
def test_a_name_that_is_no_setting_is_told_with_the_nearest(name: str, near: str) -> None:
    assert list_unknown({name: "80", "PATH": "/bin"}) == [f"{name} is no setting: did you mean {near}?"]


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("LOGLEVEL", "LOG_LEVEL"),
        ("LOG_LEVELS", "LOG_LEVEL"),
        ("log_format", "LOG_FORMAT"),
        ("METRIC_KEY", "METRICS_KEY"),
        ("METRICS_KEY_FILES", "METRICS_KEY_FILE"),
        ("CORS_ORIGIN", "CORS_ORIGINS"),
        ("TRUSTED_PROXY", "TRUSTED_PROXIES"),
        ("TRUST_PROXIES", "TRUSTED_PROXIES"),
        ("PORTS", "PORT"),
        ("HOSTS", "HOST"),
        ("port", "PORT"),
        ("glm_proxy", "GLM_PROXY"),
        ("WEB_CONCURENCY", "WEB_CONCURRENCY"),
    ],
)
def test_a_name_that_is_nearly_ours_is_told_too(name: str, near: str) -> None:
    assert list_unknown({name: "80", "PATH": "/bin"}) == [f"{name} is no setting: did you mean {near}?"]


# Of shells, desktops, clouds, containers, build tools and other programs.
FOREIGN = (
    "PATH HOME HOSTNAME HOSTTYPE LOGNAME LOG_FILE LOG_DIR LOG_PATH RUST_LOG RUST_LOG_LEVEL "
    "APP_LOG_LEVEL METRICS_PORT METRICS_PATH METRICS_TOKEN SSH_PORT HTTP_PORT WEB_PORT DB_PORT "
    "DB_HOST MAIL_HOST PGHOST PGPORT REDIS_HOST POST SHORT GHOST REPORT IMPORT EXPORT SUPPORT "
    "TRANSPORT TRUSTED_HOSTS CORS_ALLOW_ORIGIN CORS_ENABLED DOCKER_HOST HTTP_PROXY HTTPS_PROXY "
    "NO_PROXY ALL_PROXY http_proxy LANG LC_ALL TERM COLORTERM PYTHONPATH PIP_INDEX_URL "
    "npm_config_loglevel npm_config_port GUNICORN_CMD_ARGS LISTEN_FDS VIRTUAL_ENV WORKERS "
    "CONCURRENCY KUBERNETES_SERVICE_HOST KUBERNETES_PORT GITHUB_TOKEN GITLAB_KEY "
)


def test_what_is_somebody_elses_is_not_warned_of() -> None:
    assert list_unknown(dict.fromkeys(FOREIGN.split(), "1")) == []


def test_what_the_server_reads_is_known() -> None:
    assert list_unknown({"HOST": "::", "PORT": "1", "WEB_CONCURRENCY": "1"}) == []


def test_a_name_that_is_like_none() -> None:
    assert list_unknown({"GLM_WEATHER_IN_SPRING": "1"}) == ["GLM_WEATHER_IN_SPRING is no setting"]


def test_no_setting_is_unknown_nor_what_kubernetes_says_of_a_service() -> None:
    known = dict.fromkeys([*_VARIABLES, *(f"{name}_FILE" for name in _SECRETS)], "x")
    service = {
        "GLM_API_SERVICE_HOST": "10.0.0.1",
        "GLM_API_SERVICE_PORT_HTTP": "8000",
        "GLM_API_PORT": "tcp://10.0.0.1:8000",
        "GLM_API_PORT_8000_TCP_ADDR": "10.0.0.1",
    }
    assert list_unknown(known | service) == []
