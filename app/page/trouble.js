// A failure as a box: what happened, what to do next, and a button that does it where one can.

import { advise, mayRetry, needsToken } from "./advice.js";
import { element, find } from "./dom.js";
import { say } from "./words.js";

/** Told to the document when the person wants to give other credentials. */
export const OTHER_CREDENTIALS = "glm-api:other-credentials";

/** `error` is an ApiError or anything thrown: its advice first, the gateway's own words below. `retry` may be missing. */
export function troubleBox(error, retry = null) {
  const words = [error.message, error.code && `(${error.code})`, error.retryAfter && say("waitFor", error.retryAfter)];
  return element("div", { class: "trouble", role: "alert" },
    advise(error.code) && element("p", {}, advise(error.code)),
    element("p", {}, words.filter(Boolean).join(" ")),
    needsToken(error.code) && find("#door").hidden && button("otherToken", () => document.dispatchEvent(new Event(OTHER_CREDENTIALS))),
    retry && mayRetry(error.code) && button("tryAgain", retry));
}

const button = (key, onclick) => element("button", { type: "button", class: "small", onclick }, say(key));
