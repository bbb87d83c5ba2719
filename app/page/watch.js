// The caller's own requests of the last minutes, live: the gateway sends sums of half a minute as they change.

import { nameError } from "./advice.js";
import { ask, isAbort, readEvents } from "./api.js";
import { element, find } from "./dom.js";
import { plotCard, round } from "./plot.js";
import { troubleBox } from "./trouble.js";
import { say } from "./words.js";

const HOUR_SECONDS = 3600, AGAIN_MILLISECONDS = 5000, REDRAW_MILLISECONDS = 10_000;
let running = null;
let redrawing = null;
let redraw = () => {};

export function setUpWatch() {
  find("#span").addEventListener("change", () => redraw());
}

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
        redraw = () => take({ ...view, buckets: [] }, buckets);
        redrawing = setInterval(redraw, REDRAW_MILLISECONDS);
      }
    } catch (error) {
      if (isAbort(error)) return;
      if (error.code !== "network") find("#plots").replaceChildren(troubleBox(error));
    }
    clearInterval(redrawing);
    showState("reconnecting");
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MILLISECONDS));
  }
}

export function stopWatching() {
  clearInterval(redrawing);
  redraw = () => {};
  running?.abort();
  running = null;
}

/** Said aloud where it is another one. */
function showState(key) {
  const state = find("#watch-state");
  if (state.textContent !== say(key)) state.textContent = say(key);
}

function take(view, buckets) {
  for (const bucket of view.buckets) buckets.set(bucket.at, bucket);
  const now = Date.now() / 1000;
  for (const at of buckets.keys()) if (at < now - HOUR_SECONDS) buckets.delete(at);
  showState("connected");
  const minutes = Number(find("#span").value), bucketSeconds = view.bucket_seconds;
  // The bucket that has just begun has its whole width.
  const end = (Math.floor(now / bucketSeconds) + 1) * bucketSeconds;
  const seen = [...buckets.values()].filter((bucket) => bucket.at >= end - minutes * 60);
  draw(view, seen.sort((a, b) => a.at - b.at), { minutes, end, bucketSeconds });
}

/** `span` is what the plots show: the last `minutes` before `end`, in buckets of `bucketSeconds`. */
function draw(view, buckets, span) {
  const points = (read) => buckets.map((bucket) => [bucket.at, read(bucket)]).filter(([, number]) => number !== null);
  const sum = (read) => buckets.reduce((total, bucket) => total + read(bucket), 0);
  const average = (read, name) => {
    const numbers = buckets.map(read).filter((number) => number !== null);
    return numbers.length ? say("average", name(round(numbers.reduce((a, b) => a + b, 0) / numbers.length))) : "–";
  };
  const failures = (bucket) => Object.values(bucket.errors).reduce((a, b) => a + b, 0);
  find("#plots").replaceChildren(
    ...(buckets.length ? [] : [element("p", { class: "hint wide" }, say("noRequests"))]),
    plotCard(say("requests"), say("inSpan", sum((bucket) => bucket.requests), span.minutes), points((bucket) => bucket.requests), "bars", span),
    plotCard(say("firstDelta"), average((bucket) => bucket.first_delta_seconds, (number) => say("seconds", number)), points((bucket) => bucket.first_delta_seconds), "line", span),
    plotCard(say("frameRate"), average((bucket) => bucket.frames_per_second, (number) => `${number}/s`), points((bucket) => bucket.frames_per_second), "line", span),
    plotCard(say("openStreams"), say("now", view.open), points((bucket) => bucket.open), "bars", span),
    plotCard(say("queue"), say("now", view.queued), points((bucket) => bucket.queued), "bars", span),
    plotCard(say("errors"), nameErrors(buckets) || say("none"), points(failures), "errors", span));
}

function nameErrors(buckets) {
  const counts = {};
  for (const { errors } of buckets) for (const [code, count] of Object.entries(errors)) counts[code] = (counts[code] ?? 0) + count;
  return Object.entries(counts).map(([code, count]) => `${count} × ${nameError(code)}`).join(say("comma"));
}
