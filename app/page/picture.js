// Pictures of answers. Their addresses are the model's choice: nothing is loaded before the person asks for it, and
// then it is the gateway that fetches it, so that no other host ever sees this browser.

import { ask } from "./api.js";
import { element } from "./dom.js";
import { say } from "./words.js";

const LOADED = new Map(); // address -> blob: URL, so that a growing answer keeps what was shown

/** A picture in an answer: a question, until it is answered with a click. */
export function showPicture(address, words) {
  const host = hostOf(address);
  if (host === null) return element("span", {}, words);
  if (LOADED.has(address)) return image(address, words);
  const box = element("span", { class: "remote" }, `🖼 ${words || say("pictureFrom", host)} (${host})`);
  const show = async () => box.replaceWith(await loadPicture(address, words));
  box.append(element("button", { type: "button", class: "small", title: say("pictureConsent"), onclick: show }, say("showPicture")));
  return box;
}

/** The picture itself, or words where there is none. */
export async function loadPicture(address, words) {
  try {
    if (!LOADED.has(address)) {
      const response = await ask("/page/picture", { method: "POST", body: { url: address } });
      LOADED.set(address, URL.createObjectURL(await response.blob()));
    }
    return image(address, words);
  } catch (error) {
    return element("span", { class: "trouble" }, `${say("noPicture")} ${error.message}`);
  }
}

const image = (address, words) => element("img", { class: "picture", src: LOADED.get(address), alt: words || "" });

function hostOf(address) {
  try {
    const url = new URL(address);
    return ["http:", "https:"].includes(url.protocol) ? url.host : null;
  } catch {
    return null;
  }
}
