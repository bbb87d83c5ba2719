"""Requests as clients and proxies send them, on a real socket: compressed, with slips, with odd headers."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
import requests

from demo.gateway import GatewayProcess
from tests.live.conftest import StartGateway, count_asked, list_states
from tests.live.test_limits import resident_kib
from upstream_emulator.emulator import UpstreamEmulator

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


def test_a_stream_that_is_cut_or_in_another_coding_is_named(gateway: GatewayProcess, account: str) -> None:
    cut = gzip.compress(body(stream=False))[:-9]
    for coding, data, status in [
        ("gzip", cut, 400),
        ("zstd", cut, 415),
        ("br", cut, 415),
        ("deflate", cut, 400),
    ]:
        for path in ("/v1/chat/completions", "/v1/images/generations"):
            answer = post(gateway, account, path, data, Content_Encoding=coding)
            message = answer.json()["error"]["message"]
            assert answer.status_code == status
            assert "JSON" not in message
            assert coding in message or "Content-Encoding" in message


def test_a_compressed_order_of_a_picture(gateway: GatewayProcess, account: str) -> None:
    order = gzip.compress(json.dumps({"prompt": "一只猫"}).encode())
    answer = post(gateway, account, "/v1//images//generations/", order, Content_Encoding="gzip")
    assert answer.status_code == 200
    assert answer.json()["data"]


ANYWHERE = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}


@pytest.mark.parametrize(
    "path", ["/v1//chat/completions", "/v1//models", "/v1/images//generations", "/models/"]
)
def test_no_path_of_the_interface_redirects(gateway: GatewayProcess, account: str, path: str) -> None:
    proxy = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "198.51.100.7"}
    headers = {"Authorization": f"Bearer {account}", "Origin": "null"} | proxy
    for method, more in (("GET", {}), ("POST", {}), ("OPTIONS", ANYWHERE)):
        answer = requests.request(
            method, gateway.url + path, headers=headers | more, timeout=20, allow_redirects=False
        )
        assert not 300 <= answer.status_code < 400
        assert "http://" not in str(answer.headers)
        if method == "OPTIONS":
            assert answer.status_code in (200, 204)
            assert answer.headers["Access-Control-Allow-Origin"]


@pytest.mark.parametrize(
    ("allowed", "good", "bad"),
    [
        (
            "https://*.example.org",
            "https://chat.example.org",
            ["https://example.org", "https://xexample.org", "https://example.org.evil.test",
             "https://a.example.org.evil.test", "http://chat.example.org"],
        ),
        ("http://localhost:*", "http://localhost:5173", ["http://localhost.evil.test", "http://localhost:5173.evil.test"]),
    ],
)  # fmt: skip
def test_a_star_stands_for_one_label_or_the_port(
    start_gateway: StartGateway, allowed: str, good: str, bad: list[str]
) -> None:
    gateway = start_gateway(CORS_ORIGINS=allowed)

    def is_let_in(origin: str) -> bool:
        answer = requests.options(
            f"{gateway.url}/v1/chat/completions", headers=ANYWHERE | {"Origin": origin}, timeout=20
        )
        return "Access-Control-Allow-Origin" in answer.headers

    assert is_let_in(good)
    assert [origin for origin in bad if is_let_in(origin)] == []


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "headers",
    [
        {"X_Forwarded_Proto": "https", "X_Forwarded_Protocol": "https"},
        {"X_Forwarded_Proto": "http", "X_Forwarded_Ssl": "on"},
        {"X_Forwarded_Proto": "https,http", "X_Forwarded_Ssl": "on"},
    ],
)
def test_scheme_headers_that_contradict_each_other_do_no_harm(
    gateway: GatewayProcess, account: str, headers: dict[str, str], stream: bool
) -> None:
    answer = post(gateway, account, "/v1/chat/completions", body(stream=stream), **headers)
    assert answer.status_code == 200
    assert answer.headers["X-Request-Id"]


@pytest.mark.parametrize("peer", ["203.0.113.7:{}", "[2001:db8::1]:{}", "word{}"])
def test_wrong_keys_count_by_address_whatever_the_port(start_gateway: StartGateway, peer: str) -> None:
    gateway = start_gateway(GATEWAY_API_KEYS=KEY, GLM_REFRESH_TOKENS="demo-pool", TRUSTED_PROXIES="127.0.0.1")

    def guess(address: str) -> int:
        return post(
            gateway, "glm-wrong", "/v1/chat/completions", body(stream=False), X_Forwarded_For=address
        ).status_code

    assert [guess(peer.format(40000 + n)) for n in range(12)] == [401] * 10 + [429] * 2
    assert guess("198.51.100.1:1") == 401


def ask_as(gateway: GatewayProcess, header: str) -> requests.Response:
    return requests.post(
        f"{gateway.url}/v1/chat/completions",
        body(stream=False),
        headers={"Authorization": header.encode()},
        timeout=20,
    )


@pytest.mark.parametrize(
    "pasted",
    [
        *["Bearer Bearer {}", 'Bearer "{}"', "Bearer {}， {}-two", "Bearer {};{}-two", "Bearer {}%2C{}-two"],
        *["Bearer chatglm_refresh_token={}", "Bearer chatglm_token=x; chatglm_refresh_token={}; acw_tc=y"],
    ],
)
def test_credentials_as_they_are_pasted_open(
    gateway: GatewayProcess, upstream: UpstreamEmulator, account: str, pasted: str
) -> None:
    assert ask_as(gateway, pasted.format(account, account)).status_code == 200
    sent = {r["headers"]["authorization"] for r in upstream.requests() if "refresh" in r["path"]}
    assert sent <= {f"Bearer {account}", f"Bearer {account}-two"}


@pytest.mark.parametrize(
    ("pasted", "words"),
    [
        ("eyJhbGciOiJIUzI1NiJ9.eyJ0eXBlIjoiYWNjZXNzIn0.c2ln", "access token"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJ0eXBlIjoicmVmcmVzaCIsImlzX2d1ZXN0Ijp0cnVlfQ.c2ln", "visitor"),
        ("sk-abcdef", "another service"),
        ("acw_tc=x; y=z", "a cookie"),
        ("REFRESH_TOKEN", "example"),
    ],
)
def test_a_mistake_is_named_without_a_call_upstream(
    gateway: GatewayProcess, upstream: UpstreamEmulator, pasted: str, words: str
) -> None:
    answer = ask_as(gateway, f"Bearer {pasted}")
    check = requests.post(f"{gateway.url}/token/check", json={"token": pasted}, timeout=20)
    assert (answer.status_code, check.status_code) == (401, 400)
    for said in (answer.json()["error"], check.json()["error"]):
        assert words in said["message"]
        assert pasted not in said["message"]
    assert count_asked(upstream) == {}


def test_a_tokens_file_from_windows_opens_both_accounts(start_gateway: StartGateway, tmp_path: Path) -> None:
    path = tmp_path / "tokens.txt"
    path.write_bytes(b'\xef\xbb\xbf# mine\r\n"demo-ann",demo-bob\r\nchatglm_refresh_token=demo-eve # old\r\n')
    gateway = start_gateway(GATEWAY_API_KEYS=f"{KEY};admin", GLM_REFRESH_TOKENS_FILE=str(path))
    for _ in range(6):
        assert ask_as(gateway, f"Bearer {KEY}").status_code == 200
    assert list_states(gateway, KEY) == ["ready"] * 3
