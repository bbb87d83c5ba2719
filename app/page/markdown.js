// Markdown to DOM nodes. Model output is hostile: everything becomes text nodes and the few elements below, links
// only to http, https and mailto, pictures only through `showPicture`. There is no way for markup to pass.

import { GrowingBlocks } from "./blocks.js";
import { copyButton } from "./copy.js";
import { element, find } from "./dom.js";
import { parseInline, plainText } from "./inline.js";
import { showPicture } from "./picture.js";
import { say } from "./words.js";

/** Grows with the text of one answer; blocks that did not change keep their nodes. */
export class MarkdownView {
  constructor(node) {
    this.node = node;
    this.growing = new GrowingBlocks();
    this.shown = []; // {block, source} for each child of `node`
  }

  /** `text` begins as the one shown before did. */
  show(text) {
    let same = this.growing.show(text);
    const { blocks } = this.growing;
    const sourceOf = (index) => text.slice(blocks[index].at, blocks[index + 1]?.at).trimEnd();
    while (same < blocks.length && this.keep(same, blocks[same], sourceOf(same))) same++;
    this.shown.length = Math.min(this.shown.length, same);
    while (this.node.children.length > same) this.node.lastChild.remove();
    for (let index = same; index < blocks.length; index++) {
      this.node.append(renderBlock(blocks[index]));
      this.shown.push({ block: blocks[index], source: sourceOf(index) });
    }
  }

  /** Whether the node at `index` shows `block` already, or could be made to by adding to its text. */
  keep(index, block, source) {
    const before = this.shown[index];
    if (before?.block.type !== block.type) return false;
    if (block.type === "code" ? !growCode(this.node.children[index], before.block, block) : before.source !== source) return false;
    this.shown[index] = { block, source };
    return true;
  }
}

/** Code that is being written only gets longer. */
function growCode(node, before, after) {
  const had = codeText(before), has = codeText(after);
  if (before.info !== after.info || !has.startsWith(had)) return false;
  if (has.length > had.length) find("code", node).firstChild.appendData(has.slice(had.length));
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

const renderBlocks = (blocks) => blocks.map((block) => renderBlock(block));
const renderText = (text) => renderInline(parseInline(text));

function renderBlock(block) {
  switch (block.type) {
    // The page has headings of its own above those of an answer.
    case "heading": return element(`h${Math.min(block.level + 1, 6)}`, {}, renderText(block.text));
    case "rule": return element("hr");
    case "code": return renderCode(block);
    case "math": return element("pre", { class: "math", tabindex: "0" }, element("code", {}, block.text));
    case "quote": return element("blockquote", {}, renderBlocks(block.blocks));
    case "list": return renderList(block);
    case "table": return renderTable(block);
    default: return element("p", {}, renderText(block.text));
  }
}

/** Its last line ends with the code. */
const codeText = (block) => block.text.slice(0, -1);

function renderCode(block) {
  const code = element("code");
  code.append(document.createTextNode(codeText(block)));
  return element("div", { class: "code" },
    element("div", { class: "row" }, element("span", { class: "hint grow" }, block.info.split(/\s/, 1)), copyButton(() => code.textContent)),
    element("pre", { tabindex: "0" }, code));
}

function renderList(list) {
  const first = list.isOrdered && list.start !== 1 ? { start: list.start } : {};
  return element(list.isOrdered ? "ol" : "ul", first, list.items.map((item) => renderItem(item, list.isTight)));
}

function renderItem(item, isTight) {
  // In a tight list the paragraphs are bare.
  const blocks = item.blocks.flatMap((block) => (isTight && block.type === "paragraph" ? renderText(block.text) : [renderBlock(block)]));
  if (item.isDone === null) return element("li", {}, blocks);
  const box = element("input", { type: "checkbox", disabled: true, checked: item.isDone, "aria-label": say(item.isDone ? "taskDone" : "taskOpen") });
  return element("li", { class: "task" }, box, " ", blocks);
}

function renderTable({ aligns, head, rows }) {
  const align = (index) => (["center", "right"].includes(aligns[index]) ? { class: aligns[index] } : {});
  const renderRow = (cells, name) => {
    const missing = aligns.length - cells.length;
    return element("tr", {}, cells.slice(0, aligns.length).map((cell, index) => element(name, align(index), renderText(cell))),
      missing > 0 && element(name, { colspan: missing }));
  };
  return element("div", { class: "table", tabindex: "0" }, element("table", {},
    element("thead", {}, renderRow(head, "th")), element("tbody", {}, rows.map((row) => renderRow(row, "td")))));
}

/** `isInLink`: a link has no other in it, and no button. */
function renderInline(nodes, isInLink = false) {
  return nodes.map((node) => (typeof node === "string" ? node : renderNode(node, isInLink)));
}

function renderNode(node, isInLink) {
  switch (node.type) {
    case "code": return element("code", {}, node.text);
    case "math": return element("code", { class: "math" }, node.text);
    // Who writes to a chat means every end of a line.
    case "break": return element("br");
    case "picture": return isInLink ? element("span", {}, plainText(node.children)) : showPicture(node.address, plainText(node.children));
    case "link": return isInLink ? element("span", {}, renderInline(node.children, true)) : link(node.address, renderInline(node.children, true));
    default: return element(node.type, {}, renderInline(node.children, isInLink));
  }
}
