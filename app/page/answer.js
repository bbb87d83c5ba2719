// One answer on its way to the screen: what is waited for, the thoughts, the text, and what it took.

import { ApiError, ask, isAbort, readEvents } from "./api.js";
import { Clock, saySeconds } from "./clock.js";
import { copyButton, tell } from "./copy.js";
import { element, find } from "./dom.js";
import { link, MarkdownView } from "./markdown.js";
import { follow } from "./scroll.js";
import { copyRow } from "./snippet.js";
import { troubleBox } from "./trouble.js";
import { say } from "./words.js";

export const PATH = "/v1/chat/completions";
// What only the page's own requests have: it shows what is waited for, and what the answer took.
const SHOWN = { progress: true, stream_options: { include_usage: true } };
// Ends that are nobody's fault.
const ENDS = ["stopped", "reloaded"];
// What is kept of an answer over a reload.
const KEPT = ["text", "thoughts", "annotations", "reason", "conversation", "model", "servedBy", "usage", "firstSeconds", "thoughtSeconds", "wholeSeconds"];

/** Drawn once per frame, however many chunks come. */
export class Answer {
  /** `body` is what is asked, null where nobody knows any more; `again` asks it anew in the place of this one. */
  constructor(body, again) {
    this.body = body;
    this.again = again;
    this.text = this.thoughts = "";
    this.annotations = [];
    this.reason = this.conversation = this.model = this.servedBy = this.usage = null;
    this.firstSeconds = this.thoughtSeconds = this.wholeSeconds = null;
    this.waiting = element("p", { class: "hint caret" });
    this.node = element("article", { class: "answer", "aria-busy": "true" },
      element("h2", { class: "unseen" }, say("answer")), this.waiting);
    this.textNode = element("div", { class: "text" });
    this.view = new MarkdownView(this.textNode);
  }

  /** Ask, and show what comes until it ends; never raises. */
  async run(signal) {
    this.clock = new Clock((seconds) => this.showSeconds(seconds));
    let failure = null;
    try {
      const response = await ask(PATH, { method: "POST", body: { ...this.body, ...SHOWN }, signal });
      for await (const chunk of readEvents(response)) this.take(chunk);
    } catch (error) {
      failure = error;
    }
    this.wholeSeconds = this.clock.stop();
    this.end(failure);
    tell(say(isAbort(failure) ? "stopped" : "answered"), false);
  }

  end(failure) {
    this.failure = failure;
    this.draw();
    follow(() => this.conclude(failure));
    this.node.removeAttribute("aria-busy");
  }

  /** What `restore` needs to show this answer again; one that was not over ends where it was. */
  describe() {
    const kept = Object.fromEntries(KEPT.map((name) => [name, this[name]]));
    if (this.node.hasAttribute("aria-busy")) return { ...kept, wholeSeconds: this.clock.seconds(), failure: { code: "reloaded" } };
    const code = isAbort(this.failure) ? "stopped" : this.failure?.code;
    return { ...kept, failure: this.failure && { code, message: this.failure.message } };
  }

  restore({ failure, ...kept }) {
    Object.assign(this, kept);
    this.end(failure && new ApiError(failure.code, failure.message));
  }

  showSeconds(seconds) {
    if (this.thoughts && !this.text) this.sayThinking("thinkingFor", seconds - this.firstSeconds);
    const { kind = "start", number, count } = this.wait ?? {};
    this.waiting.textContent = say("waitingFor", say(`wait_${kind}`, number, count), saySeconds(seconds));
  }

  /** Another thing is waited for; of a queue that moves only the first place is told aloud. */
  showWait(wait) {
    if (wait.kind !== this.wait?.kind) tell(say(`wait_${wait.kind}`, wait.number, wait.count), false);
    this.wait = wait;
    this.showSeconds(this.clock.seconds());
  }

