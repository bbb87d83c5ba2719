"""deploy/kubernetes/envoy.yaml in a real Envoy: it leaves out who is not ready, and streams go on."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.fleet import Crowd, Fleet, call, find_owners, spell
from tests.deploy.front import INSTANCE, find_port, wait_until
from upstream_emulator.emulator import UpstreamEmulator

ROOT = Path(__file__).parents[2]
CONFIGURATION = ROOT / "deploy/kubernetes/envoy.yaml"
ENVOY = ROOT / ".venv-deploy/bin/envoy"
CALLERS = [f"demo-envoy{number}" for number in range(24)]
MANY = [f"demo-many{number}" for number in range(200)]
MAX_MOVED = 0.03
"""Of those who need not move, when the one of four who leaves takes its share."""


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with UpstreamEmulator() as upstream:
        fleet = Fleet(upstream.url, tmp_path, GLM_CONVERSATION_TTL="1")
        try:
            fleet.start(4)
            yield fleet
        finally:
            fleet.close()
        assert upstream.state()["violations"] == 0


@pytest.fixture
def url(fleet: Fleet, tmp_path: Path) -> Iterator[str]:
    port, admin_port = find_port(), find_port()
    path = tmp_path / "envoy.yaml"
    path.write_text(yaml.safe_dump(adapt(yaml.safe_load(CONFIGURATION.read_text()), port, admin_port, fleet)))
    log = tmp_path / "envoy.log"
    options = [
        "--concurrency",
        "2",
        "--disable-hot-restart",
        "--log-path",
        str(log),
        "--log-level",
        "warning",
    ]
    process = subprocess.Popen([ENVOY, "-c", path, *options])
    url, admin = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{admin_port}"
    try:
        wait_until(lambda: count_healthy(process, admin, log) == len(fleet.instances), "not all are healthy")
        yield url
    finally:
        process.kill()
        process.wait()


def adapt(configuration: Any, port: int, admin_port: int, fleet: Fleet) -> Any:
    """With the addresses of this test, quicker looks at the health, and a header that tells who answered."""
    (listener,), (cluster,) = (configuration["static_resources"][name] for name in ("listeners", "clusters"))
    listener["address"]["socket_address"] = {"address": "127.0.0.1", "port_value": port}
    route = listener["filter_chains"][0]["filters"][0]["typed_config"]["route_config"]
    header = {"key": INSTANCE, "value": "%UPSTREAM_REMOTE_ADDRESS%"}
    route["response_headers_to_add"] = [{"header": header}]
    cluster["health_checks"][0] |= {"interval": "0.3s", "no_traffic_interval": "0.3s"}
    (group,) = cluster["load_assignment"]["endpoints"]
    # Here they share one host: the name that each has in the cluster is what is hashed.
    for number, (one, address) in enumerate(zip(group["lb_endpoints"], fleet.instances, strict=True)):
        place = {"address": "127.0.0.1", "port_value": int(address.partition(":")[2])}
        one["endpoint"] = {"hostname": f"glm-api-{number}", "address": {"socket_address": place}}
    configuration["admin"] = {
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": admin_port}}
    }
    return configuration


def count_healthy(process: subprocess.Popen[bytes], admin: str, log: Path) -> int:
    assert process.poll() is None, log.read_text("utf-8")
    try:
        stats = call(admin, "/stats?filter=membership_healthy$")[2].decode()
    except OSError:
        return 0
    return int(stats.rpartition(":")[2] or 0)


def test_who_is_not_ready_is_left_and_who_is_killed_loses_its_streams_alone(fleet: Fleet, url: str) -> None:
    owners, many = find_owners(url, CALLERS), find_owners(url, MANY)
    leaver, killed, *_ = sorted(fleet.instances)
    crowd = Crowd(url)
    with crowd.asking(CALLERS):
        crowd.wait_for_answers(len(CALLERS))
        drain = fleet.directory(leaver) / "drain"
        drain.touch()
        wait_until(lambda: leaver not in find_owners(url, CALLERS).values(), "it is not taken out")
        check_moves(many, find_owners(url, MANY), leaver)
        drain.unlink()
        wait_until(lambda: find_owners(url, CALLERS) == owners, "it is not taken back")
        assert [visit for visit in crowd.visits if visit.problem] == []
        crowd.wait_for_stream(killed)
        fleet.instances[killed].kill()
        wait_until(lambda: killed not in find_owners(url, CALLERS).values(), "it is not taken out")
        crowd.wait_for_answers(len(CALLERS))
    lost = [visit for visit in crowd.visits if visit.problem]
    assert any(visit.problem.startswith("cut") for visit in lost)
    assert [visit for visit in lost if killed not in {visit.instance, owners[visit.caller]}] == []


def test_either_header_leads_to_the_same_owner(url: str) -> None:
    owners = find_owners(url, CALLERS)
    for caller, owner in owners.items():
        assert set(find_owners(url, spell(caller)).values()) == {owner}
    assert len(set(owners.values())) == 4


def check_moves(before: dict[str, str], after: dict[str, str], leaver: str) -> None:
    moved = [caller for caller, owner in before.items() if after[caller] != owner]
    share = sum(owner == leaver for owner in before.values())
    print(
        f"\n| {len(before)} callers, 4 instances behind Envoy | who leaves had {share}, {len(moved)} move |"
    )
    assert leaver not in after.values()
    assert len(moved) - share <= MAX_MOVED * len(before)
