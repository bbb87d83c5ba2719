"""Secrets are planted at every door, and everything that comes out is searched for them, by value.

Out comes: what clients receive, heads included; what the process writes, tracebacks included; its files.
"""

from __future__ import annotations

import base64
import json
import secrets
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from demo.gateway import GatewayProcess
from tests.acceptance.accounts import find_leaks
from tests.eventually import eventually
from tests.live.conftest import CLOCKS
from tests.live.situation import AFTER, BEFORE
from tests.live_accounts.proxy import run_proxy
from tests.raw_client import RawClient
from tests.spelling import SPELLINGS, shows
from upstream_emulator.emulator import UpstreamEmulator
from upstream_emulator.signing import SECRET as SIGN_SECRET

ENDS = [situation.directive for situation in (*BEFORE, *AFTER)]
ACCOUNTS = len(ENDS) + 1
CRASHES = ("asking", "relaying", "closing", "in a thread", "in the hub")


def plant(prefix: str) -> str:
    return prefix + secrets.token_urlsafe(24)


class Planted:
    """A gateway whose every secret is known here, and all that it has answered."""

    def __init__(
        self, upstream_url: str, proxy: str, directory: Path, *, with_keys: bool, door: str, **settings: str
    ) -> None:
        """`door` is the header in which the credentials come."""
        self.tokens = [plant(f"demo-planted{number}.") for number in range(ACCOUNTS)]
        self.key, self.wrong_key, self.metrics_key = plant("glm-"), plant("glm-"), plant("")
        self.unheard = plant("eyJ")
        """Is told in ways that nobody understands, so that only its sender may be told it back."""
        self.other_key = plant("sk-other-")
        """Comes in x-api-key, which opens nothing beside Authorization."""
        password = plant("p%40ss")
        login = f"operator:{password.replace('%40', '@')}"
        self.secrets = {
            *self.tokens, self.key, self.wrong_key, self.metrics_key, self.other_key, SIGN_SECRET, password,
            login.removeprefix("operator:"), base64.b64encode(login.encode()).decode(),
        }  # fmt: skip
        if with_keys:
            settings |= {
                "GLM_REFRESH_TOKENS": ",".join(self.tokens),
                "GATEWAY_API_KEYS": f"x={self.key};admin",
            }
        self._head = (
            "x-api-key: {bearer}"
            if door == "x-api-key"
            else f"Authorization: Bearer {{bearer}}\r\nx-api-key: {self.other_key}"
        )
        self.bearers = [self.key] * ACCOUNTS if with_keys else self.tokens
        settings |= {
            "GLM_PROXY": f"http://operator:{password}@{proxy}",
            "METRICS_KEY": self.metrics_key,
            "LOG_LEVEL": "DEBUG",
            "GLM_FIRST_EVENT_SECONDS": "2",
            "GLM_IDLE_SECONDS": "1",
            "GLM_START_SECONDS": "6",
            "application": "tests.live_accounts.crashing:app",
        }
        self.gateway = GatewayProcess(upstream_url, directory, **(CLOCKS | settings))
        self.answers = b""

    def send(self, method: str, path: str, bearer: str, body: bytes = b"", until: bytes = b"") -> bytes:
        """A request that no library has looked at; the answer, head and all, to its end or up to `until`."""
        shown = self._head.format(bearer=bearer)
        head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{shown}\r\n"
        return self.send_raw(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body, until)

    def send_in_odd_places(self, bearer: str) -> None:
        """Secrets where they do not belong: in other headers, in lists, in quotes, in the body of a check."""
        for name in ("x-api-key", "Proxy-Authorization", "Authorization"):
            for secret in (self.metrics_key, self.wrong_key, f"Basic {self.other_key}", f"a, {self.key}"):
                self.send_raw(f"GET /v1/models HTTP/1.0\r\n{name}: {secret}\r\n\r\n".encode())
        for secret in (self.metrics_key, self.key, self.wrong_key):
            for spelt in (secret, f"x,{secret}", f'"{secret}"'):
                self.send("POST", "/token/check", bearer, json.dumps({"token": spelt}).encode())
                self.send("GET", "/v1/models", spelt)

    def send_raw(self, data: bytes, until: bytes = b"") -> bytes:
        with RawClient(self.gateway.url) as client:
            client.send_raw(data)
            answer = client.read_until(until) if until else client.read_to_end()
        self.answers += answer
        return answer

    def log_in(self, number: int) -> None:
        """Twice, so that the second time it is done with a refresh token that the upstream gave."""
        self.ask("[[text]]", self.bearers[number])
        body = json.dumps({"token": self.tokens[number]}).encode()
        self.send("POST", "/token/check?fresh=1", self.bearers[number], body)

    def ask(self, question: str, bearer: str) -> bytes:
        """The same in every format, one answer behind the other."""
        return b"".join(self.ask_all(question, bearer))

    def ask_all(self, question: str, bearer: str) -> list[bytes]:
        """The third one goes on from an answer that is none, the last one says what it waits for."""
        chat = {"stream": True, "messages": [{"role": "user", "content": question}]}
        asked = {"model": "glm", "stream": True, "input": question}
        bodies = [
            ("chat/completions", chat),
            ("responses", asked),
            ("responses", asked | {"previous_response_id": self.unheard}),
            ("chat/completions", chat | {"progress": True}),
        ]
        return [self.send("POST", f"/v1/{path}", bearer, json.dumps(body).encode()) for path, body in bodies]


