// Addresses in Markdown: behind the words of a link, in angle brackets, and bare; and the characters that have names.

const SPACE = /[ \t\n]*/y;
const ANGLED = /<([^<>\\\n]*(?:\\.[^<>\\\n]*)*)>/y;
const TITLE = /"[^"\\]*(?:\\[^][^"\\]*)*"|'[^'\\]*(?:\\[^][^'\\]*)*'|\([^()\\]*(?:\\[^][^()\\]*)*\)/y;
const BRACKETED = /<((?:https?|mailto):[^\s<>]*)>/iy;
const MAIL = /<([\w.!#$%&'*+/=?^`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*)>/y;
const BARE = /https?:\/\/[^\s<>"`，。；、！？：）】》」』]+/y;
const ENTITY = /&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([A-Za-z]{2,8}));/y;
const ESCAPED = /\\([!-/:-@[-`{-~])|&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,8});/g;
const MAX_PARENTHESES = 32;
const NAMED = {
  amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0", copy: "©", reg: "®", trade: "™", hellip: "…", mdash: "—",
  ndash: "–", lsquo: "‘", rsquo: "’", ldquo: "“", rdquo: "”", times: "×", divide: "÷", middot: "·", bull: "•", deg: "°",
  larr: "←", rarr: "→", le: "≤", ge: "≥", ne: "≠", plusmn: "±", infin: "∞",
};

/** `(address "title")` at `place`: {address, end}, or null if there is none. The title is not kept. */
export function readTarget(text, place) {
  if (text[place] !== "(") return null;
  const start = skipSpace(text, place + 1);
  const found = text[start] === "<" ? readAngled(text, start) : readPlain(text, start);
  if (!found) return null;
  let end = skipSpace(text, found.end);
  const title = end > found.end ? match(TITLE, text, end) : null;
  if (title) end = skipSpace(text, end + title[0].length);
  return text[end] === ")" ? { address: unescape(found.address), end: end + 1 } : null;
}

function readAngled(text, place) {
  const found = match(ANGLED, text, place);
  return found && { address: found[1], end: place + found[0].length };
}

/** Up to white space, or to the parenthesis that was opened before. */
function readPlain(text, place) {
  let end = place, depth = 0;
  for (; end < text.length && text[end] > " " && text[end] !== "\x7f"; end++) {
    if (text[end] === "\\" && text[end + 1] > " ") end++;
    else if (text[end] === "(" && ++depth > MAX_PARENTHESES) return null;
    else if (text[end] === ")" && depth-- === 0) break;
  }
  return depth > 0 ? null : { address: text.slice(place, end), end };
}

/** `<address>` at `place`: {address, words, length}, or null if there is none. */
export function readBracketed(text, place) {
  const web = match(BRACKETED, text, place);
  if (web) return { address: web[1], words: web[1], length: web[0].length };
  const mail = match(MAIL, text, place);
  return mail && { address: `mailto:${mail[1]}`, words: mail[1], length: mail[0].length };
}

/** The address that stands bare at `place`, without the punctuation after it, or "". */
export function readBareLink(text, place) {
  const [found] = match(BARE, text, place) ?? [""];
  let end = found.length;
  let open = 0;
  for (const character of found) open += character === "(" ? 1 : character === ")" ? -1 : 0;
  for (; end > 0; end--) {
    const last = found[end - 1];
    if (last === ")" && open++ < 0) continue;
    if (!/[.,:;!?*_~'|\]]/.test(last)) break;
  }
  const address = found.slice(0, end);
  return /^https?:\/\/[^/]/.test(address) ? address : "";
}

/** The entity at `place`: {character, length}, or null if there is none. */
export function decodeEntity(text, place) {
  const found = match(ENTITY, text, place);
  const character = found && (found[3] ? NAMED[found[3]] : toCharacter(found[1] ? Number(found[1]) : parseInt(found[2], 16)));
  return character ? { character, length: found[0].length } : null;
}

function toCharacter(number) {
  const isCharacter = number > 0 && number < 0x110000 && (number < 0xd800 || number > 0xdfff);
  return isCharacter ? String.fromCodePoint(number) : "\ufffd";
}

/** Text without its backslashes and entities. */
export function unescape(text) {
  return text.replace(ESCAPED, (whole, escaped) => escaped ?? decodeEntity(whole, 0)?.character ?? whole);
}

function skipSpace(text, place) {
  return place + match(SPACE, text, place)[0].length;
}

function match(pattern, text, place) {
  pattern.lastIndex = place;
  return pattern.exec(text);
}
