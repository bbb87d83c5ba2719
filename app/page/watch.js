// The caller's own requests of the last hour, live: the gateway sends sums of half a minute as they change.

import { nameError } from "./advice.js";
import { ask, isAbort, readEvents } from "./api.js";
import { element, find } from "./dom.js";
import { plotCard, round } from "./plot.js";
import { troubleBox } from "./trouble.js";
import { say } from "./words.js";

const HOUR_SECONDS = 3600, AGAIN_MILLISECONDS = 5000, REDRAW_MILLISECONDS = 30_000;
let running = null;
let redrawing = null;

/** Begin to watch, until `stopWatching`; a stream that breaks is begun again. */
export async function startWatching() {
  stopWatching();
  const mine = (running = new AbortController());
  while (running === mine) {
    try {
      const buckets = new Map();
      for await (const view of readEvents(await ask("/v1/watch", { signal: mine.signal }))) {
        take(view, buckets);
        // The hour goes on, also while nothing happens.
        clearInterval(redrawing);
        redrawing = setInterval(() => take({ ...view, buckets: [] }, buckets), REDRAW_MILLISECONDS);
      }
    } catch (error) {
      if (isAbort(error)) return;
      if (error.code !== "network") find("#plots").replaceChildren(troubleBox(error));
    }
    clearInterval(redrawing);
    find("#watch-state").textContent = say("reconnecting");
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MILLISECONDS));
  }
}

export function stopWatching() {
  clearInterval(redrawing);
  running?.abort();
  running = null;
}

function take(view, buckets) {
  for (const bucket of view.buckets) buckets.set(bucket.at, bucket);
  const now = Date.now() / 1000;
  for (const at of buckets.keys()) if (at < now - HOUR_SECONDS) buckets.delete(at);
  find("#watch-state").textContent = say("connected");
  draw(view, [...buckets.values()].sort((a, b) => a.at - b.at), now);
}

function draw(view, buckets, now) {
  const points = (read) => buckets.map((bucket) => [1 - (now - bucket.at) / HOUR_SECONDS, read(bucket)]).filter(([share, number]) => share >= 0 && number !== null);
  const sum = (read) => buckets.reduce((total, bucket) => total + read(bucket), 0);
  const average = (read, unit) => {
    const numbers = buckets.map(read).filter((number) => number !== null);
    return numbers.length ? say("average", round(numbers.reduce((a, b) => a + b, 0) / numbers.length) + unit) : "–";
  };
  const failures = (bucket) => Object.values(bucket.errors).reduce((a, b) => a + b, 0);
  find("#plots").replaceChildren(
    ...(buckets.length ? [] : [element("p", { class: "hint wide" }, say("noRequests"))]),
    plotCard(say("requests"), say("lastHour", sum((bucket) => bucket.requests)), points((bucket) => bucket.requests), "bars"),
    plotCard(say("firstDelta"), average((bucket) => bucket.first_delta_seconds, " s"), points((bucket) => bucket.first_delta_seconds), "line"),
    plotCard(say("chunkRate"), average((bucket) => bucket.chunks_per_second, "/s"), points((bucket) => bucket.chunks_per_second), "line"),
    plotCard(say("openStreams"), say("now", view.open), points((bucket) => bucket.open), "bars"),
    plotCard(say("queue"), say("now", view.queued), points((bucket) => bucket.queued), "bars"),
    plotCard(say("errors"), nameErrors(buckets) || say("none"), points(failures), "errors"));
}

function nameErrors(buckets) {
  const counts = {};
  for (const { errors } of buckets) for (const [code, count] of Object.entries(errors)) counts[code] = (counts[code] ?? 0) + count;
  return Object.entries(counts).map(([code, count]) => `${count} × ${nameError(code)}`).join(", ");
}
