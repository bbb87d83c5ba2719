"""Requests as clients and proxies send them, on a real socket: compressed, with slips, with odd headers."""

from __future__ import annotations

import gzip
import json

import pytest
import requests

from demo.gateway import GatewayProcess
from tests.live.conftest import StartGateway
from tests.live.test_limits import resident_kib

KEY = "glm-" + "k" * 43


def body(*, stream: bool) -> bytes:
    return json.dumps({"stream": stream, "messages": [{"role": "user", "content": "hello"}]}).encode()


def post(gateway: GatewayProcess, account: str, path: str, data: bytes, **headers: str) -> requests.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    credentials = {"Authorization": f"Bearer {account}"}
    return requests.post(
        gateway.url + path, data, headers=credentials | named, timeout=20, allow_redirects=False
    )


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "path", ["/v1/chat/completions", "/v1//chat/completions/", "/v1/v1/chat/completions", "/chat/completions"]
)
def test_a_compressed_question_by_any_address_of_a_chat(
    gateway: GatewayProcess, account: str, path: str, stream: bool
) -> None:
    answer = post(gateway, account, path, gzip.compress(body(stream=stream)), Content_Encoding="gzip")
    assert answer.status_code == 200
    assert ("[DONE]" in answer.text) == stream


def test_a_bomb_is_refused_without_the_memory(gateway: GatewayProcess, account: str) -> None:
    post(gateway, account, "/v1/chat/completions", body(stream=False))
    before = resident_kib(gateway)
    bomb = gzip.compress(bytes(60_000_000))
    answer = post(gateway, account, "/v1/chat/completions", bomb, Content_Encoding="gzip")
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "request_too_large")
    assert resident_kib(gateway) - before < 24 * 1024


@pytest.mark.parametrize(
    "headers",
    [
        {"X_Forwarded_Proto": "https", "X_Forwarded_Protocol": "https"},
        {"X_Forwarded_Proto": "http", "X_Forwarded_Ssl": "on"},
        {"X_Forwarded_Proto": "https,http", "X_Forwarded_Ssl": "on"},
    ],
)
def test_scheme_headers_that_contradict_each_other_do_no_harm(
    gateway: GatewayProcess, account: str, headers: dict[str, str]
) -> None:
    assert post(gateway, account, "/v1/chat/completions", body(stream=False), **headers).status_code == 200


@pytest.mark.parametrize("peer", ["203.0.113.7:{}", "[2001:db8::1]:{}", "word{}"])
def test_wrong_keys_count_by_address_whatever_the_port(start_gateway: StartGateway, peer: str) -> None:
    gateway = start_gateway(GATEWAY_API_KEYS=KEY, GLM_REFRESH_TOKENS="demo-pool", TRUSTED_PROXIES="127.0.0.1")

    def guess(address: str) -> int:
        return post(
            gateway, "glm-wrong", "/v1/chat/completions", body(stream=False), X_Forwarded_For=address
        ).status_code

    assert [guess(peer.format(40000 + n)) for n in range(12)] == [401] * 10 + [429] * 2
    assert guess("198.51.100.1:1") == 401
