// A failure as a box: what happened, what to do next, and a button that does it where one can.

import { advise, mayRetry, needsToken } from "./advice.js";
import { element, find } from "./dom.js";
import { say } from "./words.js";

// Their message names what is wrong this time: whose words, which file, how much.
const SPEAKING = /^(upstream_error|video_failed|content_policy|invalid_|file_|request_too_large|unsupported_|not_found$)/;
/** Told to the document when the person wants to give other credentials. */
export const OTHER_CREDENTIALS = "glm-api:other-credentials";

/** `error` is an ApiError or anything thrown: its advice first, the gateway's own words folded below. `retry` may be missing. */
export function troubleBox(error, retry = null) {
  const advice = advise(error.code);
  const words = element("p", {}, [error.message, error.code && `(${error.code})`].filter(Boolean).join(" "));
  return element("div", { class: "trouble", role: "alert" },
    advice && element("p", {}, advice),
    error.retryAfter && element("p", {}, say("waitFor", error.retryAfter)),
    // Where the advice is to read them they lie open.
    advice ? element("details", { open: SPEAKING.test(error.code) }, element("summary", {}, say("gatewaySays")), words) : words,
    needsToken(error.code) && find("#door").hidden && button("otherToken", () => document.dispatchEvent(new Event(OTHER_CREDENTIALS))),
    retry && mayRetry(error.code) && button("tryAgain", retry));
}

const button = (key, onclick) => element("button", { type: "button", class: "small", onclick }, say(key));
