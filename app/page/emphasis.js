// Which runs of * _ ~ in Markdown are emphasis: CommonMark's rules, and what CJK text needs beside them.

const SPACE = /\s/u;
const PUNCTUATION = /[\p{P}\p{S}]/u;
// Chinese has no spaces between words: beside its letters punctuation does not keep a run from opening or closing.
const CJK = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u;

/** The run of `count` equal characters at `place`: whether it may open and close something. */
export function readRun(text, place, count) {
  const mark = text[place];
  const before = characterBefore(text, place);
  const after = place + count < text.length ? String.fromCodePoint(text.codePointAt(place + count)) : " ";
  const opens = isTowards(after, before);
  const closes = isTowards(before, after);
  const isInWord = mark === "_" && opens && closes;
  return {
    mark, count, length: count, starts: [], ends: [],
    canOpen: opens && (!isInWord || PUNCTUATION.test(before)),
    canClose: closes && (!isInWord || PUNCTUATION.test(after)),
  };
}

function characterBefore(text, place) {
  if (!place) return " ";
  const isPair = /[\uDC00-\uDFFF]/.test(text[place - 1]) && place > 1;
  return String.fromCodePoint(text.codePointAt(place - (isPair ? 2 : 1)));
}

/** Whether a run between the two characters belongs to `inner`. */
function isTowards(inner, outer) {
  if (SPACE.test(inner)) return false;
  return !PUNCTUATION.test(inner) || SPACE.test(outer) || PUNCTUATION.test(outer) || CJK.test(outer);
}

/** Pair the runs: each gets in `ends` and `starts` what it closes and opens, the innermost first. */
export function pairRuns(runs) {
  const stack = [];
  const bottoms = new Map(); // what closes -> below which run nothing can open it
  for (const [order, run] of runs.entries()) {
    run.order = order;
    while (run.canClose && run.count) {
      const kind = `${run.mark}${run.canOpen}${run.length % 3}`;
      const place = findOpener(stack, run, bottoms.get(kind) ?? -1);
      if (place < 0) {
        bottoms.set(kind, stack.at(-1)?.order ?? -1);
        break;
      }
      stack.length = place + 1;
      pair(stack.at(-1), run);
      if (!stack.at(-1).count) stack.pop();
    }
    if (run.canOpen && run.count) stack.push(run);
  }
}

/** The place in `stack` of the run that `closer` closes, none of which is at or below the one numbered `bottom`. */
function findOpener(stack, closer, bottom) {
  for (let place = stack.length - 1; place >= 0 && stack[place].order > bottom; place--)
    if (stack[place].mark === closer.mark && mayPair(stack[place], closer)) return place;
  return -1;
}

function mayPair(opener, closer) {
  if (!opener.canClose && !closer.canOpen) return true;
  return closer.length % 3 === 0 || (opener.length + closer.length) % 3 !== 0 || closer.mark === "~";
}

function pair(opener, closer) {
  const size = opener.count > 1 && closer.count > 1 ? 2 : 1;
  opener.count -= size;
  closer.count -= size;
  const type = closer.mark === "~" ? "del" : size === 2 ? "strong" : "em";
  opener.starts.push({ type, children: [] });
  closer.ends.push(type);
}
