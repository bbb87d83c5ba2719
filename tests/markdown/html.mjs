// What both parsers make of a text, as HTML that can be compared.

import MarkdownIt from "markdown-it";

const BLOCK_TAG = /\s*(<\/?(?:p|ul|ol|li|blockquote|h[1-6]|hr|pre|table|thead|tbody|tr|th|td)\b[^>]*>)\s*/g;

/** markdown-it without what the page leaves out: HTML, links by reference, titles. */
export function createReference() {
  const reference = new MarkdownIt({ html: false, linkify: false }).disable("reference");
  reference.validateLink = () => true;
  reference.normalizeLink = reference.normalizeLinkText = (address) => address;
  const leaveOutTitles = ({ tokens }) => tokens.forEach(function clear(token) {
    token.attrs = token.attrs?.filter(([name]) => name !== "title") ?? null;
    token.children?.forEach(clear);
  });
  reference.core.ruler.push("leave_out_titles", leaveOutTitles);
  return (text) => tidy(reference.render(text));
}

/** The page's parser, its tree written as HTML; `writeBare` writes a link that stands for itself. */
export function createOurs({ parseBlocks, parseInline, plainText }, writeBare = escape) {
  const blocks = (list) => list.map(block).join("");
  const text = (words) => inline(parseInline(words));
  return (markdown) => tidy(blocks(parseBlocks(markdown)));

  function block(node) {
    switch (node.type) {
      case "paragraph": return `<p>${text(node.text)}</p>`;
      case "heading": return `<h${node.level}>${text(node.text)}</h${node.level}>`;
      case "rule": return "<hr>";
      case "code": return `<pre><code${node.info ? ` class="language-${escape(node.info.split(/\s/, 1)[0])}"` : ""}>${escape(node.text)}</code></pre>`;
      case "math": return `<math>${escape(node.text)}</math>`;
      case "quote": return `<blockquote>${blocks(node.blocks)}</blockquote>`;
      case "list": return list(node);
      case "table": return table(node);
      default: throw new Error(`nobody knows ${node.type}`);
    }
  }

  function list({ isOrdered, start, isTight, items }) {
    const name = isOrdered ? "ol" : "ul";
    const one = ({ isDone, blocks: inner }) => {
      const box = isDone === null ? "" : isDone ? "[x] " : "[ ] ";
      return `<li>${inner.map((node, index) => {
        const words = index === 0 && box ? box + text(node.text) : null;
        if (node.type !== "paragraph") return block(node);
        return isTight ? words ?? text(node.text) : `<p>${words ?? text(node.text)}</p>`;
      }).join("")}</li>`;
    };
    return `<${name}${isOrdered && start !== 1 ? ` start="${start}"` : ""}>${items.map(one).join("")}</${name}>`;
  }

  function table({ aligns, head, rows }) {
    const row = (name, cells) => `<tr>${aligns.map((align, index) =>
      `<${name}${align ? ` style="text-align:${align}"` : ""}>${text(cells[index] ?? "")}</${name}>`).join("")}</tr>`;
    const body = rows.length ? `<tbody>${rows.map((cells) => row("td", cells)).join("")}</tbody>` : "";
    return `<table><thead>${row("th", head)}</thead>${body}</table>`;
  }

  function inline(nodes) {
    return nodes.map((node) => (typeof node === "string" ? escape(node) : mark(node))).join("");
  }

  function mark(node) {
    const name = node.type === "del" ? "s" : node.type;
    switch (node.type) {
      case "strong": case "em": case "del": return `<${name}>${inline(node.children)}</${name}>`;
      case "code": return `<code>${escape(node.text)}</code>`;
      case "math": return `<math>${escape(node.text)}</math>`;
      case "break": return node.isHard ? "<br>\n" : "\n";
      case "link": return node.isBare ? writeBare(node.address) : `<a href="${escape(node.address)}">${inline(node.children)}</a>`;
      case "picture": return `<img src="${escape(node.address)}" alt="${escape(plainText(node.children))}">`;
      default: throw new Error(`nobody knows ${node.type}`);
    }
  }
}

// markdown-it keeps the indentation of lines inside a span of code, CommonMark's own programs do not.
const CODE_SPAN = /(?<!<pre>)<code>[^<]*|(?<=alt=")[^"]*/g;
const tidy = (html) => html.replace(BLOCK_TAG, "$1").replace(CODE_SPAN, (code) => code.replace(/ +/g, " ").replace(/> | $/g, (end) => end.trim())).trim();
const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

function escape(text) {
  return text.replace(/[&<>"]/g, (character) => ENTITIES[character]);
}
