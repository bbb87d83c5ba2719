"""POST /token/check"""

from __future__ import annotations

import json

import pytest
from flask.testing import FlaskClient

from tests.app.routes.conftest import Connect
from tests.app.routes.test_door import KEY, WITH_KEYS, bearer, check_error
from upstream_emulator.emulator import UpstreamEmulator


def test_one_token(client: FlaskClient) -> None:
    assert client.post("/token/check", json={"token": "demo-a"}).get_json() == {"live": True}
    assert client.post("/token/check", json={"token": "dead-a"}).get_json() == {"live": False}
    assert client.post("/token/check", json={"token": "rubbish"}).get_json() == {"live": False}


def test_several_tokens(client: FlaskClient) -> None:
    answer = client.post("/token/check", json={"token": "demo-a, dead-b"})
    body = answer.get_json()
    assert body["live"] is False
    assert [(entry["live"], entry["reason"]) for entry in body["tokens"]] == [
        (True, None),
        (False, "expired"),
    ]
    assert "demo-a" not in answer.text


def test_no_content_type_is_needed(client: FlaskClient) -> None:
    answer = client.post("/token/check", data=json.dumps({"token": "demo-a"}), content_type="text/plain")
    assert answer.get_json() == {"live": True}


WRONG = [b"", b"{}", b"[]", b'{"token":null}', b'{"token":""}', b'{"token":" , "}', b'{"token":5}', b"\xff"]
WRONG += [b'{"token":"a b"}', b"[" * 100_000, json.dumps({"token": ",".join(map(str, range(21)))}).encode()]


@pytest.mark.parametrize("body", WRONG, ids=range(len(WRONG)))
def test_wrong_bodies(client: FlaskClient, body: bytes) -> None:
    error = check_error(client.post("/token/check", data=body), 400, "invalid_value")
    assert error["param"] == "token"


def test_asking_often_does_not_reach_the_upstream(client: FlaskClient, upstream: UpstreamEmulator) -> None:
    for query in ("", "?fresh=1", "?fresh=0"):
        assert client.post(f"/token/check{query}", json={"token": "demo-a"}).get_json() == {"live": True}
    assert upstream.state()["accounts"]["a"]["refreshes"] == 1


def test_an_upstream_that_is_away_says_nothing_about_the_token(
    client: FlaskClient, upstream: UpstreamEmulator
) -> None:
    upstream.configure(down=True)
    answer = client.post("/token/check", json={"token": "demo-a"})
    check_error(answer, 503, "upstream_busy")
    assert answer.headers["Retry-After"] == "5"
    upstream.configure(down=False)
    assert client.post("/token/check", json={"token": "demo-a"}).get_json() == {"live": True}


def test_with_keys_it_needs_one(connect: Connect) -> None:
    client = connect(**WITH_KEYS)
    check_error(client.post("/token/check", json={"token": "demo-a"}), 401, "invalid_api_key")
    answer = client.post("/token/check", json={"token": "demo-a"}, headers=bearer(KEY))
    assert answer.get_json() == {"live": True}
