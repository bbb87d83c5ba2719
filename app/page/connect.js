// What to give to a client: the fields of each one that docs/clients/ has a page about, to be copied.

import { credentials, ROOT } from "./api.js";
import { copyButton } from "./copy.js";
import { element, find } from "./dom.js";
import { column, say } from "./words.js";

const LOCAL = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;
const BY_ENVIRONMENT = [[["OPENAI_BASE_URL"], "base"], [["OPENAI_API_KEY"], "key"]];
// Page of docs/clients/ -> the client's name, and its own names for the fields (English, Chinese where it has others)
// with what goes into them.
const CLIENTS = {
  "cherry-studio": ["Cherry Studio", [["Base URL"], "base"], [["API Key", "API 密钥"], "oneKey"]],
  lobechat: ["LobeChat", [["Proxy URL", "代理地址"], "base"], [["API Key"], "oneKey"]],
  nextchat: ["NextChat", [["OpenAI Endpoint", "接口地址"], "root"], [["OpenAI API Key", "API Key"], "key"], [["Custom Models", "自定义模型名"], "customModels"]],
  "open-webui": ["Open WebUI", [["URL"], "fromContainer"], [["API Key"], "key"]],
  dify: ["Dify", [["API Base URL"], "fromContainer"], [["API Key"], "key"], [["Model Name", "模型名称"], "model"]],
  "claude-code": ["Claude Code", [["ANTHROPIC_BASE_URL"], "root"], [["ANTHROPIC_AUTH_TOKEN"], "key"], [["ANTHROPIC_MODEL"], "model"]],
  codex: ["Codex", [["base_url"], "base"], [["OPENAI_API_KEY"], "key"], [["model"], "model"]],
  opencode: ["opencode", [["baseURL"], "base"], [["OPENAI_API_KEY"], "key"]],
  pi: ["pi", [["baseUrl"], "base"], [["OPENAI_API_KEY"], "key"]],
  cline: ["Cline, Kilo Code, Roo Code", [["Base URL"], "base"], [["API Key"], "key"], [["Model ID"], "model"]],
  continue: ["Continue", [["apiBase"], "base"], [["OPENAI_API_KEY"], "key"], [["model"], "model"]],
  n8n: ["n8n", [["Base URL"], "fromContainer"], [["API Key"], "key"], [["Model"], "model"]],
  sillytavern: ["SillyTavern", [["Custom Endpoint (Base URL)", "自定义端点（Base URL）"], "base"], [["Custom API Key", "自定义 API 密钥"], "key"], [["Enter a Model ID", "输入模型 ID"], "model"]],
  "immersive-translate": ["沉浸式翻译", [["Custom API interface address", "自定义 API 接口地址"], "chatPath"], [["APIKEY"], "key"], [["Model", "模型"], "model"]],
  openai: ["OpenAI SDK", ...BY_ENVIRONMENT],
  langchain: ["LangChain", ...BY_ENVIRONMENT],
  litellm: ["LiteLLM", ...BY_ENVIRONMENT],
  "ai-sdk": ["Vercel AI SDK", [["baseURL"], "base"], [["apiKey"], "key"]],
  "pydantic-ai": ["Pydantic AI", ...BY_ENVIRONMENT],
  instructor: ["Instructor", ...BY_ENVIRONMENT],
  "openai-agents": ["OpenAI Agents SDK", ...BY_ENVIRONMENT],
  smolagents: ["smolagents", [["api_base"], "base"], [["api_key"], "key"]],
  llm: ["llm", [["api_base"], "base"], [["llm keys set"], "key"], [["model_name"], "model"]],
};

export function setUpConnecting() {
  const menu = find("#client");
  menu.append(element("option", { value: "" }, say("anyClient")), ...Object.entries(CLIENTS).map(([page, [name]]) => element("option", { value: page }, name)));
  menu.addEventListener("change", showFields);
}

/** The fields of the chosen client, with this gateway's address and the key that is in this tab. */
export function showFields() {
  const chosen = CLIENTS[find("#client").value];
  const fields = chosen ? chosen.slice(1) : [[[say("baseAddress")], "base"], [[say("key")], "key"]];
  const rows = fields.map(([names, kind]) => buildRow(names[column] ?? names[0], kind));
  if (!fields.some(([, kind]) => kind === "model")) rows.push(buildRow(say("model"), chosen?.[0] === "LiteLLM" ? "litellmModel" : "model"));
  find("#client-fields").replaceChildren(...rows);
}

function buildRow(name, kind) {
  const value = VALUES[kind]();
  const isSecret = kind === "key" || kind === "oneKey";
  return element("div", { class: "card item" },
    element("span", { class: "field" }, name), element("code", { class: "value" }, isSecret ? say("keyHidden") : value),
    copyButton(() => value, say("copy"), say("copyWhat", name)));
}

const VALUES = {
  root: () => ROOT,
  base: () => `${ROOT}/v1`,
  chatPath: () => `${ROOT}/v1/chat/completions`,
  // From inside a container this machine has another name.
  fromContainer: () => `${LOCAL.test(location.hostname) ? ROOT.replace(location.hostname, "host.docker.internal") : ROOT}/v1`,
  key: () => credentials.get(),
  // These clients take turns with what stands between commas.
  oneKey: () => credentials.get().split(",")[0],
  model: () => "glm",
  litellmModel: () => "openai/glm",
  customModels: () => "-all,+glm,+glm-think,+glm-search",
};
