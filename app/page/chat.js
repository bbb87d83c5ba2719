// The conversation: one message at a time goes out, the web chat itself remembers what was said before.

import { Answer } from "./answer.js";
import { hasAttachments, setUpAttachments, takeAttachments } from "./attachment.js";
import { element, find, showOne } from "./dom.js";
import { chooseModel, setUpModels } from "./model.js";
import { say } from "./words.js";

let conversation = null;
let running = null;

export function setUpChat() {
  setUpAttachments();
  setUpModels();
  find("#composer").addEventListener("submit", (event) => { event.preventDefault(); send(); });
  find("#message").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); send(); }
  });
  find("#stop").addEventListener("click", () => running?.abort());
  find("#new-chat").addEventListener("click", startAnew);
  document.addEventListener("keydown", (event) => event.key === "Escape" && running?.abort());
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

/** Ask, and show the answer as it comes: in the place of `former`, in the conversation that it was asked in, or at the end. */
async function reply(body, former = null) {
  if (running) return;
  running = new AbortController();
  showOne("#stop", "#send");
  const answer = new Answer(withConversation(body, former), () => reply(body, answer));
  if (former) former.node.replaceWith(answer.node);
  else find("#turns").append(answer.node);
  answer.node.scrollIntoView({ block: "nearest" });
  await answer.run(running.signal);
  // Unless the person began anew meanwhile.
  if (answer.node.isConnected) conversation = answer.isOver ? null : (answer.conversation ?? conversation);
  running = null;
  showOne("#send", "#stop");
}

/** What is asked anew after a good answer goes where that one went, and not on from it. */
function withConversation(body, former) {
  const id = former?.conversation ? former.body.conversation_id : conversation;
  return id ? { ...body, conversation_id: id } : body;
}

function buildBody(text, files) {
  const parts = files.map((file) => file.part);
  const content = parts.length ? [...parts, ...(text ? [{ type: "text", text }] : [])] : text;
  return { ...chooseModel(), stream: true, messages: [{ role: "user", content }] };
}
