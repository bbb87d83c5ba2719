"""deploy/compose*.yaml, read by Debian's docker-compose. Nothing is started: there is no Docker here."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.house.test_dockerfile import only

DEPLOY = Path(__file__).parents[2] / "deploy"
CLEAN_UP_SECONDS = 5


def read(*names: str) -> Any:
    """What Compose makes of the files together; this one lists what only profiles start as well."""
    files = [word for name in names for word in ("-f", str(DEPLOY / name))]
    run = subprocess.run(
        ["docker-compose", *files, "config"],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (run.returncode, run.stderr) == (0, "")
    return yaml.safe_load(run.stdout)


def test_the_gateway_alone_is_the_default() -> None:
    services = read("compose.yaml")["services"]
    assert [name for name, service in services.items() if "profiles" not in service] == ["glm-api"]
    gateway = services["glm-api"]
    assert gateway["ports"] == ["127.0.0.1:8000:8000/tcp"]
    assert gateway["read_only"]
    assert gateway["cap_drop"] == ["ALL"]
    # The one place that the image writes to outlives the container.
    assert gateway["volumes"] == [f"glm-api-state:{only('VOLUME')}:rw"]
    grace, drain = gateway["stop_grace_period"], gateway["environment"]["GLM_DRAIN_SECONDS"]
    assert int(grace.removesuffix("s")) > int(drain) + CLEAN_UP_SECONDS


def test_the_health_check_is_the_image_s_and_nginx_waits_for_it() -> None:
    services = read("compose.yaml")["services"]
    assert "healthcheck" not in services["glm-api"]
    assert "curl" not in only("HEALTHCHECK")
    assert services["nginx"]["depends_on"] == {"glm-api": {"condition": "service_healthy"}}
    # What nginx.conf says is where the gateway's port is published.
    address = services["glm-api"]["ports"][0].removesuffix(":8000/tcp")
    assert f"server {address} max_fails=0;" in (DEPLOY / "nginx.conf").read_text("utf-8")
    assert services["nginx"]["network_mode"] == "host"
    assert f"{DEPLOY}/nginx.conf:/etc/nginx/conf.d/default.conf:ro" in services["nginx"]["volumes"]


def test_secrets_are_files() -> None:
    both = read("compose.yaml", "compose.keys.yaml")
    environment = both["services"]["glm-api"]["environment"]
    mounted = {f"/run/secrets/{secret['source']}" for secret in both["services"]["glm-api"]["secrets"]}
    assert {value for name, value in environment.items() if name.endswith("_FILE")} == mounted
    assert {Path(secret["file"]).parent for secret in both["secrets"].values()} == {DEPLOY / "secrets"}
    assert "deploy/secrets/" in (DEPLOY.parent / ".gitignore").read_text("utf-8").split()
