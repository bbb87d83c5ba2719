// Why an answer is long in coming: whether questions of this caller wait for an account.

import { ask, readEvents } from "./api.js";

/** Tell `show` whenever the number of waiting questions changes, whether there are any. `abort()` what is returned to end it. */
export function watchQueue(show) {
  const watching = new AbortController();
  follow(show, watching.signal);
  return watching;
}

async function follow(show, signal) {
  try {
    for await (const { queued } of readEvents(await ask("/v1/watch", { signal }))) show(queued > 0);
  } catch {
    // Without it the page says less, and nothing is lost.
  }
}
