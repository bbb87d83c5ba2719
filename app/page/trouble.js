// A failure as a box: what happened, and what to do next.

import { advise } from "./advice.js";
import { element } from "./dom.js";

/** `error` is an ApiError or anything thrown; its advice first, the gateway's own words below. */
export function troubleBox(error) {
  const advice = advise(error.code);
  const words = [error.message, error.code && `(${error.code})`].filter(Boolean).join(" ");
  return element("div", { class: "trouble", role: "alert" }, advice && element("p", {}, advice), element("p", {}, words));
}
