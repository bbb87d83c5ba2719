"""What docs/clients/ tells to type or to put into a file: `curl`, `llm`, and LiteLLM's configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo.gateway import GatewayProcess
from tests.app.files.sample import png
from tests.clients.conftest import RunProgram
from tests.clients.recipe import list_pages, read_blocks, read_code
from upstream_emulator.emulator import UpstreamEmulator

ADDRESS = "http://127.0.0.1:8000"
CHECKS = [
    pytest.param(block.text, id=f"{page}-{number}")
    for page in list_pages()
    for number, block in enumerate(read_blocks(page))
    if block.language == "shell" and block.text.startswith("curl")
]
ASK_THE_ROUTER = """
import sys
import yaml
from litellm import Router
config = yaml.safe_load(CONFIG)
router = Router(model_list=config["model_list"])
answer = router.completion("glm-think", [{"role": "user", "content": "你好"}])
print(answer.choices[0].message.reasoning_content, answer.choices[0].message.content)
"""


@pytest.mark.parametrize("text", CHECKS)
def test_checks_succeed(text: str, run_program: RunProgram) -> None:
    ended = run_program("shell", text)
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout
    assert ended.stdout


def test_every_page_has_a_check() -> None:
    checked = {page for page in list_pages() for block in read_blocks(page) if block.text.startswith("curl")}
    assert set(list_pages()) - checked == set()


def set_up_llm(run_program: RunProgram, gateway: GatewayProcess) -> None:
    models = read_code("llm", "yaml", "Settings").replace(ADDRESS, gateway.url)
    keys = next(block.text for block in read_blocks("llm") if block.text.startswith("llm keys"))
    folder = 'folder=$(dirname "$(llm logs path)"); mkdir -p "$folder"'
    run_program("shell", f"{folder}; cat > \"$folder/extra-openai-models.yaml\" <<'END'\n{models}END\n{keys}")


def test_llm(run_program: RunProgram, gateway: GatewayProcess, tmp_path: Path) -> None:
    (tmp_path / "picture.png").write_bytes(png())
    set_up_llm(run_program, gateway)
    for heading, words in (
        ("An answer", "哪个大"),
        ("A picture", "有：图片"),
        ("Going on", "为什么"),
        ("Without a file", "第 1 轮"),
    ):
        ended = run_program("shell", read_code("llm", "shell", heading))
        assert ended.returncode == 0, ended.stderr
        assert words in ended.stdout


def test_llm_calls_a_tool_and_keeps_to_a_schema(
    run_program: RunProgram, gateway: GatewayProcess, upstream: UpstreamEmulator, account: str
) -> None:
    set_up_llm(run_program, gateway)
    upstream.account(account, next=["agent", "agent", "text say=%7B%22city%22:%22a%22,%22degrees%22:18%7D"])
    for heading, words in (("Tools", "llm_version #1 gave: 0."), ("Typed output", '"degrees":18')):
        ended = run_program("shell", read_code("llm", "shell", heading))
        assert ended.returncode == 0, ended.stderr
        assert words in ended.stdout


def test_llm_fails(run_program: RunProgram, account: str) -> None:
    ended = run_program("shell", read_code("llm", "shell", "Without a file"), f"dead-{account}")
    assert ended.returncode == 1
    assert "refresh token" in ended.stderr


def test_the_proxy_of_litellm(run_program: RunProgram, gateway: GatewayProcess) -> None:
    config = read_code("litellm", "yaml", "The proxy").replace(ADDRESS, gateway.url)
    ended = run_program("python", f"CONFIG = {config!r}\n{ASK_THE_ROUTER}")
    assert ended.returncode == 0, ended.stderr
    assert "我先想一想" in ended.stdout
    assert "第 1 轮" in ended.stdout


def test_a_page_reads_pieces(run_program: RunProgram) -> None:
    """Node's `fetch` is that of browsers; what only browsers do is tested in tests/browser/."""
    program = read_code("browser", "javascript", "Set up", "Streamed, with the thoughts")
    ended = run_program("javascript", program)
    assert ended.returncode == 0, ended.stderr
    assert "我先想一想" in ended.stdout.replace("\n", "")
    assert "第 1 轮" in ended.stdout.replace("\n", "")
