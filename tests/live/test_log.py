"""The log as an operator reads it: whose failure it was, what the upstream said, and JSON throughout."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from openai import APIError

from app.keys import digest_key
from demo.gateway import GatewayFailed, GatewayProcess
from tests.eventually import eventually
from tests.live.asking import ask
from tests.live.conftest import StartGateway, connect
from tests.raw_client import open_chat
from upstream_emulator.emulator import UpstreamEmulator

KEY = "glm-" + "k" * 43
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


@pytest.fixture
def keyed(start_gateway: StartGateway, account: str) -> GatewayProcess:
    """A gateway with one account and one key, which logs in JSON."""
    return start_gateway(
        LOG_FORMAT="json",
        GLM_REFRESH_TOKENS=account,
        GATEWAY_API_KEYS=f"laptop=sha256:{digest_key(KEY).hex()}",
    )


def read_requests(gateway: GatewayProcess) -> list[dict[str, Any]]:
    """The lines of chat requests, of which there is one at least: it is written when the answer is over."""
    eventually(lambda: bool(list_requests(gateway)))
    return list_requests(gateway)


def list_requests(gateway: GatewayProcess) -> list[dict[str, Any]]:
    lines = map(json.loads, gateway.log().splitlines())
    return [line for line in lines if line.get("path") == "/v1/chat/completions"]


def fail(gateway: GatewayProcess, question: str, *, stream: bool) -> dict[str, Any]:
    with pytest.raises(APIError):
        ask(connect(gateway, KEY), question, stream=stream)
    (line,) = read_requests(gateway)
    return line


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("at", [0, 3], ids=["before", "after"])
def test_a_failure_names_account_key_and_the_upstreams_words(
    keyed: GatewayProcess, *, at: int, stream: bool
) -> None:
    line = fail(keyed, f"[[busy at={at}]]", stream=stream)
    assert (line["level"], line["outcome"], line["key"]) == ("WARNING", "upstream_busy", "laptop")
    assert re.fullmatch("[0-9a-f]{8}", line["account"])
    assert line["upstream_code"] == "1301"
    assert "访问人数过多" in line["upstream_says"] or "繁忙" in line["upstream_says"], line


@pytest.mark.parametrize("limit", ["parallel=1", "rpm=1"])
def test_a_key_at_its_own_limit_is_named(start_gateway: StartGateway, account: str, limit: str) -> None:
    gateway = start_gateway(
        LOG_FORMAT="json",
        GLM_REFRESH_TOKENS=account,
        GATEWAY_API_KEYS=f"laptop=sha256:{digest_key(KEY).hex()};{limit}",
    )
    with open_chat(gateway.url, KEY, "[[chunks n=2000 pace=30]]", stream=True) as busy:
        busy.read_until(b'"role"')
        with pytest.raises(APIError):
            ask(connect(gateway, KEY).with_options(max_retries=0), "hello", stream=True)
        (line,) = read_requests(gateway)
    assert (line["outcome"], line["key"]) == ("rate_limit_exceeded", "laptop")


def test_what_the_caller_can_mend_is_no_warning(keyed: GatewayProcess) -> None:
    line = fail(keyed, "[[toolong]]", stream=True)
    assert (line["level"], line["status"], line["upstream_code"]) == ("INFO", 400, "2")
    assert line["upstream_says"].startswith("内容已超过对话长度")


@pytest.mark.parametrize("at", [0, 3], ids=["before", "after"])
def test_words_that_the_question_holds_are_not_logged(keyed: GatewayProcess, at: int) -> None:
    """The emulator refuses in fixed words: a question that holds them stands for an upstream that quotes."""
    line = fail(keyed, f"[[error-frame at={at}]] what is a Generator\nExit?", stream=True)
    assert (line["upstream_code"], line.get("upstream_says")) == ("10024", None)


def test_the_failure_of_an_account_is_told_where_another_one_answers(
    start_gateway: StartGateway, upstream: UpstreamEmulator, account: str
) -> None:
    gateway = start_gateway(LOG_FORMAT="json")
    heard = ask(connect(gateway, f"dead-{account},{account}"), "你好", stream=True)
    assert heard.finish == "stop"
    (failed,) = [line for line in map(json.loads, gateway.log().splitlines()) if "failed" in line["message"]]
    (line,) = read_requests(gateway)
    assert (failed["level"], failed["outcome"]) == ("WARNING", "account_expired")
    assert failed["upstream_code"] in ("40102", "40103")
    assert (line["level"], line["outcome"]) == ("INFO", "ok")
    assert line["account"] != failed["account"]


def test_json_is_json_throughout_with_one_time(start_gateway: StartGateway, account: str) -> None:
    gateway = start_gateway(LOG_FORMAT="json")
    ask(connect(gateway, account), "你好", stream=False)
    gateway.stop()
    entries = [json.loads(line) for line in gateway.log().splitlines()]
    assert {"gunicorn.error", "app.server.request_log"} <= {entry["logger"] for entry in entries}
    assert all(re.fullmatch(TIME, entry["time"]) for entry in entries)
    assert any("Listening at" in entry["message"] for entry in entries)
    assert not any("access" in entry["logger"] for entry in entries), "paths may hold anything"
    assert "Shutting down" in entries[-1]["message"]


def test_the_start_is_summed_up_in_one_line(keyed: GatewayProcess, upstream: UpstreamEmulator) -> None:
    (line,) = [line for line in map(json.loads, keyed.log().splitlines()) if line["message"] == "ready"]
    assert line["page"] == f"{keyed.url}/"
    assert (line["keys"], line["accounts"], line["upstream"]) == (1, 1, upstream.url)
    assert line["state"].endswith("state.sqlite3")
    assert line["kept"] == "yes"


def test_a_name_that_is_no_setting_is_a_warning(start_gateway: StartGateway) -> None:
    log = start_gateway(GLM_QUEUE_SECOND="5").log()
    assert "WARNING app GLM_QUEUE_SECOND is no setting: did you mean GLM_QUEUE_SECONDS?\n" in log


def test_the_reason_why_a_state_file_is_refused_comes_last(
    keyed: GatewayProcess, upstream: UpstreamEmulator
) -> None:
    directory = Path(
        next(line["state"] for line in map(json.loads, keyed.log().splitlines()) if "state" in line)
    ).parent
    with pytest.raises(GatewayFailed) as failed:
        GatewayProcess(upstream.url, directory).start()
    assert "in use by another gateway" in str(failed.value).splitlines()[-1]


def test_text_has_the_same_time_throughout(start_gateway: StartGateway) -> None:
    gateway = start_gateway()
    gateway.stop()
    lines = gateway.log().splitlines()
    assert len(lines) >= 4
    assert [line for line in lines if not re.match(f"{TIME} (INFO|WARNING) [a-z_.]+ ", line)] == []
