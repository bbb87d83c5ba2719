// Runs one comparison and writes what came of it as JSON: node check.mjs PAGE COMMAND [ARGUMENT...], where PAGE is a
// directory with the page's modules, as ES modules.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import spec from "commonmark-spec";
import { generate } from "./generate.mjs";
import { createOurs, createReference } from "./html.mjs";

const [page, command, ...given] = process.argv.slice(2);
const { GrowingBlocks, parseBlocks } = await import(pathToFileURL(`${page}/blocks.js`));
const { parseInline, plainText } = await import(pathToFileURL(`${page}/inline.js`));
const showOurs = createOurs({ parseBlocks, parseInline, plainText });
const showReference = createReference();

const STEP = 20;

/** Texts of standard input, a JSON list, as HTML, with bare links marked. */
function render() {
  const show = createOurs({ parseBlocks, parseInline, plainText }, (address) => `<bare>${address}</bare>`);
  return JSON.parse(readFileSync(0, "utf8")).map((text) => show(text));
}

/** The numbers of CommonMark's examples, and of those that are read otherwise than by markdown-it. */
function examples() {
  const numbers = spec.tests.map((example) => example.number);
  const differ = spec.tests.filter(({ markdown }) => isOther(markdown.replaceAll("→", "\t"))).map((example) => example.number);
  return { numbers, differ };
}

/** The generated documents, by numbers, that are read otherwise than by markdown-it. */
function generated(from, to) {
  return numbers(from, to).map(generate).filter(isOther);
}

/** Those that, growing by a character at a time, are read otherwise than at once. */
function growing(from, to) {
  return numbers(from, to).map((number) => vary(generate(number), number)).filter((text) => {
    const blocks = new GrowingBlocks();
    for (let end = 1; end <= text.length; end++) {
      blocks.show(text.slice(0, end));
      if (describe(blocks.blocks) !== describe(parseBlocks(text.slice(0, end)))) return true;
    }
    return false;
  });
}

/** The other ends of lines, and mathematics. */
function vary(text, number) {
  const ended = number % 2 ? text.replaceAll("\n", number % 3 ? "\r\n" : "\r") : text;
  return number % 5 ? ended : ended.replace("a", "\\[").replace("b", "\\]").replace("1", "$$").replace("1", "$$");
}

/** Milliseconds of CPU to read each text of standard input, a JSON list of lists: the best of three, where they are short. */
function time() {
  return JSON.parse(readFileSync(0, "utf8")).map((texts) => texts.map((text) => {
    const times = [measure(text)];
    while (times.length < 3 && times[0] < 1000) times.push(measure(text));
    return Math.min(...times);
  }));
}

/** The same for texts that grow, a few characters at a time. */
function growth() {
  return JSON.parse(readFileSync(0, "utf8")).map((texts) => texts.map((text) => measure(text, (whole) => {
    const blocks = new GrowingBlocks();
    for (let end = STEP; end <= whole.length; end += STEP) blocks.show(whole.slice(0, end));
  })));
}

function measure(text, read = readWhole) {
  const begun = process.cpuUsage();
  read(text);
  const { user, system } = process.cpuUsage(begun);
  return (user + system) / 1000;
}

function readWhole(text) {
  for (const block of parseBlocks(text)) readText(block);
}

function readText({ type, text, blocks, items, head, rows }) {
  if (type === "paragraph" || type === "heading") parseInline(text);
  for (const block of blocks ?? items ?? []) readText(block);
  for (const cell of [...(head ?? []), ...(rows ?? []).flat()]) parseInline(cell);
}

/** Blocks without the numbers of their lines, which are counted from where the reading began. */
const describe = (blocks) => JSON.stringify(blocks, (key, value) => (key === "from" || key === "to" ? undefined : value));
const isOther = (text) => showOurs(text) !== showReference(text);
const numbers = (from, to) => Array.from({ length: to - from }, (_, index) => Number(from) + index);

const result = { render, examples, generated, growing, time, growth }[command](...given);
process.stdout.write(JSON.stringify(result));
