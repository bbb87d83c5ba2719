// Drawing and filming: pictures and videos come by address, and the gateway fetches the pictures for this page.

import { askJson, isAbort } from "./api.js";
import { Clock, saySeconds } from "./clock.js";
import { tell } from "./copy.js";
import { element, find, showOne } from "./dom.js";
import { link } from "./markdown.js";
import { loadPicture } from "./picture.js";
import { copyRow } from "./snippet.js";
import { troubleBox } from "./trouble.js";
import { film, VIDEO_PATH } from "./video.js";
import { say } from "./words.js";

const PICTURE_PATH = "/v1/images/generations";
let running = null;

/** What is being drawn is given up, and what was drawn is taken away. */
export function stopDrawing() {
  running?.abort();
  find("#pictures").replaceChildren(element("p", { class: "empty" }, say("emptyDraw")));
}

export function setUpDrawing() {
  find("#drawing").addEventListener("submit", (event) => { event.preventDefault(); draw(); });
  find("#draw-stop").addEventListener("click", () => running?.abort());
  find("#kind").addEventListener("change", () => {
    find("#shape").hidden = isVideo();
    find("#draw-go").textContent = say(isVideo() ? "film" : "draw");
  });
}

const isVideo = () => find("#kind").value === "video";

async function draw() {
  const prompt = find("#prompt").value.trim();
  if (!prompt || running) return;
  running = new AbortController();
  showOne("#draw-stop", "#draw-go");
  const [path, body, make] = isVideo()
    ? [VIDEO_PATH, { prompt }, async () => [await film(body, running.signal)]]
    : [PICTURE_PATH, { model: "cogview-3", prompt, size: find("#size").value }, () => drawPictures(body, running.signal)];
  const waiting = element("p", { class: "hint wide" });
  find("#pictures").replaceChildren(waiting, element("progress", { class: "wide", "aria-label": say("working") }));
  tell(say("working"), false);
  const clock = new Clock((seconds) => { waiting.textContent = say(path === VIDEO_PATH ? "filming" : "drawing", saySeconds(seconds)); });
  try {
    find("#pictures").replaceChildren(...await make());
    tell(say("made"), false);
  } catch (error) {
    find("#pictures").replaceChildren(isAbort(error) ? element("p", { class: "hint wide" }, say("stopped")) : troubleBox(error, draw));
  }
  const row = copyRow(path, body);
  row.classList.add("wide");
  find("#pictures").append(element("p", { class: "hint wide" }, say("inAll", saySeconds(clock.stop()))), row);
  running = null;
  showOne("#draw-go", "#draw-stop");
}

async function drawPictures(body, signal) {
  const { data } = await askJson(PICTURE_PATH, { method: "POST", body, signal });
  return Promise.all(data.map((picture) => buildFigure(picture, body.prompt)));
}

async function buildFigure(picture, prompt) {
  const words = picture.revised_prompt || prompt;
  return element("figure", {}, await loadPicture(picture.url, words),
    element("figcaption", {}, words, " ", link(picture.url, say("open"))));
}
