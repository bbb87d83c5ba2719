// The conversation: one message at a time goes out, the web chat itself remembers what was said before.

import { ask, askJson, isAbort, readEvents } from "./api.js";
import { hasAttachments, setUpAttachments, takeAttachments } from "./attachment.js";
import { tell } from "./copy.js";
import { element, find, showOne } from "./dom.js";
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
  // The list offers only what fits the text in the field: what is typed shall take its place.
  find("#model").addEventListener("focus", (event) => event.target.select());
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
  message.value = "";
  const files = await takeAttachments();
  if (!text && !files.length) return;
  find("#turns .empty")?.remove();
  const names = files.map((file) => `📎 ${file.name}`).join("  ");
  find("#turns").append(element("div", { class: "mine" }, element("h2", { class: "unseen" }, say("you")), [text, names].filter(Boolean).join("\n")));
  await reply(buildBody(text, files));
}

/** Ask, and show the answer as it comes, in the place of one that failed or at the end. */
async function reply(body, failed = null) {
  if (running) return;
  running = new AbortController();
  showOne("#stop", "#send");
  const asked = { ...body, ...(conversation && { conversation_id: conversation }) };
  const answer = new Answer(asked, () => reply(body, answer.node));
  if (failed) failed.replaceWith(answer.node);
  else find("#turns").append(answer.node);
  answer.node.scrollIntoView({ block: "nearest" });
  await answer.run(running.signal);
  running = null;
  showOne("#send", "#stop");
}

function buildBody(text, files) {
  const parts = files.map((file) => file.part);
  const content = parts.length ? [...parts, ...(text ? [{ type: "text", text }] : [])] : text;
  return { model: find("#model").value.trim() || "glm", stream: true, messages: [{ role: "user", content }] };
}

/** One answer on its way to the screen; drawn once per frame, however many chunks come. */
class Answer {
  constructor(body, retry) {
    this.body = body;
    this.retry = retry;
    this.text = this.thoughts = "";
    this.annotations = [];
    this.reason = null;
    this.waiting = element("p", { class: "hint caret" }, say("waiting"));
    this.node = element("article", { class: "answer", "aria-busy": "true" },
      element("h2", { class: "unseen" }, say("answer")), this.waiting);
    this.textNode = element("div", { class: "text" });
    this.view = new MarkdownView(this.textNode);
  }

  /** Change what is shown, and stay at its end if the person was there. */
  follow(change) {
    const root = document.documentElement;
    const isAtEnd = !find("#view-try").hidden && innerHeight + scrollY > root.scrollHeight - 120;
    change();
    if (isAtEnd) scrollTo(0, root.scrollHeight);
  }

  async run(signal) {
    try {
      const response = await ask(PATH, { method: "POST", body: this.body, signal });
      for await (const chunk of readEvents(response)) this.take(chunk);
      this.finish(() => this.conclude());
    } catch (error) {
      this.finish(() => this.fail(error));
    }
  }

  finish(conclude) {
    this.draw();
    this.follow(() => {
      this.waiting.remove();
      conclude();
      this.node.append(copyRow(PATH, this.body));
    });
    this.node.removeAttribute("aria-busy");
  }

  fail(error) {
    if (error.code === "conversation_not_found") conversation = null;
    if (!isAbort(error)) return this.node.append(troubleBox(error, this.retry));
    this.node.append(element("p", { class: "foot" }, say("stopped")));
    tell(say("stopped"), false);
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
    this.follow(() => {
      if (this.thoughts) this.drawThoughts();
      if (!this.text) return;
      this.waiting.remove();
      if (!this.textNode.isConnected) this.node.append(this.textNode);
      this.view.show(this.text);
    });
  }

  drawThoughts() {
    if (!this.thinking) {
      this.thinking = document.createTextNode("");
      find("h2", this.node).after(element("details", { class: "thinking" }, element("summary", {}, say("thinking")), element("div", {}, this.thinking)));
      this.waiting.textContent = say("thinkingNow");
    }
    this.thinking.appendData(this.thoughts.slice(this.thinking.length));
  }

  conclude() {
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
