// A small picture of the last minutes, drawn with SVG nodes; under the pointer it says what was when.

import { element, svg } from "./dom.js";
import { say, sayTime } from "./words.js";

const WIDTH = 360, HEIGHT = 100;

/**
 * A card: `title`, the words of `value`, and `points` of [Unix time in seconds, number], each the sum of a bucket that
 * begins then. `kind`: bars, errors, line. `span`: {minutes, end, bucketSeconds}, what is shown.
 */
export function plotCard(title, value, points, kind, span) {
  const most = Math.max(0, ...points.map(([, number]) => number));
  const width = (WIDTH * span.bucketSeconds) / (span.minutes * 60);
  const placeOf = (at) => WIDTH * (1 - (span.end - at) / (span.minutes * 60));
  const places = points.map(([at, number]) => [placeOf(at), HEIGHT - (number / (most || 1)) * (HEIGHT - 6)]);
  const shapes = kind === "line" && points.length > 1 ? drawLine(places) : drawBars(places, kind === "line" ? "bars" : kind, width);
  const peak = points.length > 1 && most ? say("most", round(most)) : "";
  const below = element("span", {}, peak);
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": say("plot", title, value) },
    svg("line", { class: "base", x1: 0, y1: HEIGHT, x2: WIDTH, y2: HEIGHT }), shapes);
  picture.addEventListener("pointermove", (event) => {
    const box = picture.getBoundingClientRect();
    const found = findPoint(points, span.end - (1 - (event.clientX - box.left) / box.width) * span.minutes * 60, span.bucketSeconds);
    below.textContent = found ? say("pointAt", sayTime(found[0]), round(found[1])) : peak;
  });
  picture.addEventListener("pointerleave", () => { below.textContent = peak; });
  return element("div", { class: "card plot" },
    element("div", { class: "hint" }, title), element("div", { class: "value" }, value), picture,
    element("div", { class: "axis", "aria-hidden": "true" }, element("span", {}, say("minutesAgo", span.minutes)), below, element("span", {}, say("rightNow"))));
}

/** A number as short as it can be read. */
export const round = (number) => number.toLocaleString(undefined, { maximumSignificantDigits: number < 100 ? 2 : 3 });

/** The point whose bucket has `time` in it or is next to it. */
function findPoint(points, time, bucketSeconds) {
  const distance = ([at]) => Math.abs(at + bucketSeconds / 2 - time);
  const nearest = points.reduce((best, point) => (best && distance(best) <= distance(point) ? best : point), null);
  return nearest && distance(nearest) <= 1.5 * bucketSeconds ? nearest : null;
}

function drawBars(places, kind, width) {
  const gap = Math.min(2, width / 4);
  return places.map(([x, y]) => svg("rect", { class: kind, x, y, width: width - gap, height: HEIGHT - y }));
}

function drawLine(places) {
  const [first, last] = [places[0], places.at(-1)];
  const line = places.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");
  return [svg("polygon", { class: "area", points: `${first[0]},${HEIGHT} ${line} ${last[0]},${HEIGHT}` }),
    svg("polyline", { class: "line", points: line }),
    places.map(([x, y]) => svg("rect", { class: "bars", x: Math.max(0, x - 2), y: y - 2, width: 4, height: 4 }))];
}
