"""The client on real sockets against the upstream emulator."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.auth_token import AccessToken
from app.config import Settings
from app.core.errors import (
    AccessRejected,
    AccountAnswering,
    AccountBlocked,
    GatewayError,
    ModelNotFound,
    PromptTooLong,
    SilentAnswer,
    UpstreamInvalid,
    UpstreamThrottled,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from app.upstream.client import UpstreamAddress, UpstreamClient
from app.upstream.request import StreamRequest
from tests.app.files.certificate import make_certificate
from upstream_emulator.emulator import UpstreamEmulator

ASSISTANT = "65940acff94777010aa6b796"


@pytest.fixture
def client(upstream: UpstreamEmulator) -> Iterator[UpstreamClient]:
    client = UpstreamClient(UpstreamAddress(upstream.url, Settings().sign_secret, None, 5))
    yield client
    client.close()


def read_all(client: UpstreamClient, token: AccessToken, prompt: str) -> str | None:
    """The conversation id of one whole answer."""
    stream = client.open_stream(token, StreamRequest(prompt), timeout_seconds=5)
    while not stream.ended:
        stream.read(5)
    for _ in range(2):
        stream.close()
    return stream.conversation_id


@pytest.mark.parametrize("era", ["2024", "2026"])
def test_refresh_ask_and_delete(client: UpstreamClient, upstream: UpstreamEmulator, era: str) -> None:
    upstream.configure(era=era)
    token = client.refresh("demo-anna").access_token
    conversation_id = read_all(client, token, "[[text]]")
    assert conversation_id is not None
    client.delete_conversation(token, conversation_id, ASSISTANT)
    assert upstream.state()["undeleted"] == 0
    client.delete_conversation(token, conversation_id, ASSISTANT)  # gone is deleted


def test_an_answer_is_stopped(client: UpstreamClient, upstream: UpstreamEmulator) -> None:
    token = client.refresh("demo-anna").access_token
    stream = client.open_stream(token, StreamRequest("[[stall at=1 deaf=1]]"), timeout_seconds=5)
    assert stream.read(5)
    stream.close()
    assert upstream.state()["open_streams"] == 1
    client.stop_answer(token, stream.answer_id or "")
    assert upstream.state()["open_streams"] == 0


def test_a_dead_token(client: UpstreamClient) -> None:
    for token in ("dead-anna", "rubbish"):
        with pytest.raises(AccessRejected):
            client.refresh(token)


@pytest.mark.parametrize("era", ["2024", "2026"])
def test_a_knock_is_turned_away_without_touching_anybody(
    client: UpstreamClient, upstream: UpstreamEmulator, era: str
) -> None:
    upstream.configure(era=era, clock_offset_seconds=-100)
    probe = client.probe()
    assert not probe.refuses_signature
    assert probe.now is not None
    assert abs(probe.now + 100 - time.time()) < 30
    assert upstream.state()["accounts"] == {}


def test_a_knock_whose_signature_is_too_old(client: UpstreamClient, upstream: UpstreamEmulator) -> None:
    upstream.configure(clock_offset_seconds=1000)
    probe = client.probe()
    assert (probe.status, probe.refuses_signature) == (400, True)


def test_a_knock_at_a_closed_door(client: UpstreamClient, upstream: UpstreamEmulator) -> None:
    upstream.configure(down=True)
    with pytest.raises(UpstreamUnreachable):
        client.probe()


def test_an_access_token_that_died(client: UpstreamClient, upstream: UpstreamEmulator) -> None:
    token = client.refresh("demo-anna").access_token
    upstream.account("anna", expire_access=True)
    with pytest.raises(AccessRejected):
        client.open_stream(token, StreamRequest("hi"), timeout_seconds=5)


def test_refusals_are_classified(client: UpstreamClient) -> None:
    token = client.refresh("demo-anna").access_token
    with pytest.raises(UpstreamThrottled) as raised:
        client.open_stream(token, StreamRequest("[[throttled429]]"), timeout_seconds=5)
    assert raised.value.retry_after_seconds


def test_connections_are_reused_and_no_cookie_is_kept(
    client: UpstreamClient, upstream: UpstreamEmulator
) -> None:
    for name in ("anna", "bert", "carl"):
        token = client.refresh(f"demo-{name}").access_token
        for _ in range(3):
            read_all(client, token, "[[text]]")
    assert upstream.state()["tcp_connections"] == 1
    assert all("cookie" not in {name.lower() for name in sent["headers"]} for sent in upstream.requests())


def test_tls_is_agreed_on_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate, key = make_certificate("localhost", begins=datetime.now(UTC) - timedelta(hours=1))
    pem = tmp_path / "site.pem"
    pem.write_bytes(certificate + key)
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(pem))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pem)
    with UpstreamEmulator(tls=tls) as upstream:
        address = upstream.url.replace("127.0.0.1", "localhost")
        with closing(UpstreamClient(UpstreamAddress(address, Settings().sign_secret, None, 5))) as client:
            token = client.refresh("demo-anna").access_token
            for _ in range(5):
                conversation_id = read_all(client, token, "[[chunks n=20 pace=1]]")
                client.delete_conversation(token, conversation_id or "", ASSISTANT)
        assert (upstream.state()["tcp_connections"], upstream.state()["undeleted"]) == (1, 0)


def test_a_connection_that_went_stale_is_replaced(client: UpstreamClient, upstream: UpstreamEmulator) -> None:
    token = client.refresh("demo-anna").access_token
    upstream.configure(down=True)
    with pytest.raises(GatewayError):
        read_all(client, token, "[[text]]")
    upstream.configure(down=False)
    assert read_all(client, token, "[[text]]")


def test_no_secret_in_an_error(upstream: UpstreamEmulator) -> None:
    client = UpstreamClient(UpstreamAddress("http://127.0.0.1:9", Settings().sign_secret, None, 1))
    with pytest.raises(GatewayError) as raised:
        client.refresh("demo-secret")
    assert "demo-secret" not in str(raised.value)
    assert "demo-secret" not in repr(raised.value.__cause__)


FAULTS: list[tuple[str, type[GatewayError]]] = [
    ("json200", AccountBlocked),
    ("toolong", PromptTooLong),
    ("validation", ModelNotFound),
    ("busy429", AccountAnswering),
    ("busy200", AccountAnswering),
    ("throttled429", UpstreamThrottled),
    ("waf400", AccountBlocked),
    ("login401", AccessRejected),
    ("http500", UpstreamUnreachable),
    ("html429", UpstreamThrottled),
    ("html502", UpstreamUnreachable),
    ("html503", UpstreamUnreachable),
    ("waf200", UpstreamInvalid),
    ("waf405", UpstreamInvalid),
    ("hangup", UpstreamUnreachable),
]


@pytest.mark.parametrize(("fault", "expected"), FAULTS)
def test_what_comes_instead_of_a_stream(
    client: UpstreamClient, fault: str, expected: type[GatewayError]
) -> None:
    token = client.refresh("demo-anna").access_token
    with pytest.raises(GatewayError) as raised:
        client.open_stream(token, StreamRequest(f"[[{fault}]]"), timeout_seconds=5)
    assert type(raised.value) is expected
    assert read_all(client, token, "[[text]]"), "the client works on"


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("expired", AccessRejected),
        ("http500", UpstreamUnreachable),
        ("html502", UpstreamUnreachable),
        ("throttled429", UpstreamThrottled),
        ("login401", AccessRejected),
        ("waf400", AccountBlocked),
        ("waf200", UpstreamInvalid),
        ("hangup", UpstreamUnreachable),
    ],
)
def test_a_refresh_that_fails(
    client: UpstreamClient, upstream: UpstreamEmulator, fault: str, expected: type[GatewayError]
) -> None:
    upstream.account("anna", refresh_next=[fault, fault])  # a hang-up is tried once more
    with pytest.raises(GatewayError) as raised:
        client.refresh("demo-anna")
    assert type(raised.value) is expected


def test_a_deletion_that_fails_is_told(client: UpstreamClient, upstream: UpstreamEmulator) -> None:
    token = client.refresh("demo-anna").access_token
    conversation_id = read_all(client, token, "[[text]]") or ""
    upstream.account("anna", delete_next=["http500"])
    with pytest.raises(UpstreamUnreachable):
        client.delete_conversation(token, conversation_id, ASSISTANT)
    assert upstream.state()["undeleted"] == 1
    client.delete_conversation(token, conversation_id, ASSISTANT)
    assert upstream.state()["undeleted"] == 0


def test_a_silent_upstream_is_a_timeout(client: UpstreamClient) -> None:
    token = client.refresh("demo-anna").access_token
    with pytest.raises(UpstreamTimeout):
        client.open_stream(token, StreamRequest("[[silence]]"), timeout_seconds=0.1)


def test_a_foreign_conversation_is_an_empty_stream(client: UpstreamClient) -> None:
    token = client.refresh("demo-anna").access_token
    stream = client.open_stream(token, StreamRequest("hi", conversation_id="f" * 24), timeout_seconds=5)
    with pytest.raises(SilentAnswer):
        stream.read(5)
    stream.close()


def test_a_conversation_goes_on(client: UpstreamClient, upstream: UpstreamEmulator) -> None:
    token = client.refresh("demo-anna").access_token
    conversation_id = read_all(client, token, "first") or ""
    stream = client.open_stream(
        token, StreamRequest("second", conversation_id=conversation_id), timeout_seconds=5
    )
    while not stream.ended:
        stream.read(5)
    stream.close()
    (conversation,) = upstream.state()["conversations"]
    assert (conversation["id"], conversation["turns"]) == (conversation_id, 2)


def test_leaving_an_answer_stops_the_upstream(client: UpstreamClient, upstream: UpstreamEmulator) -> None:
    token = client.refresh("demo-anna").access_token
    stream = client.open_stream(token, StreamRequest("[[chunks n=1000 pace=20]]"), timeout_seconds=5)
    assert stream.read(5)
    assert upstream.state()["open_streams"] == 1
    stream.close()
    state = upstream.wait_until(lambda state: state["open_streams"] == 0)
    assert state["stopped_early"] == 1


def test_nothing_is_refused_for_the_way_it_was_sent(
    client: UpstreamClient, upstream: UpstreamEmulator
) -> None:
    """Signature, nonce, device and browser headers: the upstream is strict and finds nothing."""
    upstream.configure(era="2026")
    token = client.refresh("demo-anna").access_token
    for _ in range(20):
        read_all(client, token, "[[text]]")
    state = upstream.state()
    assert state["refusals"] == {}
    assert state["violations"] == 0
