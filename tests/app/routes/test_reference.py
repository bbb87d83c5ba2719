"""/docs serves the page and two files of the package, under the policy of the page, and costs no start."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from app.config import Settings
from app.factory import create_app
from app.routes.services import EXTENSION
from app.state import MEMORY


@pytest.fixture(scope="module")
def client() -> Iterator[FlaskClient]:
    app = create_app(Settings(state_path=MEMORY, upstream_url="http://127.0.0.1:9"))
    yield app.test_client()
    app.extensions[EXTENSION].stop(0)


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/docs", "text/html"),
        ("/docs/swagger-ui.css", "text/css"),
        ("/docs/swagger-ui-bundle.js", "text/javascript"),
    ],
)
def test_its_files_come_under_the_policy_of_the_page(
    client: FlaskClient, path: str, content_type: str
) -> None:
    answer = client.get(path, buffered=True)
    assert answer.status_code == 200
    assert answer.mimetype == content_type
    policy = answer.headers["Content-Security-Policy"]
    assert policy == client.get("/").headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert client.get(path, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


@pytest.mark.parametrize("name", ["swagger-ui.js", "index.css", "..%2f__init__.py", "oauth2-redirect.html"])
def test_nothing_else_of_the_package_is_served(client: FlaskClient, name: str) -> None:
    assert client.get(f"/docs/{name}").status_code == 404


def test_the_package_is_never_imported() -> None:
    look = (
        "import sys; from app.factory import create_app; from app.config import Settings;"
        "app = create_app(Settings(state_path=':memory:'));"
        "assert app.test_client().get('/docs/swagger-ui.css').status_code == 200;"
        "assert 'flask_swagger_ui' not in sys.modules; app.extensions['glm-api'].stop(0)"
    )
    subprocess.run([sys.executable, "-c", look], check=True, timeout=30)
