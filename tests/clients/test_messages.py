"""The official SDKs show a failure as docs/clients/troubleshooting.md quotes it, word for word."""

from __future__ import annotations

import pytest

from app.accounts.account import account_key
from demo.gateway import ROOT
from tests.clients.conftest import RunProgram

DEAD = "dead-quoted"
PROGRAMS = {
    "python": """
import openai
openai.OpenAI().chat.completions.create(model="glm", messages=[{"role": "user", "content": "hi"}])
""",
    "javascript": """
import OpenAI from "openai";
await new OpenAI().chat.completions.create({ model: "glm", messages: [{ role: "user", content: "hi" }] });
""",
}
QUOTED = {"python": "openai.AuthenticationError: ", "javascript": "AuthenticationError: "}


@pytest.mark.parametrize("language", PROGRAMS)
@pytest.mark.parametrize("name", ["troubleshooting.md", "troubleshooting.zh-CN.md"])
def test_a_failure_nobody_catches(run_program: RunProgram, language: str, name: str) -> None:
    page = (ROOT / "docs/clients" / name).read_text("utf-8")
    (quoted,) = [line for line in page.splitlines() if line.startswith(QUOTED[language])]
    ended = run_program(language, PROGRAMS[language], credentials=DEAD)
    assert ended.returncode != 0
    assert quoted.replace("557dd764", account_key(DEAD)[:8]) in ended.stderr.splitlines()
