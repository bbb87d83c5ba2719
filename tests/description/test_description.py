"""What others make of /openapi.json: clients in Python and TypeScript, a linter. All must be there.

Run by `make test-description`, which installs what is needed and notes that this description passed.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from demo.gateway import GatewayProcess
from upstream_emulator.emulator import UpstreamEmulator

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
DESCRIPTION = ROOT / "app/routes/openapi.json"
PROGRAMS = ROOT / ".venv-description/bin"
NODE_PROGRAMS = HERE / "node_modules/.bin"
SECONDS = 50

USE_IN_PYTHON = """
import sys
from glm_api_client import AuthenticatedClient
from glm_api_client.api.chat import create_chat_completion, list_models
from glm_api_client.models import ChatCompletion, ChatRequest, Error, Message, MessageRole

client = AuthenticatedClient(base_url=sys.argv[1], token="demo-generated")
question = ChatRequest(messages=[Message(role=MessageRole.USER, content="hello")])
answer = create_chat_completion.sync(client=client, body=question)
assert isinstance(answer, ChatCompletion), answer
assert answer.choices[0].message.content, answer
assert answer.choices[0].finish_reason == "stop", answer
models = list_models.sync(client=client)
assert any(model.id == "glm-think" for model in models.data), models
refused = create_chat_completion.sync(client=client, body=ChatRequest(messages=[]))
assert isinstance(refused, Error) and refused.error.code == "invalid_value", refused
"""

USE_IN_TYPESCRIPT = """
import type { components, paths } from "./description.js";

type Schemas = components["schemas"];
export const short: Schemas["ChatRequest"] = { messages: [{ role: "user", content: "hello" }] };
export const whole: Schemas["ChatRequest"] = {
  ...short, model: "glm", stream: true, reasoning_effort: "high", stop: null, logprobs: false,
  messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "https://x.org/1.png" } }] }],
  tools: [{ type: "function", function: { name: "look" } }], tool_choice: "auto",
};
export const drawn: Schemas["ImageRequest"] = { prompt: "cat", stream: false };
// @ts-expect-error messages are needed
export const nothing: Schemas["ChatRequest"] = { model: "glm" };
export const read = (chunk: Schemas["ChatCompletionChunk"]): string =>
  chunk.choices[0]?.delta.content ?? chunk.choices[0]?.delta.reasoning_content ?? "";
type Answers = paths["/v1/chat/completions"]["post"]["responses"];
export const answer: Answers[200]["content"]["application/json"] = {
  id: "1", object: "chat.completion", created: 1, model: "glm",
  choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content: "hi" } }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
};
"""


def run(*command: str | Path, cwd: Path) -> str:
    """What the program says; an error of its own fails the test with it."""
    environ = os.environ | {
        "PATH": f"{PROGRAMS}:{os.environ['PATH']}",
        "REDOCLY_TELEMETRY": "off",
        "CI": "true",
    }
    environ |= {"REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
    done = subprocess.run(
        command, cwd=cwd, env=environ, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A client in Python, generated without a word of warning."""
    place = tmp_path_factory.mktemp("python")
    said = run(
        PROGRAMS / "openapi-python-client",
        "generate",
        "--path",
        DESCRIPTION,
        "--output-path",
        "client",
        cwd=place,
    )
    assert "Warning" not in said, said
    return place / "client"


def test_the_generated_client_has_every_operation(package: Path) -> None:
    paths = json.loads(DESCRIPTION.read_text("utf-8"))["paths"]
    modules = [path for path in package.glob("*/api/*/*.py") if path.name != "__init__.py"]
    assert len(modules) == sum(len(methods) for methods in paths.values())


def test_the_generated_client_is_answered(package: Path, tmp_path: Path) -> None:
    with UpstreamEmulator(pace=1) as upstream, GatewayProcess(upstream.url, tmp_path) as gateway:
        run(PROGRAMS / "python", "-c", USE_IN_PYTHON, gateway.url, cwd=package)


def test_the_types_are_what_a_client_writes(tmp_path: Path) -> None:
    run(NODE_PROGRAMS / "openapi-typescript", DESCRIPTION, "--output", tmp_path / "description.ts", cwd=HERE)
    (tmp_path / "use.ts").write_text(USE_IN_TYPESCRIPT)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    options = ["--strict", "--noEmit", "--module", "nodenext", "--exactOptionalPropertyTypes"]
    run(NODE_PROGRAMS / "tsc", *options, "use.ts", cwd=tmp_path)


def test_the_linter_has_nothing_to_say() -> None:
    said = run(NODE_PROGRAMS / "redocly", "lint", ROOT / "openapi.yaml", "--format=json", cwd=HERE)
    found = json.loads(said[said.index("{\n") : said.rindex("}") + 1])
    assert found["problems"] == []
