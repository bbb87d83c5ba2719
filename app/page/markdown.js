// Markdown to DOM nodes. Model output is hostile: everything becomes text nodes and the few elements below, links
// only to http, https and mailto, pictures only through `showPicture`. There is no way for markup to pass.

import { element, find } from "./dom.js";
import { copyButton } from "./copy.js";
import { showPicture } from "./picture.js";

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([\w+#.-]*)/;
const ITEM = /^( *)([-*+]|\d{1,9}[.)])\s+(.*)$/;
// The counts in HEADING and INLINE keep the time for a hostile text in proportion to its length.
const HEADING = /^(#{1,6})\s+(.{0,1000}?)\s*#*$/;
const RULE = /^ {0,3}([-*_])( *\1){2,} *$/;
const INLINE = /(`+)([^]*?[^`])\1(?!`)|(!?)\[((?:[^[\]\\]|\\.|\[[^[\]]{0,200}\]){0,500})\]\(\s*<?([^\s<>()]*(?:\([^\s<>()]*\)[^\s<>()]*)*)>?(?:\s+"[^"]*")?\s*\)|\*\*(?=\S)([^]*?\S)\*\*|\*(?=[^\s*])([^*]*?[^\s*])\*|~~(?=\S)([^]*?\S)~~|(https?:\/\/[^\s<>"'，。；、）】]*[^\s<>"'，。；、）】.,:;!?)\]*_~])|\\([\\`*_{}[\]()#+.!~>-])/g;

/** Grows with the text of one answer; blocks that did not change keep their nodes. */
export class MarkdownView {
  constructor(node) {
    this.node = node;
    this.blocks = [];
  }

  /** `text` begins as the one shown before did. Only its last two blocks can have changed since: no other is looked at. */
  show(text) {
    const settled = Math.max(0, this.blocks.length - 2);
    const blocks = this.blocks.slice(0, settled).concat(splitBlocks(text, this.blocks[settled]?.at ?? 0));
    let same = settled;
    while (same < blocks.length && blocks[same].source === this.blocks[same]?.source) same++;
    if (same === blocks.length - 1 && growCode(this.node.children[same], this.blocks[same], blocks[same])) same++;
    while (this.node.children.length > same) this.node.lastChild.remove();
    for (const { source } of blocks.slice(same)) this.node.append(renderBlock(source));
    this.blocks = blocks;
  }
}

/** Whether `node` could be made to show `after` by adding to its text, as code that is still being written can. */
function growCode(node, before, after) {
  const fence = before && FENCE.exec(before.source);
  if (!fence || !before.source.includes("\n") || !after.source.startsWith(before.source)) return false;
  const lines = after.source.split("\n");
  if (isClosed(lines, fence[1])) return false;
  const code = find("code", node);
  const words = lines.slice(1).join("\n");
  if (!words.startsWith(code.textContent)) return false;
  code.firstChild.appendData(words.slice(code.textContent.length));
  return true;
}

/** The address if a link may lead there, else null. */
export function safeAddress(address) {
  try {
    const url = new URL(address);
    return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** A link that tells the other side nothing, or its text where it may not be one. */
export function link(address, ...children) {
  const href = safeAddress(address);
  if (href === null) return element("span", {}, ...children);
  return element("a", { href, rel: "noopener noreferrer nofollow", target: "_blank", referrerpolicy: "no-referrer" }, ...children);
}

/** The blocks from `start` on, {at, source}: fences whole, everything else parted by blank lines and changes of kind. */
function splitBlocks(text, start) {
  const blocks = [];
  let block = [], at = start, here = start, fence = null, kind = "";
  const add = (line) => { if (!block.length) at = here; block.push(line); };
  const end = () => { if (block.length) blocks.push({ at, source: block.join("\n") }); block = []; kind = ""; };
  for (const raw of text.slice(start).split("\n")) {
    step(raw.endsWith("\r") ? raw.slice(0, -1) : raw);
    here += raw.length + 1;
  }
  end();
  return blocks;

  function step(line) {
    if (fence) {
      add(line);
      if (isFenceEnd(line, fence)) { fence = null; end(); }
      return;
    }
    const opening = FENCE.exec(line);
    if (opening) { end(); fence = opening[1]; return add(line); }
    if (!line.trim()) return end();
    const next = kindOf(line, kind);
    if (next !== kind) end();
    kind = next;
    add(line);
    if (kind === "heading" || kind === "rule") end();
  }
}

const isFenceEnd = (line, fence) => line.trim().startsWith(fence) && !line.trim().replaceAll(fence[0], "");
const isClosed = (lines, fence) => lines.length > 1 && isFenceEnd(lines.at(-1), fence);

function kindOf(line, before) {
  if (HEADING.test(line)) return "heading";
  if (RULE.test(line)) return "rule";
  if (ITEM.test(line) || (before === "list" && /^\s/.test(line))) return "list";
  if (/^\s*>/.test(line)) return "quote";
  if (/^\s*\|.*\|\s*$/.test(line)) return "table";
  return "text";
}

function renderBlock(source) {
  const lines = source.split("\n");
  const fence = FENCE.exec(lines[0]);
  if (fence) return renderCode(lines, fence);
  switch (kindOf(lines[0], "")) {
    case "heading": {
      const [, marks, words] = HEADING.exec(lines[0]);
      return element(`h${Math.min(marks.length + 1, 6)}`, {}, renderInline(words));
    }
    case "rule": return element("hr");
    case "list": return renderList(lines);
    case "quote": return element("blockquote", {}, renderInline(lines.map((line) => line.replace(/^\s*>\s?/, "")).join("\n")));
    case "table": return renderTable(lines);
    default: return element("p", {}, renderInline(source));
  }
}

function renderCode(lines, fence) {
  const code = element("code", {}, lines.slice(1, isClosed(lines, fence[1]) ? -1 : undefined).join("\n"));
  return element("div", { class: "code" },
    element("div", { class: "row" }, element("span", { class: "hint grow" }, fence[2]), copyButton(() => code.textContent)),
    element("pre", { tabindex: "0" }, code));
}

function renderList(lines) {
  const first = ITEM.exec(lines[0]);
  const isOrdered = /\d/.test(first[2]);
  const list = element(isOrdered ? "ol" : "ul", isOrdered ? { start: parseInt(first[2], 10) } : {});
  let item = [];
  const end = () => {
    if (!item.length) return;
    const inner = item.findIndex((line, index) => index && ITEM.test(line));
    const words = item.slice(0, inner < 0 ? undefined : inner).join("\n");
    list.append(element("li", {}, renderInline(words), inner < 0 ? null : renderList(item.slice(inner))));
    item = [];
  };
  for (const line of lines) {
    const found = ITEM.exec(line);
    if (found && found[1].length <= first[1].length) { end(); item.push(found[3]); }
    else item.push(line);
  }
  end();
  return list;
}

function renderTable(lines) {
  const cells = (line) => line.trim().slice(1, -1).split("|").map((cell) => cell.trim());
  const rule = lines.length > 1 ? cells(lines[1]) : [];
  const isRuled = rule.length > 0 && rule.every((cell) => /^:?-+:?$/.test(cell));
  const align = (index) => (isRuled && rule[index]?.endsWith(":") ? { class: rule[index].startsWith(":") ? "center" : "right" } : {});
  const row = (line, name) => element("tr", {}, cells(line).map((cell, index) => element(name, align(index), renderInline(cell))));
  return element("div", { class: "table", tabindex: "0" }, element("table", {},
    isRuled && element("thead", {}, row(lines[0], "th")),
    element("tbody", {}, lines.slice(isRuled ? 2 : 0).map((line) => row(line, "td")))));
}

function renderInline(text, depth = 0) {
  const nodes = [];
  let at = 0;
  const deeper = (words) => (depth < 8 ? renderInline(words, depth + 1) : [words]);
  for (const found of text.matchAll(INLINE)) {
    const [whole, , code, bang, words, address, bold, italic, struck, bare, escaped] = found;
    if (found.index > at) nodes.push(text.slice(at, found.index));
    at = found.index + whole.length;
    if (code !== undefined) nodes.push(element("code", {}, code.trim()));
    else if (bang) nodes.push(showPicture(address, words));
    else if (address !== undefined) nodes.push(link(address, deeper(words)));
    else if (bold !== undefined) nodes.push(element("strong", {}, deeper(bold)));
    else if (italic !== undefined) nodes.push(element("em", {}, deeper(italic)));
    else if (struck !== undefined) nodes.push(element("del", {}, deeper(struck)));
    else if (bare !== undefined) nodes.push(link(bare, bare));
    else nodes.push(escaped);
  }
  if (at < text.length) nodes.push(text.slice(at));
  return nodes.flatMap((node) => (typeof node === "string" ? withBreaks(node) : [node]));
}

const withBreaks = (text) => text.split("\n").flatMap((line, index) => (index ? [element("br"), line] : [line]));
