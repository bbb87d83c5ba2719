"""What is written is what Prometheus reads, in both of its formats."""

from __future__ import annotations

import math
from typing import Any

import pytest
from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics_parser

from app.core.errors import Outcome, UpstreamBusy
from app.metrics.counters import Counters, Readings
from app.metrics.exposition import encode

ODD = 'a "quoted" \\ name\nin two lines 全息'
READINGS = Readings(
    open_streams=3,
    queue_length=2,
    accounts={"ready": 1, "expired": 0},
    undeleted=7,
    overdue=1,
    state_in_memory=True,
    unknown_contents={("content type", ODD): 5},
)


def read(counters: Counters, accept: str) -> dict[tuple[str, ...], float]:
    """Every sample by its name and the values of its labels, in their order, as Prometheus reads them."""
    body, content_type = encode(counters, READINGS, accept)
    parse: Any = parser.text_string_to_metric_families
    if content_type.startswith("application/openmetrics-text"):
        parse = openmetrics_parser.text_string_to_metric_families
    samples = [sample for family in parse(body.decode()) for sample in family.samples]
    return {(one.name, *(value for _, value in sorted(one.labels.items()))): one.value for one in samples}


@pytest.mark.parametrize(
    "accept", ["", "text/plain;version=0.0.4", "application/openmetrics-text;version=1.0.0,*/*;q=0.1"]
)
def test_both_formats_say_the_same(accept: str) -> None:
    counters = Counters()
    counters.note_request("/v1/chat/completions", "ok", 3.0, 0.3, 60)
    counters.note_request("/v1/chat/completions", "client gone", 3000.0, None, 0)
    counters.note_try(Outcome.UNREACHABLE, UpstreamBusy("no"))
    counters.queue_seconds.add(0.05)
    samples = read(counters, accept)
    route = "/v1/chat/completions"
    expected = {
        ("glm_requests_total", "ok", route): 1,
        ("glm_requests_total", "client gone", route): 1,
        ("glm_request_seconds_bucket", "2.5", route): 0,
        ("glm_request_seconds_bucket", "5.0", route): 1,
        ("glm_request_seconds_bucket", "1800.0", route): 1,
        ("glm_request_seconds_bucket", "+Inf", route): 2,
        ("glm_request_seconds_sum", route): 3003,
        ("glm_first_delta_seconds_count",): 1,
        ("glm_frames_total",): 60,
        ("glm_queue_seconds_bucket", "0.1"): 1,
        ("glm_upstream_errors_total", "upstream_busy"): 1,
        ("glm_upstream_errors_total", "upstream_invalid"): 0,
        ("glm_cool_downs_total", "unreachable"): 1,
        ("glm_refreshes_total", "ok"): 0,
        ("glm_accounts", "ready"): 1,
        ("glm_accounts", "expired"): 0,
        ("glm_open_streams",): 3,
        ("glm_queue_length",): 2,
        ("glm_undeleted_conversations",): 7,
        ("glm_overdue_conversations",): 1,
        ("glm_state_in_memory",): 1,
        ("glm_unknown_content_total", ODD, "content type"): 5,
    }
    assert {key: samples.get(key, math.nan) for key in expected} == expected
    assert samples["process_resident_memory_bytes",] > 1_000_000
    assert samples["process_max_fds",] > 0


@pytest.mark.parametrize("accept", ["application/openmetrics-text;version=x", "a/b", "\x7f;;,=", "q" * 5000])
def test_whatever_is_accepted_there_is_an_answer(accept: str) -> None:
    assert read(Counters(), accept)["glm_frames_total",] == 0
