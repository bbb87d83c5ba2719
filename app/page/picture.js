// Pictures of answers. Their addresses are the model's choice: what lies with the web chat itself is shown at once, and
// nothing else is loaded before the person asks for it. It is always the gateway that fetches it, so that no other host
// ever sees this browser.

import { ask } from "./api.js";
import { element } from "./dom.js";
import { say } from "./words.js";

const HOME = "chatglm.cn"; // whose servers know the conversation anyway: it was held there
const MAX_AT_ONCE = 40; // pictures of a tab; a hostile answer has thousands
const LOADED = new Map(); // address -> {url, type} of a blob, so that a growing answer keeps what was shown
const loading = new Map(); // address -> promise of the same
const shownAtOnce = new Set();
const failed = new Set(); // not tried again with every word that follows

/** A picture in an answer: itself, or a question until it is answered with a click. */
export function showPicture(text, words) {
  const address = parseAddress(text);
  if (address === null) return element("span", {}, words);
  if (LOADED.has(address.href)) return buildPicture(address.href, words);
  const box = element("span", { class: "remote" }, `🖼 ${words || say("pictureFrom", address.host)} (${address.host})`);
  const show = async () => box.replaceWith(await loadPicture(address.href, words));
  if (mayShowAtOnce(address)) show();
  else box.append(element("button", { type: "button", class: "small", title: say("pictureConsent"), onclick: show }, say("showPicture")));
  return box;
}

/** The picture itself with a way to keep it, or what `explain` makes of the failure: words. */
export async function loadPicture(address, words, explain = buildTrouble) {
  try {
    if (!LOADED.has(address)) {
      if (!loading.has(address)) loading.set(address, fetchPicture(address));
      LOADED.set(address, await loading.get(address));
    }
    return buildPicture(address, words);
  } catch (error) {
    failed.add(address);
    return explain(error);
  } finally {
    loading.delete(address);
  }
}

const buildTrouble = (error) => element("span", { class: "trouble" }, `${say("noPicture")} ${error.message}`);

async function fetchPicture(address) {
  const response = await ask("/page/picture", { method: "POST", body: { url: address } });
  const blob = await response.blob();
  return { url: URL.createObjectURL(blob), type: blob.type };
}

function buildPicture(address, words) {
  const { url, type } = LOADED.get(address);
  const name = `glm-api.${{ "image/jpeg": "jpg", "image/webp": "webp", "image/gif": "gif" }[type] ?? "png"}`;
  return element("span", { class: "shown" }, element("img", { class: "picture", src: url, alt: words || "" }),
    element("a", { class: "hint", href: url, download: name }, say("download")));
}

/** As the gateway will read it too: what is shown at once must not mean another host there. */
function mayShowAtOnce({ protocol, hostname, port, username, password, href }) {
  const isHome = protocol === "https:" && `.${hostname}`.endsWith(`.${HOME}`) && !port && !username && !password;
  if (!isHome || failed.has(href) || (shownAtOnce.size >= MAX_AT_ONCE && !shownAtOnce.has(href))) return false;
  shownAtOnce.add(href);
  return true;
}

function parseAddress(text) {
  try {
    const url = new URL(text);
    return ["http:", "https:"].includes(url.protocol) ? url : null;
  } catch {
    return null;
  }
}
