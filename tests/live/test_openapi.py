"""Every route, asked what its description allows and forbids: proper answers only, in time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.routes import description
from demo.gateway import GatewayProcess
from tests.live.conftest import METRICS_KEY

ANSWER_SECONDS = 20
EXAMPLES = 40
# A video is looked at once a second until it is there.
FEWER = {"POST /v1/videos/generations": 10}
DOCUMENT: dict[str, Any] = json.loads(Path(description.__file__).with_name("openapi.json").read_bytes())
SCHEMA: Any = schemathesis.openapi.from_dict(DOCUMENT)
OPERATIONS = {operation.ok().label: operation.ok() for operation in SCHEMA.get_all_operations()}
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
QUESTIONS = [
    (label, mode)
    for label, operation in OPERATIONS.items()
    for mode in GenerationMode
    # What is watched never ends by itself.
    if label != "GET /v1/watch"
    if mode is GenerationMode.POSITIVE or operation.body or operation.query or operation.path_parameters
]
OPERATOR = {"Authorization": f"Bearer {METRICS_KEY}"}
HEADERS = {"Authorization": "Bearer demo-fuzz-1,demo-fuzz-2,demo-fuzz-3"}


def test_all_routes_are_asked() -> None:
    assert len(OPERATIONS) == sum(len(methods) for methods in DOCUMENT["paths"].values())


@pytest.mark.parametrize(("label", "mode"), QUESTIONS)
def test_whatever_is_sent(gateway: GatewayProcess, label: str, mode: GenerationMode) -> None:
    headers = OPERATOR if label == "GET /metrics" else HEADERS
    cases = OPERATIONS[label].as_strategy(generation_mode=mode)

    @settings(
        max_examples=FEWER.get(label, EXAMPLES),
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def ask(data: st.DataObject) -> None:
        case = data.draw(cases)
        response = case.call(base_url=gateway.url, headers=headers, timeout=ANSWER_SECONDS)
        case.validate_response(response, checks=CHECKS)

    ask()
