"""compose.yaml and what goes on top of it, read by Debian's docker-compose. Nothing is started."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.house.test_dockerfile import only

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
CLEAN_UP_SECONDS = 5


def read(*names: str, **environ: str) -> Any:
    """What Compose makes of the files together; this one lists what only profiles start as well."""
    files = [word for name in names for word in ("-f", str(ROOT / name))]
    run = subprocess.run(
        ["docker-compose", *files, "config"],
        env=os.environ | environ,
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
    both = read("compose.yaml", "deploy/compose.keys.yaml")
    environment = both["services"]["glm-api"]["environment"]
    mounted = {f"/run/secrets/{secret['source']}" for secret in both["services"]["glm-api"]["secrets"]}
    assert {value for name, value in environment.items() if name.endswith("_FILE")} == mounted
    assert {Path(secret["file"]).parent for secret in both["secrets"].values()} == {DEPLOY / "secrets"}
    assert "deploy/secrets/" in (DEPLOY.parent / ".gitignore").read_text("utf-8").split()


def test_names_are_those_of_the_docs_whatever_the_directory_is_called() -> None:
    document = read("compose.yaml")
    assert document["services"]["glm-api"]["container_name"] == "glm-api"
    assert document["volumes"] == {"glm-api-state": {"name": "glm-api-state"}}
    # A name of the project itself is refused by older Compose.
    assert "name" not in yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
    for page in ("deploy.md", "deploy.zh-CN.md", "doctor.md", "doctor.zh-CN.md"):
        text = (ROOT / "docs" / page).read_text("utf-8")
        assert set(re.findall(r"docker (?:exec -it|logs -f|stop -t 45) (\S+)", text)) <= {"glm-api"}
        assert set(re.findall(r"-v (\S+):/var/lib", text)) <= {"glm-api-state"}
        assert "-f deploy/compose.yaml" not in text


def test_the_demo_is_the_same_image_with_the_command_of_the_docs() -> None:
    services = read("compose.yaml")["services"]
    demo, gateway = services["demo"], services["glm-api"]
    assert demo["profiles"] == ["demo"]
    assert (demo["image"], demo["build"]) == (gateway["image"], gateway["build"])
    assert demo["command"] == ["python", "-m", "demo", "--serve"]
    assert demo["ports"] == gateway["ports"]
    assert demo["read_only"]


def test_base_image_and_package_index_can_be_named() -> None:
    mirrors = {
        "BASE_IMAGE": "mirror.example/python:3.12-slim",
        "PIP_INDEX_URL": "https://mirror.example/simple",
    }
    assert read("compose.yaml")["services"]["glm-api"]["build"]["args"]["BASE_IMAGE"] == "python:3.12-slim"
    build = read("compose.yaml", **mirrors)["services"]["glm-api"]["build"]
    assert build["args"] == mirrors
    assert set(build["args"]) == set(
        re.findall(r"^ARG (\w+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    )


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    hadolint = ROOT / ".venv-deploy/bin/hadolint"
    run = subprocess.run(
        [hadolint, "--no-color", ROOT / "Dockerfile"], capture_output=True, text=True, check=False, timeout=30
    )
    assert (run.returncode, run.stdout) == (0, "")