  take(chunk) {
    if (/^[0-9a-f]{24}$/.test(chunk.id)) this.conversation = chunk.id;
    this.model = chunk.model ?? this.model;
    this.servedBy = chunk.system_fingerprint ?? this.servedBy;
    this.usage = chunk.usage ?? this.usage;
    const choice = chunk.choices[0];
    if (!choice) return;
    if (choice.delta.progress) return this.showWait(choice.delta.progress);
    this.thoughts += choice.delta.reasoning_content ?? "";
    this.text += choice.delta.content ?? "";
    this.annotations.push(...(choice.delta.annotations ?? []));
    this.reason = choice.finish_reason ?? this.reason;
    if (this.thoughts || this.text) this.firstSeconds ??= this.clock.seconds();
    if (this.thoughts && this.text) this.thoughtSeconds ??= this.clock.seconds() - this.firstSeconds;
    this.frame ??= requestAnimationFrame(() => this.draw());
  }

  draw() {
    cancelAnimationFrame(this.frame);
    this.frame = null;
    follow(() => {
      if (this.thoughts || this.text) this.waiting.remove();
      if (this.thoughts) this.drawThoughts();
      if (!this.text) return;
      if (!this.textNode.isConnected) this.node.append(this.textNode);
      this.view.show(this.text);
    });
  }

  /** The thoughts lie open while they come, and fold at the first word. */
  drawThoughts() {
    if (!this.thinking) {
      this.thinking = document.createTextNode("");
      this.thinkingBox = element("details", { class: "thinking", open: true }, element("summary"), element("div", {}, this.thinking));
      this.sayThinking("thinkingFor", 0);
      find("h2", this.node).after(this.thinkingBox);
    }
    this.thinking.appendData(this.thoughts.slice(this.thinking.length));
    if (!this.text || this.isFolded) return;
    this.foldThoughts();
  }

  foldThoughts() {
    this.isFolded = true;
    this.thinkingBox.open = false;
    this.sayThinking("thoughtFor", this.thoughtSeconds ?? 0);
  }

  sayThinking(key, seconds) {
    if (this.thinkingBox) find("summary", this.thinkingBox).textContent = say(key, saySeconds(seconds));
  }

  /** What stands below an answer that is over. */
  conclude(failure) {
    this.waiting.remove();
    if (this.thinkingBox && !this.isFolded) {
      this.thoughtSeconds ??= this.wholeSeconds - (this.firstSeconds ?? 0);
      this.foldThoughts();
    }
    this.sayEnd(failure);
    this.showSources();
    if (this.model) this.node.append(element("p", { class: "foot" }, this.sayCost()));
    this.node.append(this.buildTools());
  }

  /** Why it ended, where it is not by itself. */
  sayEnd(failure) {
    const code = isAbort(failure) ? "stopped" : failure?.code;
    if (failure && !ENDS.includes(code)) return this.node.append(troubleBox(failure, this.body && this.again));
    const key = code ?? { content_filter: "filtered", length: "cutByLength" }[this.reason];
    if (key) this.node.append(element("p", { class: "foot" }, say(key)));
  }

  showSources() {
    const cited = new Map(this.annotations.map(({ url_citation: citation }) => [citation.url, citation.title]));
    if (!cited.size) return;
    this.node.append(element("details", { class: "foot sources", open: true }, element("summary", {}, say("sources")),
      element("ol", {}, [...cited].map(([url, title]) => element("li", {}, link(url, title || url))))));
  }

  /** Who answered, in what time, at what length. */
  sayCost() {
    return [this.model, this.servedBy && this.servedBy !== this.model && say("servedBy", this.servedBy),
      this.firstSeconds !== null && say("firstWord", saySeconds(this.firstSeconds)),
      this.wholeSeconds !== null && say("inAll", saySeconds(this.wholeSeconds)),
      this.usage && say("tokens", this.usage.completion_tokens)].filter(Boolean).join(" · ");
  }

  buildTools() {
    const tools = this.body ? copyRow(PATH, this.body) : element("div", { class: "foot row" });
    if (this.text) tools.prepend(copyButton(() => this.text, say("copyAnswer")));
    if (this.body)
      tools.prepend(element("button", { type: "button", class: "small again", title: say("againHint"), onclick: this.again }, say("again")));
    return tools;
  }
}
