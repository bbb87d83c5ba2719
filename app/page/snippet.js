// "Copy as": the request that was just made, for other tools. The token never is in it, a placeholder is.

import { ROOT } from "./api.js";
import { copyButton } from "./copy.js";
import { element } from "./dom.js";
import { say } from "./words.js";

const TOKEN = "YOUR_TOKEN";

/** A line of buttons for one request. */
export function copyRow(path, body) {
  const short = shorten(body);
  const forms = [["curl", buildCurl], ["Python", buildPython], ["JavaScript", buildJavaScript]];
  return element("div", { class: "foot row" }, element("span", {}, say("copyAs")),
    forms.map(([name, build]) => copyButton(() => build(path, short), name)));
}

function buildCurl(path, body) {
  const quoted = JSON.stringify(body, null, 2).replaceAll("'", "'\\''");
  return `curl -N ${ROOT}${path} \\\n  -H 'Authorization: Bearer ${TOKEN}' \\\n  -H 'Content-Type: application/json' \\\n  -d '${quoted}'\n`;
}

function buildPython(path, body) {
  const method = path.endsWith("/images/generations") ? "images.generate" : "chat.completions.create";
  const { conversation_id: conversation, ...known } = body;
  const fields = Object.entries(known).map(([name, value]) => `    ${name}=${python(value)},\n`);
  if (conversation) fields.push(`    extra_body=${python({ conversation_id: conversation })},\n`);
  const show = !body.stream ? "print(answer)" :
    'for chunk in answer:\n    if chunk.choices:\n        print(chunk.choices[0].delta.content or "", end="", flush=True)';
  return `from openai import OpenAI\n\nclient = OpenAI(base_url="${ROOT}/v1", api_key="${TOKEN}")\nanswer = client.${method}(\n${fields.join("")})\n${show}\n`;
}

function buildJavaScript(path, body) {
  const read = body.stream ? "for await (const piece of answer.body.pipeThrough(new TextDecoderStream())) console.log(piece);" : "console.log(await answer.json());";
  return `const answer = await fetch("${ROOT}${path}", {\n  method: "POST",\n  headers: { Authorization: "Bearer ${TOKEN}", "Content-Type": "application/json" },\n  body: JSON.stringify(${JSON.stringify(body, null, 2).replaceAll("\n", "\n  ")}),\n});\n${read}\n`;
}

/** JSON is nearly Python; only three words differ, and they must not be changed inside strings. */
function python(value) {
  return JSON.stringify(value).replace(/"(?:[^"\\]|\\.)*"|\b(?:true|false|null)\b/g,
    (word) => ({ true: "True", false: "False", null: "None" })[word] ?? word);
}

/** Attached files are cut to their beginning: nobody wants megabytes in the clipboard. */
function shorten(body) {
  return JSON.parse(JSON.stringify(body, (_, value) =>
    typeof value === "string" && value.startsWith("data:") && value.length > 200 ? `${value.slice(0, 60)}...` : value));
}
