// A small picture of one hour, drawn with SVG nodes.

import { element, svg } from "./dom.js";
import { say } from "./words.js";

const WIDTH = 360, HEIGHT = 100;

/** A card: `title`, the words of `value`, and `points` of [share of the hour 0..1, number]. `kind`: bars, errors, line. */
export function plotCard(title, value, points, kind) {
  const most = Math.max(1e-9, ...points.map(([, number]) => number));
  const place = ([share, number]) => [share * WIDTH, HEIGHT - (number / most) * (HEIGHT - 6)];
  const shapes = kind === "line" && points.length > 1 ? drawLine(points.map(place)) : drawBars(points.map(place), kind === "line" ? "bars" : kind);
  return element("div", { class: "card plot" },
    element("div", { class: "hint" }, title), element("div", { class: "value" }, value),
    svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": say("plot", title, value) },
      svg("line", { class: "base", x1: 0, y1: HEIGHT, x2: WIDTH, y2: HEIGHT }), shapes),
    element("div", { class: "axis", "aria-hidden": "true" }, element("span", {}, say("hourAgo")),
      points.length > 1 && element("span", {}, say("most", round(most))), element("span", {}, say("rightNow"))));
}

/** A number as short as it can be read. */
export const round = (number) => number.toLocaleString(undefined, { maximumSignificantDigits: number < 100 ? 2 : 3 });

function drawBars(places, kind) {
  return places.map(([x, y]) => svg("rect", { class: kind, x: Math.max(0, x - 3), y, width: 3, height: HEIGHT - y }));
}

function drawLine(places) {
  if (!places.length) return [];
  const [first, last] = [places[0], places.at(-1)];
  const line = places.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");
  return [svg("polygon", { class: "area", points: `${first[0]},${HEIGHT} ${line} ${last[0]},${HEIGHT}` }),
    svg("polyline", { class: "line", points: line }),
    places.map(([x, y]) => svg("rect", { class: "bars", x: Math.max(0, x - 2), y: y - 2, width: 4, height: 4 }))];
}
