// Drawing: the pictures come by address, and the gateway fetches them for this page.

import { ask, isAbort } from "./api.js";
import { element, find, showOne } from "./dom.js";
import { link } from "./markdown.js";
import { loadPicture } from "./picture.js";
import { copyRow } from "./snippet.js";
import { troubleBox } from "./trouble.js";
import { say } from "./words.js";

const PATH = "/v1/images/generations";
let running = null;

/** What is being drawn is given up, and what was drawn is taken away. */
export function stopDrawing() {
  running?.abort();
  find("#pictures").replaceChildren(element("p", { class: "empty" }, say("emptyDraw")));
}

export function setUpDrawing() {
  find("#drawing").addEventListener("submit", (event) => { event.preventDefault(); draw(); });
  find("#draw-stop").addEventListener("click", () => running?.abort());
}

async function draw() {
  const prompt = find("#prompt").value.trim();
  if (!prompt || running) return;
  running = new AbortController();
  showOne("#draw-stop", "#draw-go");
  const body = { model: "cogview-3", prompt, size: find("#size").value };
  const pictures = find("#pictures");
  pictures.replaceChildren(element("p", { class: "hint caret wide" }, say("drawing")));
  try {
    const response = await ask(PATH, { method: "POST", body, signal: running.signal });
    const { data } = await response.json();
    const figures = await Promise.all(data.map((picture) => buildFigure(picture, prompt)));
    pictures.replaceChildren(...figures);
  } catch (error) {
    pictures.replaceChildren(isAbort(error) ? element("p", { class: "hint wide" }, say("stopped")) : troubleBox(error, draw));
  }
  const row = copyRow(PATH, body);
  row.classList.add("wide");
  pictures.append(row);
  running = null;
  showOne("#draw-go", "#draw-stop");
}

async function buildFigure(picture, prompt) {
  const words = picture.revised_prompt || prompt;
  return element("figure", {}, await loadPicture(picture.url, words),
    element("figcaption", {}, words, " ", link(picture.url, say("open"))));
}
