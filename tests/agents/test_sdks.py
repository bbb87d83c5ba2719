"""SDKs for JavaScript on Responses and Messages: each parser stops at what it does not know."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo.gateway import GatewayProcess
from tests.agents.conftest import RunAgent, call, read_prompts, say, write_down
from tests.clients.recipe import read_code
from upstream_emulator.emulator import UpstreamEmulator

HERE = Path(__file__).parent
SEARCH = "search"
PAGE = "https://www.weather.com.cn/weather/101010100.shtml"

NODE = """
import OpenAI from "openai";
const client = new OpenAI({ maxRetries: 0 });
const kinds = [];
const stream = client.responses.stream({ model: "glm", input: "One.", tools: [TOOL] });
for await (const event of stream) kinds.push(event.type);
const first = await stream.finalResponse();
const [call] = first.output.filter(({ type }) => type === "function_call");
console.log(call.name, call.arguments);
const output = { type: "function_call_output", call_id: call.call_id, output: "18 °C" };
const next = client.responses.stream({
  model: "glm", input: [output], tools: [TOOL], previous_response_id: first.id,
});
console.log((await next.finalResponse()).output_text);
const thinking = client.responses.stream({ model: "glm", input: "Three." });
const third = await thinking.finalResponse();
console.log(third.output.map(({ type }) => type).join(), third.output_text);
const searching = client.responses.stream({ model: "glm", input: "Four.", tools: [{ type: "web_search" }] });
const fourth = await searching.finalResponse();
const [search, message] = fourth.output;
console.log(search.action.sources[0].url === message.content[0].annotations[0].url);
console.log(kinds.filter((kind) => kind === "response.completed").length, kinds.at(-1));
""".replace(
    "TOOL", '{ type: "function", name: "get_weather", parameters: { type: "object" }, strict: false }'
)


def run(run_agent: RunAgent, gateway: GatewayProcess, account: str, program: str) -> list[str]:
    environ = {"OPENAI_BASE_URL": f"{gateway.url}/v1", "OPENAI_API_KEY": f"demo-{account}"}
    command = ["node", "--input-type=module", "-e", program]
    ended = run_agent(command, environ | {"AI_SDK_LOG_WARNINGS": "0"}, directory=HERE)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()


def test_openai_node(
    run_agent: RunAgent, gateway: GatewayProcess, upstream: UpstreamEmulator, account: str
) -> None:
    called = call("get_weather", city="Beijing")
    write_down(upstream, account, called, say("It is 18 °C."), "think say=Done.", SEARCH)
    assert run(run_agent, gateway, account, NODE) == [
        'get_weather {"city":"Beijing"}',
        "It is 18 °C.",
        "reasoning,message Done.",
        "true",
        "1 response.completed",
    ]


def test_ai_sdk(
    run_agent: RunAgent, gateway: GatewayProcess, upstream: UpstreamEmulator, account: str
) -> None:
    """Its second question only refers to the first answer; the conversation knows it."""
    steps = (call("getWeather", city="北京"), say("18 °C"), say("20 °C"), SEARCH)
    write_down(upstream, account, *steps)
    printed = run(run_agent, gateway, account, read_code("ai-sdk", "javascript", "Responses"))
    assert printed[:2] == ["18 °C", "20 °C"]
    assert "".join(printed[2:]).count(PAGE) == 2, "in the text, and among the sources"
    asked = read_prompts(upstream)
    assert len(asked) == len(steps)
    assert "上海呢？" in asked[2]
    assert "北京现在多少度？" not in asked[2]


@pytest.mark.parametrize("ending", ["cut at=3", "busy at=1"])
def test_the_ai_sdk_hears_of_a_failure(
    run_agent: RunAgent, gateway: GatewayProcess, upstream: UpstreamEmulator, account: str, ending: str
) -> None:
    program = """
    import { createOpenAI } from "@ai-sdk/openai";
    import { streamText } from "ai";
    const openai = createOpenAI({ baseURL: process.env.OPENAI_BASE_URL, apiKey: process.env.OPENAI_API_KEY });
    const { fullStream } = streamText({ model: openai("glm"), maxRetries: 0, prompt: "One.", onError() {} });
    const kinds = [];
    for await (const { type } of fullStream) kinds.push(type);
    console.log(kinds.filter((kind) => kind === "error").length, kinds.at(-1));
    """
    write_down(upstream, account, ending, ending, ending)
    (line,) = run(run_agent, gateway, account, program)
    assert line.startswith("1 ")


ANTHROPIC = """
import { createAnthropic } from "@ai-sdk/anthropic";
import { generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";
const baseURL = `${process.env.ANTHROPIC_BASE_URL}/v1`;
const anthropic = createAnthropic({ baseURL, apiKey: process.env.ANTHROPIC_API_KEY });
const ask = { model: anthropic("glm"), maxOutputTokens: 2048, maxRetries: 0 };
const inputSchema = z.object({ city: z.string() });
const getWeather = tool({ inputSchema, execute: async ({ city }) => `${city}: 18` });
const stopWhen = stepCountIs(4);
const called = await generateText({ ...ask, prompt: "One.", tools: { getWeather }, stopWhen });
console.log(called.text, called.steps.length, called.steps[0].toolResults[0].output);
const providerOptions = { anthropic: { thinking: { type: "enabled", budgetTokens: 1024 } } };
const thinking = streamText({ ...ask, providerOptions, prompt: "Two." });
const kinds = [];
for await (const { type } of thinking.fullStream) kinds.push(type);
const count = kinds.filter((kind) => kind === "finish").length;
console.log(await thinking.text, (await thinking.reasoningText).length > 0, count, kinds.at(-1));
const tools = { web_search: anthropic.tools.webSearch_20250305({ maxUses: 1 }) };
const search = streamText({ ...ask, tools, prompt: "Three." });
await search.consumeStream();
console.log((await search.sources)[0].url);
const onError = ({ error }) => console.log(error.code ?? error.type);
const failing = streamText({ ...ask, prompt: "Four.", onError });
const ends = [];
for await (const { type } of failing.fullStream) ends.push(type);
console.log(ends.filter((kind) => kind === "error").length, ends.includes("finish"));
"""


def test_the_ai_sdk_on_messages(
    run_agent: RunAgent, gateway: GatewayProcess, upstream: UpstreamEmulator, account: str
) -> None:
    called = call("getWeather", city="Beijing")
    write_down(upstream, account, called, say("It is 18."), "think say=Done.", SEARCH, "cut at=3")
    environ = {"ANTHROPIC_BASE_URL": gateway.url, "ANTHROPIC_API_KEY": f"demo-{account}"}
    ended = run_agent(["node", "--input-type=module", "-e", ANTHROPIC], environ, directory=HERE)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines() == [
        "It is 18. 2 Beijing: 18",
        "Done. true 1 finish",
        PAGE,
        "api_error",
        "1 true",
    ]
