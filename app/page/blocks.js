// Markdown, first stage: lines become a tree of blocks, as CommonMark and GitHub's tables have it. The text inside a
// block is read by inline.js. Nothing here goes back over what it has read, and nothing nests deeper than MAX_DEPTH:
// the time for any text is in proportion to its length.
//
// Left out: HTML (it is text) and links by reference. Added: mathematics, from $$ or \[ to its end, kept as it came.
//
// A block is {type, at, from, to}, the place in the text and the lines where it begins and ends, and of its type:
//   paragraph {text}   heading {level, text}   rule {}   code {info, text, isClosed}   math {text}
//   quote {blocks}     list {isOrdered, start, mark, isTight, items: [{blocks, isDone}]}, isDone null without a box
//   table {aligns, head: [text], rows: [[text]]}

import { unescape } from "./address.js";
import { Line } from "./line.js";
import { settle } from "./list.js";
import { readAligns, splitRow } from "./table.js";

export const MAX_DEPTH = 32;
const HEADING = /#{1,6}(?=[ \t]|$)/y;
const UNDERLINE = /(?:=+|-+)[ \t]*$/y;
const FENCE = /(`{3,})[^`]*$|(~{3,})/y;
const ITEM = /(?:([-*+])|(\d{1,9})([.)]))(?=[ \t]|$)/y;
const MATH = /\$\$(?!\$)|\\\[/y;
const MATH_ENDS = { "$$": "$$", "\\[": "\\]" };

/** The blocks of a text that grows at its end. */
export class GrowingBlocks {
  blocks = [];

  /** Read `text`, which begins as the one before did; how many blocks did not have to be read again. */
  show(text) {
    // As it grows the last line can turn into something else and join the block before it: two change, never three.
    const settled = Math.max(0, this.blocks.length - 2);
    const from = this.blocks[settled]?.at ?? 0;
    this.blocks.length = settled;
    for (const block of parseBlocks(text, from)) this.blocks.push(block);
    return settled;
  }
}

/** The blocks of `text` from the place `from` on, where one begins. */
export function parseBlocks(text, from = 0) {
  const parser = new BlockParser();
  const lines = /([^\r\n]*)(?:\r\n|\r|\n|$)/y;
  lines.lastIndex = from;
  while (lines.lastIndex < text.length) {
    const at = lines.lastIndex;
    parser.read(lines.exec(text)[1], at);
  }
  settle(parser.root.blocks);
  return parser.root.blocks;
}

/** Reads line by line: `open` are the containers that the last line was in, `leaf` the block in them that may go on. */
class BlockParser {
  constructor() {
    this.root = { type: "document", blocks: [] };
    this.open = [this.root];
    this.leaf = null;
    this.number = 0;
  }

  /** One line, which begins at `at`. */
  read(text, at) {
    this.number++;
    this.at = at;
    this.line = new Line(text);
    this.kept = 1;
    while (this.kept < this.open.length && this.goesOn(this.open[this.kept])) this.kept++;
    if (this.isInside() && this.growVerbatim()) return;
    while (!this.line.isBlank && this.open.length < MAX_DEPTH && (this.beginQuote() || this.beginItem()));
    if (!this.beginLeaf()) this.addText();
  }

  /** Whether this line is in every container that the last one was in. */
  isInside() {
    return this.kept === this.open.length;
  }

  /** Whether a paragraph goes on in this line, unless something else begins. */
  isInParagraph() {
    return this.isInside() && this.leaf?.type === "paragraph";
  }

  goesOn(container) {
    if (container.type === "quote") return this.takeQuoteMark(container);
    const { line } = this;
    if (line.isBlank ? !container.blocks.length : line.indent < container.width) return false;
    line.skip(container.width);
    return true;
  }

  takeQuoteMark(quote) {
    const { line } = this;
    if (line.indent > 3 || line.text[line.next] !== ">") return false;
    line.take(1);
    line.skip(1);
    quote.to = this.number;
    return true;
  }

  /** Leave the containers that do not go on. */
  leave() {
    if (!this.isInside()) this.leaf = null;
    this.open.length = this.kept;
  }

  /** Put a new block, which begins with this line or the one that is named, into the innermost container that goes on. */
  add(block, isLeaf = false, { at, number } = this) {
    this.leave();
    Object.assign(block, { at, from: number, to: this.number });
    this.open.at(-1).blocks.push(block);
    this.leaf = isLeaf ? block : null;
    return true;
  }

  enter(container) {
    this.leaf = null;
    this.open.push(container);
    this.kept = this.open.length;
    return true;
  }

  beginQuote() {
    const quote = { type: "quote", blocks: [] };
    if (!this.takeQuoteMark(quote)) return false;
    this.add(quote);
    return this.enter(quote);
  }

  beginItem() {
    const { line } = this;
    const found = line.indent < 4 && !line.isRule() && line.match(ITEM);
    if (!found) return false;
    const [mark, bullet, number, dot] = found;
    if (this.isInParagraph() && (line.isBlankFrom(line.next + mark.length) || (number && Number(number) !== 1))) return false;
    this.leave();
    let list = this.open.at(-1).blocks.at(-1);
    if (list?.type !== "list" || list.mark !== (bullet ?? dot)) {
      list = { type: "list", isOrdered: !bullet, start: Number(number ?? 1), mark: bullet ?? dot, items: [] };
      this.add(list);
    }
    const width = line.indent + mark.length;
    line.take(mark.length);
    const space = line.isBlank || line.indent > 4 ? 1 : line.indent;
    line.skip(space);
    const item = { type: "item", blocks: [], isDone: null, width: width + space, from: this.number, to: this.number };
    list.items.push(item);
    return this.enter(item);
  }

  /** Whether a block began that is no container. */
  beginLeaf() {
    const { line } = this;
    if (line.isBlank) return false;
    if (line.indent > 3) return this.leaf?.type !== "paragraph" && this.beginIndented();
    return this.beginHeading() || this.beginFence() || this.beginMath() || this.beginTable() || this.underline() ||
      (line.isRule() && this.add({ type: "rule" }));
  }

  beginIndented() {
    this.line.skip(4);
    this.blanks = "";
    return this.add({ type: "code", info: "", text: `${this.line.rest()}\n`, isClosed: false }, true);
  }

  beginHeading() {
    const found = this.line.match(HEADING);
    if (!found) return false;
    let words = this.line.words().slice(found[0].length).trim();
    let end = words.length;
    while (words[end - 1] === "#") end--;
    if (!end || /\s/.test(words[end - 1])) words = words.slice(0, end).trim();
    return this.add({ type: "heading", level: found[0].length, text: words });
  }

  beginFence() {
    const found = this.line.match(FENCE);
    if (!found) return false;
    this.fence = { mark: found[1] ?? found[2], indent: this.line.indent };
    const info = unescape(this.line.words().slice(this.fence.mark.length).trim());
    return this.add({ type: "code", info, text: "", isClosed: false, isFenced: true }, true);
  }

  beginMath() {
    const found = this.line.match(MATH);
    if (!found) return false;
    const text = this.line.words();
    this.mathEnd = MATH_ENDS[found[0]];
    const end = text.indexOf(this.mathEnd, 2);
    // Words behind it make it part of a sentence; `\[` may also be a bracket that shall not begin a link.
    if (end >= 0 ? !/^[.,;:。，；：]?$/.test(text.slice(end + 2).trim()) : found[0] === "\\[" && !/^..(?:\s|$)/.test(text)) return false;
    return this.add({ type: "math", text }, end < 0);
  }

  /** The row below the head makes a table, of the last line of a paragraph. */
  beginTable() {
    if (!this.isInParagraph() || !this.last.isPlain) return false;
    const aligns = this.last.words.includes("|") && readAligns(this.line.words());
    const head = aligns && splitRow(this.last.words);
    if (!head || head.length !== aligns.length) return false;
    const { leaf, number, last } = this;
    if (last.before === null) this.open.at(-1).blocks.pop();
    else Object.assign(leaf, { text: last.before, to: number - 2 });
    return this.add({ type: "table", aligns, head, rows: [] }, true, { at: last.at, number: number - 1 });
  }

  underline() {
    if (!this.isInParagraph() || !this.line.match(UNDERLINE)) return false;
    const level = this.line.text[this.line.next] === "=" ? 1 : 2;
    Object.assign(this.leaf, { type: "heading", level, text: this.leaf.text.trim(), to: this.number });
    this.leaf = null;
    return true;
  }

  /** Whether the line is one of code or mathematics that goes on. */
  growVerbatim() {
    if (this.leaf?.type === "math") return this.growMath();
    if (this.leaf?.type === "code") return this.leaf.isFenced ? this.growFenced() : this.growIndented();
    return false;
  }

  growMath() {
    if (this.line.isBlank) return false;
    this.leaf.text += `\n${this.line.rest()}`;
    this.leaf.to = this.number;
    if (this.line.text.includes(this.mathEnd, this.line.place)) this.leaf = null;
    return true;
  }

  growFenced() {
    const { fence, line, leaf } = this;
    if (!line.isBlank) leaf.to = this.number;
    if (line.indent < 4 && line.isFenceEnd(fence.mark)) {
      leaf.isClosed = true;
      this.leaf = null;
      return true;
    }
    line.skip(Math.min(fence.indent, line.indent));
    leaf.text += `${line.rest()}\n`;
    return true;
  }

  growIndented() {
    const { line, leaf } = this;
    if (line.indent < 4 && !line.isBlank) {
      this.leaf = null;
      return false;
    }
    line.skip(4);
    if (line.isBlank) {
      this.blanks += `${line.rest()}\n`;
      return true;
    }
    leaf.text += `${this.blanks}${line.rest()}\n`;
    leaf.to = this.number;
    this.blanks = "";
    return true;
  }

  /** A line in which nothing begins: text of what is open, or of a new paragraph. */
  addText() {
    const { line } = this;
    // A paragraph goes on although a line leaves out the marks of its containers.
    if (line.isBlank || this.leaf?.type !== "paragraph") this.leave();
    if (line.isBlank) this.leaf = null;
    else if (this.leaf?.type === "table") this.leaf.rows.push(splitRow(line.words()));
    else if (this.leaf) this.growParagraph();
    else {
      this.add({ type: "paragraph", text: line.words() }, true);
      this.last = { at: this.at, words: line.words(), before: null, isPlain: true };
    }
    if (this.leaf) this.leaf.to = this.number;
  }

  growParagraph() {
    const { line, leaf } = this;
    const words = line.words();
    // Only what could begin a paragraph can be the head of a table in the middle of one.
    const isPlain = this.isInside() && line.indent < 4 && !line.match(ITEM);
    this.last = { at: this.at, words, before: leaf.text, isPlain };
    leaf.text += `\n${words}`;
  }
}
