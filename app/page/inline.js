// Markdown, second stage: the text of a block becomes a tree of strings and nodes. Like the first stage it reads
// forward: what it looks for ahead is known to be there, or is not looked for again.
//
// A node is {type, ...}:
//   strong, em, del {children}   link {address, children, isBare}   picture {address, children}
//   code {text}   math {text}   break {isHard}

import { decodeEntity, readBareLink, readBracketed, readTarget } from "./address.js";
import { pairRuns, readRun } from "./emphasis.js";

export const MAX_DEPTH = 32;
const SPECIAL = /[\\`*_~[\]!<&$\n]|(?<![A-Za-z0-9])https?:\/\//g;
const ESCAPABLE = /[!-/:-@[-`{-~]/;
const BREAK = /<br[ \t]*\/?>/iy;
const MATH = /\$(?![\s$])[^$\\]*(?:\\[^][^$\\]*)*\$(?!\d)/y;

/** The nodes and strings that `text` is made of. */
export function parseInline(text) {
  return new InlineParser(text).parse();
}

/** The words of nodes, without what is around them. */
export function plainText(nodes) {
  return nodes.map((node) => (typeof node === "string" ? node : node.text ?? (node.children ? plainText(node.children) : "\n"))).join("");
}

/** `pieces` are strings, nodes, runs of marks and the brackets of links, in their order. */
class InlineParser {
  constructor(text) {
    this.text = trimSpaces(text);
    this.place = 0;
    this.pieces = [];
    this.runs = [];
    this.brackets = [];
    this.inactive = 0; // so many brackets, from the first on, cannot begin a link: there is one in them
    this.lasts = new Map(); // what may close something -> the last place where it is
  }

  parse() {
    const { text } = this;
    for (;;) {
      SPECIAL.lastIndex = this.place;
      const found = SPECIAL.exec(text);
      const end = found?.index ?? text.length;
      if (end > this.place) this.pieces.push(text.slice(this.place, end));
      this.place = end;
      if (!found) break;
      this.readSpecial(found[0]);
    }
    pairRuns(this.runs);
    return buildTree(this.pieces);
  }

  readSpecial(mark) {
    switch (mark) {
      case "\\": return this.readBackslash();
      case "`": return this.readCode();
      case "*": case "_": case "~": return this.readRun(mark);
      case "!": return this.text[this.place + 1] === "[" ? this.openBracket("![") : this.put(1);
      case "[": return this.openBracket("[");
      case "]": return this.closeBracket();
      case "<": return this.readBracketed();
      case "&": return this.readEntity();
      case "$": return this.readDollar();
      case "\n": return this.readLineEnd();
      default: return this.readBareLink();
    }
  }

  /** Take `count` characters, as they are or as `piece`. */
  put(count, piece = this.text.slice(this.place, this.place + count)) {
    this.pieces.push(piece);
    this.place += count;
  }

  /** Where `end` is next, from `from` on; -1 without looking where it cannot be. */
  findEnd(end, from) {
    if (!this.lasts.has(end)) this.lasts.set(end, this.text.lastIndexOf(end));
    return this.lasts.get(end) < from ? -1 : this.text.indexOf(end, from);
  }

  readBackslash() {
    const next = this.text[this.place + 1] ?? "";
    if (next === "\n") return this.putBreak(2, true);
    const end = next === "(" || next === "[" ? this.findEnd(next === "(" ? "\\)" : "\\]", this.place + 2) : -1;
    if (end >= 0) return this.putMath(end + 2);
    if (ESCAPABLE.test(next)) return this.put(2, next);
    return this.put(1);
  }

  readDollar() {
    const { text, place } = this;
    if (text[place + 1] === "$") {
      const end = this.findEnd("$$", place + 2);
      return end > place + 2 ? this.putMath(end + 2) : this.put(2);
    }
    MATH.lastIndex = place;
    const found = MATH.exec(text)?.[0];
    return found && !/\s/.test(found.at(-2)) ? this.putMath(place + found.length) : this.put(1);
  }

  putMath(end) {
    this.put(end - this.place, { type: "math", text: this.text.slice(this.place, end) });
  }

  /** Code ends at the next run of as many backticks. */
  readCode() {
    const { text, place } = this;
    const count = countFrom(text, place);
    this.runEnds ??= findRuns(text);
    if (!(this.runEnds.get(count) > place)) return this.put(count);
    for (let at = text.indexOf("`", place + count); ; at = text.indexOf("`", at)) {
      const other = countFrom(text, at);
      if (other === count) {
        const words = text.slice(place + count, at).replaceAll("\n", " ");
        const isPadded = words.startsWith(" ") && words.endsWith(" ") && /[^ ]/.test(words);
        return this.put(at + count - place, { type: "code", text: isPadded ? words.slice(1, -1) : words });
      }
      at += other;
    }
  }

  readRun(mark) {
    const count = countFrom(this.text, this.place);
    if (mark === "~" && count !== 2) return this.put(count);
    const run = readRun(this.text, this.place, count);
    this.runs.push(run);
    return this.put(count, run);
  }

  openBracket(mark) {
    const bracket = { mark, runs: this.runs.length, node: null };
    this.brackets.push(bracket);
    this.put(mark.length, bracket);
  }

  closeBracket() {
    const bracket = this.brackets.pop();
    const isActive = bracket && (bracket.mark === "![" || this.brackets.length >= this.inactive);
    this.inactive = Math.min(this.inactive, this.brackets.length);
    const target = isActive && readTarget(this.text, this.place + 1);
    if (!target) return this.put(1);
    const isPicture = bracket.mark === "![";
    bracket.node = { type: isPicture ? "picture" : "link", address: target.address, children: [] };
    pairRuns(this.runs.splice(bracket.runs));
    if (!isPicture) this.inactive = this.brackets.length;
    return this.put(target.end - this.place, { isEnd: true });
  }

  readBracketed() {
    BREAK.lastIndex = this.place;
    const length = BREAK.exec(this.text)?.[0].length;
    if (length) return this.putBreak(length, true);
    const found = readBracketed(this.text, this.place);
    return found ? this.put(found.length, { type: "link", address: found.address, children: [found.words] }) : this.put(1);
  }

  readBareLink() {
    const address = readBareLink(this.text, this.place);
    if (!address) return this.put(4);
    return this.put(address.length, { type: "link", address, children: [address], isBare: true });
  }

  readEntity() {
    const found = decodeEntity(this.text, this.place);
    return found ? this.put(found.length, found.character) : this.put(1);
  }

  /** A line ends, for good after two spaces. Spaces around it are nothing. */
  readLineEnd() {
    const before = this.pieces.at(-1);
    let isHard = false;
    if (typeof before === "string" && before.endsWith(" ") && this.text[this.place - 1] === " ") {
      this.pieces[this.pieces.length - 1] = trimSpaces(before);
      isHard = before.endsWith("  ");
    }
    this.putBreak(1, isHard);
  }

  putBreak(count, isHard) {
    this.put(count, { type: "break", isHard });
    while (this.text[this.place] === " ") this.place++;
  }
}

/** How many characters from `place` on are the one there. */
function countFrom(text, place) {
  let end = place + 1;
  while (text[end] === text[place]) end++;
  return end - place;
}

/** Number of backticks -> where the last run of so many begins. */
function findRuns(text) {
  const runs = new Map();
  for (const { 0: run, index } of text.matchAll(/`+/g)) runs.set(run.length, index);
  return runs;
}

function trimSpaces(text) {
  let end = text.length;
  while (text[end - 1] === " " || text[end - 1] === "\t") end--;
  return text.slice(0, end);
}

/** Put what is between marks below their nodes. What would lie deeper than MAX_DEPTH stays where it is. */
function buildTree(pieces) {
  const root = [], parents = [];
  let children = root;
  const enter = (node) => {
    parents.push(children);
    if (parents.length > MAX_DEPTH) return;
    children.push(node);
    children = node.children;
  };
  const leave = () => { children = parents.pop(); };
  const write = (text) => {
    if (typeof children.at(-1) === "string") children[children.length - 1] += text;
    else if (text) children.push(text);
  };
  for (const piece of pieces) {
    if (typeof piece === "string") write(piece);
    else if (piece.isEnd) leave();
    else if (piece.starts) {
      for (const _ of piece.ends) leave();
      write(piece.mark.repeat(piece.count));
      for (const node of piece.starts.reverse()) enter(node);
    } else if (piece.type) children.push(piece);
    else if (piece.node) enter(piece.node);
    else write(piece.mark);
  }
  return root;
}