@pytest.fixture(
    params=["tokens, text, Authorization", "keys, json, Authorization", "tokens, json, x-api-key"]
)
def planted(request: pytest.FixtureRequest, upstream: UpstreamEmulator, tmp_path: Path) -> Iterator[Planted]:
    credentials, line_format, door = request.param.split(", ")
    upstream.configure(rotate="hard")
    with run_proxy(upstream.url) as proxy:
        settings = {"LOG_FORMAT": line_format}
        with_keys = credentials == "keys"
        planted = Planted(upstream.url, proxy, tmp_path, with_keys=with_keys, door=door, **settings)
        with planted.gateway:
            yield planted


def check_nothing_came_out(planted: Planted, upstream: UpstreamEmulator, directory: Path) -> None:
    """Among the secrets are those that the upstream gave: all that was ever sent to it as a bearer."""
    sent = {one["headers"]["authorization"].removeprefix("Bearer ") for one in upstream.requests()}
    own = (planted.key, planted.wrong_key, planted.metrics_key, planted.other_key)
    assert [bearer for bearer in sent if any(secret in bearer for secret in own)] == [], "went upstream"
    every = planted.secrets | sent
    assert sum(secret.startswith("eyJ") for secret in sent) >= 2, "no access and rotated refresh tokens"
    assert [secret for secret in every if secret.encode() in planted.answers] == []
    assert find_leaks(directory, [*every, planted.unheard]) == []
    assert planted.gateway.stop() == 0  # and now what was still in memory, or in SQLite's journal
    assert find_leaks(directory, [*every, planted.unheard]) == []
    with closing(sqlite3.connect(directory / "state.sqlite3")) as state:
        assert state.execute("SELECT count(*) FROM sealed_token").fetchone()[0] >= 1


def test_nothing_comes_out(planted: Planted, upstream: UpstreamEmulator, tmp_path: Path) -> None:
    """Good answers, every failure of the upstream, wrong credentials, what the operator may see."""
    bearer = planted.bearers[-1]
    assert b"[DONE]" in planted.ask("[[text]]", bearer)
    with ThreadPoolExecutor(ACCOUNTS) as threads:
        list(threads.map(planted.ask, [f"[[{end}]]" for end in ENDS], planted.bearers))
    planted.ask("[[text]]", planted.wrong_key)
    for body in (json.dumps({"token": ",".join(planted.tokens[:20])}), '{"token": "' + planted.tokens[0]):
        planted.send("POST", "/token/check?fresh=1", bearer, body.encode())
    for path in ("/v1/accounts", "/v1/models", "/v1/conversations", "/metrics"):
        for each in (bearer, planted.wrong_key, planted.metrics_key):
            planted.send("GET", path, each)
    # One of the accounts that are still good is asked, and its names repeat tokens.
    listed = json.dumps("写作助手").strip('"').encode()
    eventually(lambda: listed in planted.send("GET", "/v1/models", planted.bearers[-1]), seconds=50)
    recording = planted.send("POST", "/v1/recording", bearer)
    assert recording.startswith(b"HTTP/1.1 200" if planted.key == bearer else b"HTTP/1.1 403")
    planted.send_in_odd_places(bearer)
    planted.send("GET", "/v1/watch", bearer, until=b"\n\n")
    planted.send("GET", f"/v1/models?key={planted.key}", bearer)
    for unreadable in (
        "{} HTTP/1.1",
        "GET /{}",
        "GET / HTTP/1.1\r\nAuthorization Bearer {}",
        "GET / HTTP/{}",
    ):
        planted.send_raw(unreadable.format(planted.unheard).encode() + b"\r\n\r\n")
    with RawClient(
        planted.gateway.url
    ) as half:  # is quoted when its client has gone, at this level of the log
        half.send_raw(f"GET / HTTP/1.1\r\nAuthorization: Bearer {planted.unheard}\r\n".encode())
    assert "state.sqlite3-wal" in {path.name for path in tmp_path.iterdir()}
    check_nothing_came_out(planted, upstream, tmp_path)


def test_crashes_and_quotations_spill_nothing(
    planted: Planted, upstream: UpstreamEmulator, tmp_path: Path
) -> None:
    """To the last handler, the stream's, a thread's, the event loop's own; a failing end is not quoted.

    And an upstream may repeat a token in its words: with gateway keys it is the operator's, and whoever asks
    is somebody else.
    """
    for number, crash in enumerate(CRASHES):
        planted.log_in(number)
        planted.ask(f"crash {crash}", planted.bearers[number])
    assert b"The upstream says: spilled by quoted" in planted.ask("quoted", planted.bearers[0])
    spilled = [f"spilled by crash {crash}:" for crash in CRASHES if crash != "closing"]
    not_quoted = "was not given back in order: RuntimeError at "
    eventually(lambda: all(words in planted.gateway.log() for words in (*spilled, not_quoted)))
    check_nothing_came_out(planted, upstream, tmp_path)


def test_no_spelling_of_a_token_is_told(planted: Planted, upstream: UpstreamEmulator, tmp_path: Path) -> None:
    """Whatever an upstream makes of the tokens that it repeats, neither callers nor the log are told."""
    for number, spelling in enumerate(SPELLINGS):
        account = number % ACCOUNTS
        planted.log_in(account)
        for answer in planted.ask_all(f"spelt {spelling}", planted.bearers[account])[:2]:
            message = json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["message"]
            sent = {one["headers"]["authorization"].removeprefix("Bearer ") for one in upstream.requests()}
            told = [secret for secret in sent if shows(message, SPELLINGS[spelling](secret)[-40:], 16)]
            assert (told, "[secret]" in message) == ([], True), spelling
    check_nothing_came_out(planted, upstream, tmp_path)
