// Markdown to DOM nodes. Model output is hostile: everything becomes text nodes and the few elements below, links
// only to http, https and mailto, pictures only through `showPicture`. There is no way for markup to pass.

import { element } from "./dom.js";
import { copyButton } from "./copy.js";
import { showPicture } from "./picture.js";

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([\w+#.-]*)/;
const ITEM = /^( *)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const HEADING = /^(#{1,6})\s+(.*?)\s*#*$/;
const RULE = /^ {0,3}([-*_])( *\1){2,} *$/;
const INLINE = /(`+)([^]*?[^`])\1(?!`)|(!?)\[((?:[^[\]\\]|\\.|\[[^\]]*\])*)\]\(\s*<?([^\s<>()]*(?:\([^\s<>()]*\)[^\s<>()]*)*)>?(?:\s+"[^"]*")?\s*\)|\*\*(?=\S)([^]*?\S)\*\*|\*(?=[^\s*])([^*]*?[^\s*])\*|~~(?=\S)([^]*?\S)~~|(https?:\/\/[^\s<>"'，。；、）】]+)|\\([\\`*_{}[\]()#+.!~>-])/g;

/** Grows with the text of one answer; blocks that did not change keep their nodes. */
export class MarkdownView {
  constructor(node) {
    this.node = node;
    this.blocks = [];
  }

  show(text) {
    const blocks = splitBlocks(text);
    let same = 0;
    while (same < blocks.length && blocks[same] === this.blocks[same]) same++;
    while (this.node.children.length > same) this.node.lastChild.remove();
    this.node.append(...blocks.slice(same).map(renderBlock));
    this.blocks = blocks;
  }
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

/** Each block's source: fences whole, everything else parted by blank lines and changes of kind. */
function splitBlocks(text) {
  const blocks = [];
  let block = [], fence = null, kind = "";
  const end = () => { if (block.length) blocks.push(block.join("\n")); block = []; kind = ""; };
  for (const line of text.replace(/\r\n?/g, "\n").split("\n")) {
    if (fence) {
      block.push(line);
      if (line.trim().startsWith(fence) && !line.trim().replaceAll(fence[0], "")) { fence = null; end(); }
      continue;
    }
    const opening = FENCE.exec(line);
    if (opening) { end(); fence = opening[1]; block.push(line); continue; }
    if (!line.trim()) { end(); continue; }
    const next = kindOf(line, kind);
    if (next !== kind) end();
    kind = next;
    block.push(line);
    if (kind === "heading" || kind === "rule") end();
  }
  end();
  return blocks;
}

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
  const isClosed = lines.length > 1 && lines.at(-1).trim().startsWith(fence[1]);
  const code = lines.slice(1, isClosed ? -1 : undefined).join("\n");
  return element("div", { class: "code" },
    element("pre", { tabindex: "0" }, element("code", { "data-language": fence[2] }, code)), copyButton(() => code));
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
  const isRuled = lines.length > 1 && cells(lines[1]).every((cell) => /^:?-+:?$/.test(cell));
  const row = (line, name) => element("tr", {}, cells(line).map((cell) => element(name, {}, renderInline(cell))));
  if (!isRuled) return element("table", {}, lines.map((line) => row(line, "td")));
  return element("table", {}, element("thead", {}, row(lines[0], "th")), element("tbody", {}, lines.slice(2).map((line) => row(line, "td"))));
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
