// The rows of a table in Markdown.

/** The cells of a row, with or without pipes around it; `\|` is a pipe inside a cell. */
export function splitRow(text) {
  const row = text.trim();
  const cells = [];
  let cell = "", from = row.startsWith("|") ? 1 : 0;
  for (let place = row.indexOf("|", from); place >= 0; place = row.indexOf("|", place + 1)) {
    if (row[place - 1] === "\\") {
      cell += row.slice(from, place - 1);
      from = place;
    } else {
      cells.push((cell + row.slice(from, place)).trim());
      cell = "";
      from = place + 1;
    }
  }
  if (cell || from < row.length) cells.push((cell + row.slice(from)).trim());
  return cells;
}

/** How the columns are aligned, by the row below the head ("left", "center", "right", ""), or null if it is none. */
export function readAligns(text) {
  if (!/^[-:|\s]+$/.test(text)) return null;
  const cells = splitRow(text);
  if (!cells.length || !cells.every((cell) => /^:?-+:?$/.test(cell))) return null;
  return cells.map((cell) => (cell.endsWith(":") ? (cell.startsWith(":") ? "center" : "right") : cell.startsWith(":") ? "left" : ""));
}
