"""What pip makes of a checkout: one package, pinned as the lock is, which runs far from its source."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import urllib.request
import venv
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = ("app", "demo", "gunicorn", "upstream_emulator")

Call = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built by pip, without an index: the backend needs nothing."""
    directory = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--no-index", "--no-deps", "--quiet"]
    command += ["--disable-pip-version-check", "-w", str(directory), str(ROOT)]
    subprocess.run(command, check=True, timeout=60)
    (built,) = directory.glob("*.whl")
    return built


def install(wheel: Path, directory: Path) -> Path:
    """Make an environment that holds the wheel alone; returns where its packages lie."""
    venv.create(directory, symlinks=True, with_pip=False)
    command = [sys.executable, "-m", "pip", "--python", str(directory / "bin/python"), "install"]
    command += ["--quiet", "--no-index", "--no-deps", "--disable-pip-version-check", str(wheel)]
    subprocess.run(command, check=True, timeout=60)
    packages = sysconfig.get_path("purelib", vars={"base": str(directory), "platbase": str(directory)})
    assert {path.name for path in Path(packages).iterdir()} == {"glm_api", "glm_api-0.1.0.dist-info"}
    return Path(packages)


@pytest.fixture(scope="module")
def empty(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program in an environment without any of the packages that it needs."""
    directory = tmp_path_factory.mktemp("empty")
    install(wheel, directory)
    return directory / "bin/glm-api"


@pytest.fixture(scope="module")
def full(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program with the packages of this environment in sight, but not this checkout."""
    directory = tmp_path_factory.mktemp("full")
    (install(wheel, directory) / "packages.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return directory / "bin/glm-api"


@pytest.fixture
def call(tmp_path: Path) -> Call:
    """Runs a program where directories lie that are called as ours are."""
    for name in OURS:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('not ours')\n")

    def call(program: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program, *arguments],
            cwd=tmp_path, env=build_environ(tmp_path, **environ), capture_output=True, text=True,
            timeout=50, check=False,
        )  # fmt: skip

    return call


def build_environ(home: Path, **environ: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C.UTF-8"} | environ


def test_one_package_with_page_and_docs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        assert archive.testzip() is None
    assert {name.split("/")[0] for name in names} == {"glm_api", "glm_api-0.1.0.dist-info"}
    home = {name.removeprefix("glm_api/home/") for name in names if "/home/" in name}
    assert {"wsgi.py", "gunicorn.conf.py", "app/page/index.html", "app/routes/openapi.json"} <= home
    assert {"docs/configuration.md", "README.zh-CN.md", "demo/command.py", "LICENSE"} <= home
    listed = subprocess.run(
        ["git", "ls-files", "app", "demo", "upstream_emulator", "docs"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\n")  # fmt: skip
    assert set(filter(None, listed)) <= home, "a file that is kept is missing"
    assert not [name for name in home if "__pycache__" in name or name.startswith(("tests", "var", "."))]


def test_it_pins_what_the_lock_pins(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        metadata = message_from_bytes(archive.read("glm_api-0.1.0.dist-info/METADATA"))
    pins = metadata.get_all("Requires-Dist") or []
    lock = (ROOT / "requirements.txt").read_text("utf-8")
    assert len(pins) == len(re.findall(r"^[a-z0-9].*==", lock, re.MULTILINE)) > 20
    assert all(re.match(r"[a-z0-9-]+(\[[a-z,]+\])?==[\w.]+( ; .+)?$", pin) for pin in pins), pins
    assert [pin for pin in pins if pin.partition(" ;")[0] not in lock] == []
    assert metadata["Requires-Python"] == ">=3.11"


def test_it_is_the_same_each_time(wheel: Path, tmp_path: Path) -> None:
    code = "import sys; sys.path.insert(0, 'deploy/wheel'); import backend; backend.build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-B", "-c", code, tmp_path], cwd=ROOT, check=True, timeout=60)
    assert (tmp_path / wheel.name).read_bytes() == wheel.read_bytes()


def test_the_source_archive_builds_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    code = "import sys; sys.path.insert(0, 'deploy/wheel'); import backend; backend.build_sdist(sys.argv[1])"
    subprocess.run([sys.executable, "-B", "-c", code, tmp_path], cwd=ROOT, check=True, timeout=60)
    with tarfile.open(tmp_path / "glm_api-0.1.0.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    code = code.replace("build_sdist", "build_wheel")
    subprocess.run(
        [sys.executable, "-B", "-c", code, tmp_path], cwd=tmp_path / "glm_api-0.1.0", check=True, timeout=60
    )
    assert (tmp_path / wheel.name).read_bytes() == wheel.read_bytes()


@pytest.mark.parametrize("command", ["run", "demo", "doctor"])
def test_without_packages_it_says_so_in_one_line(empty: Path, call: Call, command: str) -> None:
    run = call(empty, command)
    assert (run.returncode, run.stdout) == (1, "")
    assert re.fullmatch(r"the package \w+ is not installed here: .*\n", run.stderr), run.stderr


def test_what_needs_no_packages_works_without(empty: Path, call: Call) -> None:
    assert call(empty, "--version").stdout == "glm-api 0.1.0\n"
    told = call(empty, "--help").stdout
    assert all(f"\n  {command} " in told for command in ("run", "demo", "doctor", "record", "key"))
    key = call(empty, "key", "laptop")
    assert re.search(r"^entry for GATEWAY_API_KEYS: laptop=sha256:[0-9a-f]{64}$", key.stdout, re.MULTILINE)


@pytest.mark.parametrize(
    "arguments", [[], ["demo-token"], ["key"], ["key", "a b"], ["run", "--x"], ["demo", "x"]]
)
def test_a_wrong_command_is_one_line_and_repeats_nothing(
    empty: Path, call: Call, arguments: list[str]
) -> None:
    run = call(empty, *arguments)
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (2, "", 1)
    assert "demo-token" not in run.stderr


def test_a_reader_that_has_seen_enough_is_no_trouble(empty: Path, tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with subprocess.Popen(
        [empty, "key", "laptop"],
        cwd=tmp_path, env=build_environ(tmp_path), stdout=writer, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        os.close(writer)
        assert process.communicate(timeout=20)[1] == ""
        assert process.returncode == 1


@contextmanager
def start(program: Path, home: Path, command: str) -> Iterator[str]:
    """The address of a gateway that the command starts, and ends by SIGTERM."""
    with subprocess.Popen(
        [program, command],
        cwd=home, env=build_environ(home, PORT="0"),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        try:
            found = (re.search(r"http://127\.0\.0\.1:\d+(?=/$|/ )", line.rstrip()) for line in process.stdout)
            yield next(address[0] for address in found if address)
            process.terminate()
            assert process.wait(20) == 0
        finally:
            process.kill()


def test_run_and_its_page(full: Path, call: Call, tmp_path: Path) -> None:
    with start(full, tmp_path, "run") as url:
        for path in ("/", "/docs", "/openapi.json", "/page/main.js"):
            with urllib.request.urlopen(f"{url}{path}", timeout=10) as answer:
                assert len(answer.read()) > 100
    assert (tmp_path / ".local/state/glm-api/state.sqlite3").exists()
    assert not list(full.parents[1].rglob("*.sqlite3"))


def test_doctor(full: Path, call: Call, tmp_path: Path) -> None:
    run = call(full, "doctor", "--json", GLM_UPSTREAM_URL="http://127.0.0.1:9", PORT="9")
    report = json.loads(run.stdout)
    assert (run.returncode, report["verdict"]) == (1, "network")
    marks = {one["check"]: one["mark"] for one in report["checks"]}
    assert (marks["packages"], marks["server"]) == ("ok", "ok")


def test_words_name_what_is_installed(full: Path, call: Call) -> None:
    said = call(full, "doctor", GLM_UPSTREAM_URL="http://127.0.0.1:9", PORT="9").stdout
    assert "give yours on standard input: glm-api doctor --tokens -\n" in said
    assert call(full, "doctor", "--help").stdout.startswith("usage: glm-api doctor ")
    assert call(full, "run", "--help").stdout.startswith("usage: glm-api run\n")
    refused = call(full, "run", GATEWAY_API_KEYS="mine")
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "`glm-api key laptop`" in refused.stderr


def test_demo(full: Path, call: Call, tmp_path: Path) -> None:
    with start(full, tmp_path, "demo") as url:
        asked = urllib.request.Request(
            f"{url}/v1/chat/completions",
            b'{"model": "glm", "messages": [{"role": "user", "content": "hello"}]}',
            {"Authorization": "Bearer demo-anna"},
        )
        with urllib.request.urlopen(asked, timeout=20) as answer:
            assert json.loads(answer.read())["choices"][0]["message"]["content"]
