"""Pages under names that any site could have see no pictures, unless their callers know a secret."""

from __future__ import annotations

import pytest

from app.routes.rebinding import may_be_rebound
from tests.app.routes.conftest import Connect
from tests.app.routes.test_picture import PICTURE, PLACE, ask
from tests.file_server import FileServer, page

OWN = [
    "http://127.0.0.1:8000",
    "http://localhost:8000",
    "http://LOCALHOST",
    "http://192.168.1.5:8000",
    "http://[::1]:8000",
    "http://nas:8000",
    "http://glm.lan",
    "http://pi.local:8000",
    "http://glm.home.arpa",
    "http://glm.localhost:8000",
    "https://chat.example.org",
    "https://chat.example.org:8443",
]
STRANGE = [
    "http://evil.example.org:8000",
    "http://evil.example.org.",
    "http://127.0.0.1.evil.example",
    "http://localhost.evil.example:8000",
    "http://evil.homearpa.example",
    "http://xn--evil-0ra.example",
    "http://2130706433.example",
    "null",
    "",
    "https://",
    "http://",
    "file://",
    "chrome-extension://abcdef",
    "http://[",
    "http://" + "x" * 600,
]


@pytest.mark.parametrize("origin", OWN)
def test_nobody_else_can_have_this_name(origin: str) -> None:
    assert not may_be_rebound(origin)


@pytest.mark.parametrize("origin", STRANGE)
def test_anybody_could_have_this_name(origin: str) -> None:
    assert may_be_rebound(origin)


def test_a_rebound_page_sees_no_picture(connect: Connect) -> None:
    with FileServer() as proxy:
        proxy.pages[PLACE] = page(PICTURE)
        client = connect(GLM_PROXY=proxy.url)
        refused = ask(client, PLACE, Origin="http://evil.example.org:8000")
        assert refused.status_code == 403
        assert refused.json is not None
        assert refused.json["error"]["code"] == "forbidden"
        assert proxy.requests == []
        assert ask(client, PLACE, Origin="http://localhost:8000").status_code == 200
        assert ask(client, PLACE).status_code == 200


def test_who_has_a_gateway_key_may_call_the_gateway_as_they_like(connect: Connect) -> None:
    key = "glm-" + "0f" * 32
    with FileServer() as proxy:
        proxy.pages[PLACE] = page(PICTURE)
        client = connect(GLM_PROXY=proxy.url, GLM_REFRESH_TOKENS="demo-ann", GATEWAY_API_KEYS=f"a={key}")
        answer = ask(client, PLACE, Origin="http://chat.example.org", Authorization=f"Bearer {key}")
        assert answer.status_code == 200


def test_with_keys_a_token_is_still_no_secret(connect: Connect) -> None:
    settings = {"GLM_REFRESH_TOKENS": "demo-ann", "GATEWAY_API_KEYS": f"a=glm-{'0f' * 32}"}
    client = connect(GLM_PASS_THROUGH="1", **settings)
    answer = ask(
        client, PLACE, Origin="http://evil.example", Authorization="Bearer eyJhbGciOiJIUzI1NiJ9.e30.c2ln"
    )
    assert answer.status_code == 403
