"""The Dockerfile without Docker: each of its commands is run, in directories that stand for the image's.

What this cannot show is listed in docs/verification.md: that the base image exists and the build succeeds.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


def read_instructions() -> list[tuple[str, str]]:
    """Every instruction as (name, the rest), continuation lines joined."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    pairs = (line.split(maxsplit=1) for line in text.splitlines() if line.strip())
    return [(name, " ".join(rest.split())) for name, rest in pairs]


INSTRUCTIONS = read_instructions()
LAST_STAGE = INSTRUCTIONS[max(index for index, (name, _) in enumerate(INSTRUCTIONS) if name == "FROM") :]


def only(name: str) -> str:
    (rest,) = [rest for found, rest in LAST_STAGE if found == name]
    return rest


def exec_form(rest: str) -> list[str]:
    """A command as the image runs it, with this environment's Python: no shell takes part."""
    command: list[str] = json.loads(rest[rest.index("[") :])
    return [str(BIN / command[0]), *command[1:]]


def image_environ() -> dict[str, str]:
    pairs = (word.split("=", 1) for word in shlex.split(only("ENV")))
    variables = {name: value for name, value in pairs if name != "PATH"}
    return {"PATH": os.environ["PATH"], **variables, "HOST": "127.0.0.1"}


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the first stage builds: /srv and /opt/venv below one temporary directory."""
    root = tmp_path_factory.mktemp("image")
    (root / "srv").mkdir()
    for name, rest in INSTRUCTIONS[: INSTRUCTIONS.index(LAST_STAGE[0], 1)]:
        if name == "COPY":
            copy(rest, root / "srv")
        elif name == "RUN":
            run(rest, root)
    return root


def copy(rest: str, to: Path) -> None:
    *sources, target = rest.split()
    for source in sources:
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, to / target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / source, to / target)


def run(rest: str, root: Path) -> None:
    words = [word.replace("/opt/venv", str(root / "opt/venv")) for word in shlex.split(rest)]
    assert words[0] == "python"
    # No network in tests: with our own packages in sight pip has nothing left to fetch, but still reads the
    # command line and the lock, and refuses what is missing or not pinned.
    environ = {**os.environ, "PIP_NO_INDEX": "1"}
    subprocess.run([sys.executable, *words[1:]], cwd=root / "srv", env=environ, check=True, timeout=60)
    if words[2] == "venv":
        (packages,) = root.glob("opt/venv/lib/*/site-packages")
        (packages / "here.pth").write_text(sysconfig.get_path("purelib"))


def test_the_first_stage_builds_what_the_second_takes(image: Path) -> None:
    taken = [
        rest.split()[1] for name, rest in LAST_STAGE if name == "COPY" and rest.startswith("--from=build ")
    ]
    assert sorted(taken) == ["/opt/venv", "/srv"]
    assert all((image / path.lstrip("/")).is_dir() for path in taken)
    assert not list(image.glob("opt/venv/bin/pip*"))
    assert list(image.glob("srv/app/__pycache__/*.pyc"))


def test_installing_is_pinned_and_without_builds() -> None:
    (install,) = [rest for name, rest in INSTRUCTIONS if name == "RUN" and " install " in rest]
    assert "--require-hashes --only-binary :all: -r requirements.txt" in install


def test_a_package_out_of_the_lock_stops_the_build(image: Path) -> None:
    (image / "srv" / "more.txt").write_text("glm-api-has-no-such-package\n")
    (install,) = [rest for name, rest in INSTRUCTIONS if name == "RUN" and " install " in rest]
    with pytest.raises(subprocess.CalledProcessError):
        run(install.replace("requirements.txt", "more.txt"), image)


def test_only_what_is_copied_goes_to_the_builder() -> None:
    ignored, *allowed = [
        line for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] not in "#"
    ]
    assert ignored == "*"
    sources = {
        source
        for name, rest in INSTRUCTIONS
        if name == "COPY" and "--from" not in rest
        for source in rest.split()[:-1]
    }
    assert {line.removeprefix("!") for line in allowed if line.startswith("!")} == sources


def test_it_runs_without_root_and_without_a_shell() -> None:
    assert only("USER") == "10001:10001"
    assert only("STOPSIGNAL") == "SIGTERM"
    assert only("EXPOSE") == image_environ()["PORT"] == "8000"
    assert only("CMD").startswith("[")
    assert " CMD [" in only("HEALTHCHECK")
    assert "HOST=0.0.0.0" in only("ENV")


def test_the_drain_fits_into_docker_stop() -> None:
    assert int(image_environ()["GLM_DRAIN_SECONDS"]) <= 8


@contextmanager
def start(image: Path) -> Iterator[dict[str, str]]:
    """The image's command in its working directory, on a free port; gives the container's environment."""
    # The volume; the image's own path is a place of this machine.
    environ = image_environ() | {"PORT": "0", "GLM_STATE_PATH": str(image.parent / "volume/state.sqlite3")}
    command = exec_form(only("CMD"))
    with subprocess.Popen(
        command, cwd=image / "srv", env=environ, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        try:
            lines = iter(process.stderr.readline, "")
            port = next(
                found[1] for line in lines if (found := re.search(r"http://127\.0\.0\.1:(\d+)", line))
            )
            yield environ | {"PORT": port}
            process.terminate()
            assert process.wait(timeout=15) == 0
        finally:
            process.kill()


def check_health(environ: dict[str, str]) -> int:
    command = exec_form(only("HEALTHCHECK"))
    return subprocess.run(command, env=environ, stderr=subprocess.DEVNULL, check=False, timeout=50).returncode


def test_it_serves_and_the_health_check_sees_it(image: Path) -> None:
    before = sorted(image.rglob("*"))
    with start(image) as environ:
        assert check_health(environ) == 0
    assert check_health(environ) == 1
    assert sorted(image.rglob("*")) == before, "the root file system may be read-only"


def test_the_doctor_is_in_the_image(image: Path, tmp_path: Path) -> None:
    environ = image_environ() | {
        "GLM_UPSTREAM_URL": "http://127.0.0.1:9",
        "GLM_STATE_PATH": str(tmp_path / "state.sqlite3"),
    }
    command = exec_form('["python", "-m", "app.doctor", "--json"]')
    run = subprocess.run(
        command, cwd=image / "srv", env=environ, capture_output=True, timeout=30, check=False
    )
    assert run.returncode == 1
    report = json.loads(run.stdout)
    assert report["verdict"] == "network"
    checks = {one["check"]: one for one in report["checks"]}
    assert checks["packages"]["mark"] == "ok"
    assert checks["token"]["text"].endswith(": docker exec -it glm-api python -m app.doctor --tokens -")


def test_the_demo_is_in_the_image(image: Path) -> None:
    """As compose.yaml starts it; it listens on every address of the container."""
    environ = image_environ() | {"HOST": "0.0.0.0", "PORT": "0"}
    command = exec_form('["python", "-m", "demo", "--serve"]')
    with subprocess.Popen(
        command, cwd=image / "srv", env=environ, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            lines = iter(process.stdout.readline, "")
            address = next(
                found[0] for line in lines if (found := re.search(r"http://127\.0\.0\.1:\d+", line))
            )
            asked = urllib.request.Request(
                f"{address}/v1/chat/completions",
                b'{"model": "glm", "messages": [{"role": "user", "content": "hello"}]}',
                {"Authorization": "Bearer demo-anna"},
            )
            with urllib.request.urlopen(asked, timeout=20) as answer:
                assert json.loads(answer.read())["choices"][0]["message"]["content"]
            process.terminate()
            assert process.wait(timeout=20) == 0
        finally:
            process.kill()


def test_it_is_built_for_every_processor_from_a_base_that_can_be_named() -> None:
    froms = [rest for name, rest in INSTRUCTIONS if name == "FROM"]
    assert froms == ["${BASE_IMAGE} AS build", "${BASE_IMAGE}"]
    assert INSTRUCTIONS[0] == ("ARG", "BASE_IMAGE=python:3.12-slim")
    text = (ROOT / "Dockerfile").read_text()
    assert not re.search(r"amd64|x86|arm64|aarch64|--platform", text)
    # Declared, and without a value of ours: pip's own index unless somebody names another.
    assert ("ARG", "PIP_INDEX_URL") in INSTRUCTIONS
