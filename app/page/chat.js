// The conversation: one message at a time goes out, the web chat itself remembers what was said before.

import { ask, askJson, isAbort, readEvents } from "./api.js";
import { hasAttachments, setUpAttachments, takeAttachments } from "./attachment.js";
import { tell } from "./copy.js";
import { element, find } from "./dom.js";
import { link, MarkdownView } from "./markdown.js";
import { copyRow } from "./snippet.js";
import { troubleBox } from "./trouble.js";
import { say } from "./words.js";

const PATH = "/v1/chat/completions";
let conversation = null;
let running = null;

export function setUpChat() {
  setUpAttachments();
  find("#composer").addEventListener("submit", (event) => { event.preventDefault(); send(); });
  find("#message").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); send(); }
  });
  find("#stop").addEventListener("click", () => running?.abort());
  find("#new-chat").addEventListener("click", startAnew);
  document.addEventListener("keydown", (event) => event.key === "Escape" && running?.abort());
}

/** Fill the list of models; any other name may be typed. */
export async function loadModels() {
  const { data } = await askJson("/v1/models");
  find("#models").replaceChildren(...data.map((model) => element("option", { value: model.id })));
}

/** Forget the conversation; what is being answered is stopped. */
export function startAnew() {
  running?.abort();
  conversation = null;
  find("#turns").replaceChildren(element("p", { class: "empty" }, say("emptyChat")));
  find("#message").focus();
}

async function send() {
  const message = find("#message");
  const text = message.value.trim();
  if (running || (!text && !hasAttachments())) return;
  running = new AbortController();
  setBusy(true);
  message.value = "";
  const files = await takeAttachments();
  find("#turns .empty")?.remove();
  const names = files.map((file) => `📎 ${file.name}`).join("  ");
  find("#turns").append(element("div", { class: "mine", "aria-label": say("you") }, [text, names].filter(Boolean).join("\n")));
  const body = buildBody(text, files);
  await new Answer(body).run(running.signal);
  running = null;
  setBusy(false);
}

function buildBody(text, files) {
  const parts = files.map((file) => file.part);
  const content = parts.length ? [...parts, ...(text ? [{ type: "text", text }] : [])] : text;
  const body = { model: find("#model").value.trim() || "glm", stream: true, messages: [{ role: "user", content }] };
  return conversation ? { ...body, conversation_id: conversation } : body;
}

function setBusy(isBusy) {
  find("#stop").hidden = !isBusy;
  find("#send").disabled = isBusy;
}

/** One answer on its way to the screen; drawn once per frame, however many chunks come. */
class Answer {
  constructor(body) {
    this.body = body;
    this.text = this.thoughts = "";
    this.annotations = [];
    this.reason = null;
    this.waiting = element("p", { class: "hint caret" }, say("waiting"));
    this.node = element("article", { class: "answer", "aria-busy": "true" }, this.waiting);
    this.textNode = element("div", { class: "text" });
    this.view = new MarkdownView(this.textNode);
    find("#turns").append(this.node);
    this.node.scrollIntoView({ block: "end" });
  }

  async run(signal) {
    try {
      const response = await ask(PATH, { method: "POST", body: this.body, signal });
      for await (const chunk of readEvents(response)) this.take(chunk);
      this.draw();
      this.conclude();
    } catch (error) {
      this.draw();
      this.waiting.remove();
      if (error.code === "conversation_not_found") conversation = null;
      this.node.append(isAbort(error) ? element("p", { class: "foot" }, say("stopped")) : troubleBox(error));
    }
    this.node.append(copyRow(PATH, this.body));
    this.node.removeAttribute("aria-busy");
    this.textNode.classList.remove("caret");
  }

  take(chunk) {
    if (/^[0-9a-f]{24}$/.test(chunk.id)) conversation = chunk.id;
    const choice = chunk.choices[0];
    if (!choice) return;
    this.thoughts += choice.delta.reasoning_content ?? "";
    this.text += choice.delta.content ?? "";
    this.annotations.push(...(choice.delta.annotations ?? []));
    this.reason = choice.finish_reason ?? this.reason;
    this.frame ??= requestAnimationFrame(() => this.draw());
  }

  draw() {
    cancelAnimationFrame(this.frame);
    this.frame = null;
    const follows = innerHeight + scrollY > document.body.scrollHeight - 120;
    if (this.thoughts) this.drawThoughts();
    if (this.text) {
      this.waiting.remove();
      if (!this.textNode.isConnected) this.node.append(this.textNode);
      this.view.show(this.text);
    }
    if (follows) scrollTo(0, document.body.scrollHeight);
  }

  drawThoughts() {
    if (!this.thinking) {
      this.thinking = element("details", { class: "thinking" }, element("summary", {}, say("thinking")), element("div"));
      this.node.prepend(this.thinking);
    }
    this.thinking.lastChild.textContent = this.thoughts;
  }

  conclude() {
    this.waiting.remove();
    const words = { content_filter: "filtered", length: "cutByLength" }[this.reason];
    if (words) this.node.append(element("p", { class: "foot" }, say(words)));
    const cited = new Map(this.annotations.map(({ url_citation: cited }) => [cited.url, cited.title]));
    if (cited.size) {
      this.node.append(element("details", { class: "foot sources", open: true }, element("summary", {}, say("sources")),
        element("ol", {}, [...cited].map(([url, title]) => element("li", {}, link(url, title || url))))));
    }
    tell(say("answered"), false);
  }
}
