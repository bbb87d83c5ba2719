// Documents that nobody wrote: pieces of Markdown in any order, the same for the same number. Not made is what
// markdown-it is known to read otherwise than CommonMark's own programs do: lines indented by four columns that lazily go
// on with a paragraph, tabs, and a table whose head is in a quote and whose second line is not. Nor is mathematics.

const MARKS = ["*", "**", "***", "_", "__", "~~", "`", "``", "[", "](", "](a.b/c)", "![", "](<x y>)", ")", "\\", "\\*", "\\`", "&amp;", "<", "<http://a.b>", ">"];
const WORDS = ["a", "b", "word", " ", " ", "  ", ".", ",", "(", "\"t\"", "'", "é", "😀", "x_y", "1", "!"];
const STARTS = ["", "", "> ", ">", "- ", "* ", "+ ", "1. ", "2. ", "10) ", " ", "# ", "## ", "-\n", "- - ", "> > "];
const LINES = ["---", "===", "***", "```", "````", "~~~", "``` js", "#", "-", "> ", "", "", "a"];
const TABLES = ["| a | b |\n|---|:-:|\n| 1 | `2` |", "a | b\n:-- | --:\n1 | *2*\n3", "| a\\|b | c |\n|-|-|\n| `\\|` |", "|x|\n|-|", "a | b\n---"];

/** The document with the number `seed`. */
export function generate(seed) {
  const random = createRandom(seed);
  const pick = (list) => list[Math.floor(random() * list.length)];
  const some = (most, make) => Array.from({ length: 1 + Math.floor(random() * most) }, make);
  const words = () => some(8, () => pick(random() < 0.5 ? MARKS : WORDS)).join("").replace(/~{3,}/g, "~~");
  const text = () => (random() < 0.35 ? pick(LINES) : words()).trimStart();
  const marker = pick([["- ", "* "], ["+ "], ["1. ", "2. "]]);
  const indented = () => " ".repeat(marker[0].length).repeat(Math.floor(random() * 4)) + pick(["", ...marker]) + text().trim().replace(/^[>#=+-]+/, "");
  const marked = () => some(2, () => pick(STARTS)).join("") + text();
  const line = seed % 3 ? marked : indented;
  const lines = some(8, () => (random() < 0.05 ? pick(TABLES) : line()));
  return `${lines.join("\n").replace(/\\+(?=[[(])/g, "")}\n`;
}

/** Numbers from 0 to 1 that follow from `seed` (a linear congruential generator, modulo 2^32). */
function createRandom(seed) {
  let state = (seed * 2654435761) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
