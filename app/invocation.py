"""How people call this program, as the files beside it tell: advice names what its reader has.

A checkout has a Makefile, an installed package has the command `glm-api`, the image holds what runs and
nothing else; what is left is an archive that was only unpacked.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HOME = Path(__file__).parents[1]
"""Where wsgi.py, gunicorn.conf.py, app and demo lie, in a checkout, an image and an installed package."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """Whole commands, to be copied as they are."""

    program: str
    """What stands before run, demo, doctor, record, key."""
    run: str
    key: str
    doctor: str
    doctor_asking: str
    """For tokens on standard input."""
    doctor_as_owner: str
    """As the user in `{owner}`."""
    at_port: str
    """`run` at the port in `{next}`."""


_DOCKER = "docker exec -it glm-api python -m app.doctor"

CHECKOUT = Invocation(
    program="python -m app.command",
    run="make run",
    key="make key LABEL=laptop",
    doctor="make doctor",
    doctor_asking='make doctor ARGS="--tokens -"',
    doctor_as_owner="sudo -u '#{owner}' make doctor",
    at_port="PORT={next} make run",
)
PACKAGE = Invocation(
    program="glm-api",
    run="glm-api run",
    key="glm-api key laptop",
    doctor="glm-api doctor",
    doctor_asking="glm-api doctor --tokens -",
    doctor_as_owner="sudo -u '#{owner}' glm-api doctor",
    at_port="PORT={next} glm-api run",
)
# By the names of compose.yaml and docs/deploy.md. A key is made before there is a container.
IMAGE = Invocation(
    program="python -m app.command",
    run="docker start glm-api",
    key="docker run --rm glm-api python -m app.keys new laptop",
    doctor=_DOCKER,
    doctor_asking=f"{_DOCKER} --tokens -",
    doctor_as_owner=_DOCKER.replace("-it", "-u {owner} -it"),
    at_port="docker run -e PORT={next} ...",
)
ARCHIVE = Invocation(
    program="python -m app.command",
    run="python -m app.command run",
    key="python -m app.command key laptop",
    doctor="python -m app.command doctor",
    doctor_asking="python -m app.command doctor --tokens -",
    doctor_as_owner="sudo -u '#{owner}' python -m app.command doctor",
    at_port="PORT={next} python -m app.command run",
)


def find_invocation(home: Path) -> Invocation:
    if (home.parent.name, home.name) == ("glm_api", "home"):  # deploy/wheel/backend.py
        return PACKAGE
    if (home / "Makefile").exists():
        return CHECKOUT
    return ARCHIVE if (home / "pyproject.toml").exists() else IMAGE


CALLED = find_invocation(HOME)
