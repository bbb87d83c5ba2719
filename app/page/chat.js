// The conversation: one message at a time goes out, the web chat itself remembers what was said before.

import { Answer } from "./answer.js";
import { hasAttachments, setUpAttachments, takeAttachments } from "./attachment.js";
import { element, find, showOne } from "./dom.js";
import { forget, recall, remember } from "./memory.js";
import { chooseModel, describeModel, restoreModel, setUpModels } from "./model.js";
import { setUpScrolling } from "./scroll.js";
import { say } from "./words.js";

const MAX_KEPT_CHARS = 200_000; // of a request: one with large files is not kept over a reload
const LEAVING_MILLISECONDS = 2000;

let isLeaving = false;
let conversation = null;
let turns = []; // {question, answer}
let running = null;

export function setUpChat() {
  setUpAttachments();
  setUpModels();
  setUpScrolling();
  addEventListener("beforeunload", leave);
  addEventListener("pagehide", keep);
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
  turns = [];
  forget();
  find("#turns").replaceChildren(element("p", { class: "empty" }, say("emptyChat")));
  find("#message").focus();
}

/** Show again what this tab had before it was loaded anew. */
export function restoreChat() {
  const kept = recall();
  if (!kept) return;
  conversation = kept.conversation;
  restoreModel(kept.model);
  for (const { question, body, answer } of kept.turns) {
    place(addTurn(question), body).restore(answer);
  }
  scrollTo(0, document.documentElement.scrollHeight);
}

/** The browser breaks off what is being answered as it leaves: that is no failure to keep. */
function leave() {
  keep();
  isLeaving = true;
  setTimeout(() => { isLeaving = false; }, LEAVING_MILLISECONDS); // if the person stays
}

function keep() {
  if (!turns.length || isLeaving) return;
  const describe = ({ question, answer }) => {
    const body = JSON.stringify(answer.body ?? null).length < MAX_KEPT_CHARS ? answer.body : null;
    return { question, body, answer: answer.describe() };
  };
  remember({ conversation, model: describeModel(), turns: turns.map(describe) });
}

async function send() {
  const message = find("#message");
  const text = message.value.trim();
  if (running || (!text && !hasAttachments())) return;
  message.value = "";
  const files = await takeAttachments();
  if (!text && !files.length) return;
  const names = files.map((file) => `📎 ${file.name}`).join("  ");
  await reply(addTurn([text, names].filter(Boolean).join("\n")), buildBody(text, files));
}

/** A question on the page, whose answer is to be placed. */
function addTurn(question) {
  find("#turns .empty")?.remove();
  find("#turns").append(element("div", { class: "mine" }, element("h2", { class: "unseen" }, say("you")), question));
  turns.push({ question, answer: null });
  return turns.at(-1);
}

/** A new answer to a turn, at the end or where the one before was. */
function place(turn, body) {
  const former = turn.answer;
  turn.answer = new Answer(body, () => reply(turn, turn.answer.body));
  if (former) former.node.replaceWith(turn.answer.node);
  else find("#turns").append(turn.answer.node);
  return turn.answer;
}

/** Ask, and show the answer as it comes. */
async function reply(turn, body) {
  if (running) return;
  running = new AbortController();
  showOne("#stop", "#send");
  const answer = place(turn, withConversation(body, turn.answer));
  answer.node.scrollIntoView({ block: "nearest" });
  await answer.run(running.signal);
  // Unless the person began anew meanwhile.
  if (answer.node.isConnected) {
    conversation = answer.failure?.code === "conversation_not_found" ? null : (answer.conversation ?? conversation);
    keep();
  }
  running = null;
  showOne("#send", "#stop");
}

/** What is asked anew after an answer goes where that one went, and not on from it. */
function withConversation({ conversation_id: known, ...body }, former) {
  const id = former?.conversation ? known : conversation;
  return id ? { ...body, conversation_id: id } : body;
}

function buildBody(text, files) {
  const parts = files.map((file) => file.part);
  const content = parts.length ? [...parts, ...(text ? [{ type: "text", text }] : [])] : text;
  return { ...chooseModel(), stream: true, messages: [{ role: "user", content }] };
}
