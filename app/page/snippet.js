// "Copy as": the request that was just made, for other tools. The token never is in it, a placeholder is.

import { ROOT } from "./api.js";
import { copyButton } from "./copy.js";
import { element } from "./dom.js";
import { CHAT_PATH, INTERFACES } from "./interface.js";
import { say } from "./words.js";

const TOKEN = "YOUR_TOKEN";
// By path: class, package, base address, method, and how the pieces of a stream are shown.
const DRAWING = ["OpenAI", "openai", "/v1", "images.generate"];
const PYTHON = {
  [CHAT_PATH]: ["OpenAI", "openai", "/v1", "chat.completions.create",
    'for chunk in answer:\n    if chunk.choices:\n        print(chunk.choices[0].delta.content or "", end="", flush=True)'],
  "/v1/responses": ["OpenAI", "openai", "/v1", "responses.create",
    'for event in answer:\n    if event.type == "response.output_text.delta":\n        print(event.delta, end="", flush=True)'],
  "/v1/messages": ["Anthropic", "anthropic", "", "messages.create",
    'for event in answer:\n    if event.type == "content_block_delta" and event.delta.type == "text_delta":\n        print(event.delta.text, end="", flush=True)'],
};

const FORMS = [["curl", buildCurl], ["Python", buildPython], ["JavaScript", buildJavaScript]];

/** A line of buttons for one request; a chat can be had by any of the interfaces. */
export function copyRow(path, body) {
  let chosen = [path, body];
  const choose = ({ target: { value } }) => { chosen = [value, INTERFACES[value][1](body)]; };
  return element("div", { class: "foot row" }, element("span", {}, say("copyAs")),
    path === CHAT_PATH && element("select", { class: "small", "aria-label": say("copyInterface"), onchange: choose },
      Object.entries(INTERFACES).map(([value, [name]]) => element("option", { value }, name))),
    FORMS.map(([name, build]) => copyButton(() => build(chosen[0], shorten(chosen[1])), name)));
}

function buildCurl(path, body) {
  const quoted = JSON.stringify(body, null, 2).replaceAll("'", "'\\''");
  return `curl -N ${ROOT}${path} \\\n  -H '${sayKey(path)}' \\\n  -H 'Content-Type: application/json' \\\n  -d '${quoted}'\n`;
}

function buildPython(path, body) {
  const [kind, module, base, method, show] = PYTHON[path] ?? DRAWING;
  const { conversation_id: conversation, ...known } = body;
  const fields = Object.entries(known).map(([name, value]) => `    ${name}=${python(value)},\n`);
  if (conversation) fields.push(`    extra_body=${python({ conversation_id: conversation })},\n`);
  return `from ${module} import ${kind}\n\nclient = ${kind}(base_url="${ROOT}${base}", api_key="${TOKEN}")\nanswer = client.${method}(\n${fields.join("")})\n${body.stream ? show : "print(answer)"}\n`;
}

function buildJavaScript(path, body) {
  const read = body.stream ? "for await (const piece of answer.body.pipeThrough(new TextDecoderStream())) console.log(piece);" : "console.log(await answer.json());";
  const [header, value] = sayKey(path).split(": ");
  return `const answer = await fetch("${ROOT}${path}", {\n  method: "POST",\n  headers: { "${header}": "${value}", "Content-Type": "application/json" },\n  body: JSON.stringify(${JSON.stringify(body, null, 2).replaceAll("\n", "\n  ")}),\n});\n${read}\n`;
}

/** As the clients of each interface send it. */
function sayKey(path) {
  return path === "/v1/messages" ? `x-api-key: ${TOKEN}` : `Authorization: Bearer ${TOKEN}`;
}

/** JSON is nearly Python; only three words differ, and they must not be changed inside strings. */
function python(value) {
  return JSON.stringify(value).replace(/"(?:[^"\\]|\\.)*"|\b(?:true|false|null)\b/g,
    (word) => ({ true: "True", false: "False", null: "None" })[word] ?? word);
}

/** Attached files are cut to their beginning: nobody wants megabytes in the clipboard. */
function shorten(body) {
  return JSON.parse(JSON.stringify(body, (name, value) =>
    typeof value === "string" && (value.startsWith("data:") || name === "data") && value.length > 200 ? `${value.slice(0, 60)}...` : value));
}
