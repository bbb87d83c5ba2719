"""deploy/kubernetes/: Kubernetes' own schemas accept it, its parts agree, and the hook does what it says.

There is no cluster here: what only one can show is listed in docs/verification.md.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.config import _SECRETS, _VARIABLES, Settings
from demo.gateway import GatewayProcess
from tests.deploy.fleet import call
from tests.deploy.front import wait_until
from tests.house.test_dockerfile import only

ROOT = Path(__file__).parents[2]
PLACE = ROOT / "deploy/kubernetes"
VALIDATE = ROOT / ".venv-deploy/bin/kubernetes-validate"
MANIFESTS = ["glm-api.yaml", "balancer.yaml", "ingress-nginx.yaml"]
# The oldest that can sleep before a stop (and counts pods in a label), and the newest that is known.
VERSIONS = ["1.30", "1.37"]
CLEAN_UP_SECONDS = 5


def read(name: str) -> dict[str, Any]:
    """The objects of a file by their kind."""
    return {one["kind"]: one for one in yaml.safe_load_all((PLACE / name).read_text("utf-8"))}


INSTANCES = read("glm-api.yaml")["StatefulSet"]["spec"]
POD = INSTANCES["template"]["spec"]
(CONTAINER,) = POD["containers"]
ENVIRONMENT = {one["name"]: one.get("value") for one in CONTAINER["env"]}


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_knows_every_field(version: str) -> None:
    command = [str(VALIDATE), "--strict", "-k", version, *(str(PLACE / name) for name in MANIFESTS)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.count(" passed for resource ") == 8


def test_kustomize_finds_its_files() -> None:
    listed = yaml.safe_load((PLACE / "kustomization.yaml").read_text("utf-8"))
    (generated,) = listed["configMapGenerator"]
    assert all((PLACE / name).is_file() for name in listed["resources"] + generated["files"])
    (volume,) = [
        one
        for one in read("balancer.yaml")["Deployment"]["spec"]["template"]["spec"]["volumes"]
        if "configMap" in one
    ]
    assert volume["configMap"]["name"] == generated["name"]


def test_everybody_counts_the_same_instances() -> None:
    count, first = INSTANCES["replicas"], INSTANCES["ordinals"]["start"]
    assert ENVIRONMENT["GLM_POOL_SHARD"] == f"$(POD_INDEX)/{count}"
    for index in range(first, first + count):
        value = ENVIRONMENT["GLM_POOL_SHARD"].replace("$(POD_INDEX)", str(index))
        assert Settings.from_env({"GLM_POOL_SHARD": value}).pool_shard is not None
    (cluster,) = yaml.safe_load((PLACE / "envoy.yaml").read_text("utf-8"))["static_resources"]["clusters"]
    (group,) = cluster["load_assignment"]["endpoints"]
    places = [one["endpoint"]["address"]["socket_address"] for one in group["lb_endpoints"]]
    service = read("glm-api.yaml")["Service"]["metadata"]["name"]
    assert [place["address"] for place in places] == [
        f"glm-api-{index}.{service}" for index in range(first, first + count)
    ]
    assert {place["port_value"] for place in places} == {int(only("EXPOSE"))}


def test_it_sets_what_the_gateway_knows() -> None:
    known = {*_VARIABLES, *(f"{name}_FILE" for name in _SECRETS), "POD_INDEX"}
    assert set(ENVIRONMENT) <= known


def test_it_runs_as_the_image_s_user_and_writes_where_the_image_writes() -> None:
    context = POD["securityContext"]
    assert f"{context['runAsUser']}:{context['runAsGroup']}" == only("USER")
    assert context["fsGroup"] == context["runAsGroup"]
    assert CONTAINER["securityContext"]["readOnlyRootFilesystem"]
    writable = {one["mountPath"] for one in CONTAINER["volumeMounts"] if not one.get("readOnly")}
    assert writable == {only("VOLUME"), str(Path(ENVIRONMENT["GLM_DRAIN_FILE"] or "").parent), "/tmp"}
    (claim,) = INSTANCES["volumeClaimTemplates"]
    (mount,) = [one for one in CONTAINER["volumeMounts"] if one["name"] == claim["metadata"]["name"]]
    assert mount["mountPath"] == only("VOLUME")


def read_hook() -> tuple[list[str], int]:
    """The command before a stop, and how many seconds it waits."""
    command: list[str] = CONTAINER["lifecycle"]["preStop"]["exec"]["command"]
    (pause,) = [line for line in command[2].splitlines() if "sleep" in line]
    return command, int("".join(filter(str.isdigit, pause)))


def test_there_is_time_to_leave() -> None:
    (cluster,) = yaml.safe_load((PLACE / "envoy.yaml").read_text("utf-8"))["static_resources"]["clusters"]
    (check,) = cluster["health_checks"]
    seconds = {name: int(check[name].removesuffix("s")) for name in ("interval", "timeout")}
    noticed = check["unhealthy_threshold"] * sum(seconds.values())
    _, pause = read_hook()
    assert pause > noticed
    drain = int(ENVIRONMENT["GLM_DRAIN_SECONDS"] or 0)
    assert POD["terminationGracePeriodSeconds"] > pause + drain + CLEAN_UP_SECONDS
    balancer = read("balancer.yaml")["Deployment"]["spec"]["template"]["spec"]
    (envoy,) = balancer["containers"]
    assert (
        balancer["terminationGracePeriodSeconds"] > envoy["lifecycle"]["preStop"]["sleep"]["seconds"] >= drain
    )


def test_the_hook_needs_no_shell_and_leaves_nothing_behind(tmp_path: Path) -> None:
    command, pause = read_hook()
    assert command[:2] == ["python", "-c"]
    drain = tmp_path / "drain"
    # As long as this test looks, instead of the pause.
    code = command[2].replace(f"time.sleep({pause})", "input()")
    with GatewayProcess("http://127.0.0.1:9", tmp_path, GLM_DRAIN_FILE=str(drain)) as gateway:
        hook = subprocess.Popen(
            [sys.executable, "-c", code], env={"GLM_DRAIN_FILE": str(drain)}, stdin=subprocess.PIPE
        )
        path = CONTAINER["readinessProbe"]["httpGet"]["path"]
        wait_until(lambda: call(gateway.url, path)[0] == 503, "it stays ready")
        assert call(gateway.url, CONTAINER["livenessProbe"]["httpGet"]["path"])[0] == 200
        hook.communicate(b"\n", timeout=10)
        assert hook.returncode == 0
        assert call(gateway.url, path)[0] == 200


def test_only_the_balancer_comes_in() -> None:
    policy = read("glm-api.yaml")["NetworkPolicy"]["spec"]
    (rule,) = policy["ingress"]
    (peer,) = rule["from"]
    labels = read("balancer.yaml")["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert peer["podSelector"]["matchLabels"] == labels
    assert policy["podSelector"]["matchLabels"] == INSTANCES["template"]["metadata"]["labels"]


def test_the_ingress_hashes_what_nginx_hashes() -> None:
    annotations = read("ingress-nginx.yaml")["Ingress"]["metadata"]["annotations"]
    value = annotations["nginx.ingress.kubernetes.io/upstream-hash-by"]
    assert f"hash {value} consistent;" in (ROOT / "deploy/nginx.conf").read_text("utf-8")
