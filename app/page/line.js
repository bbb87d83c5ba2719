// One line of Markdown, read from its beginning. A tab is as many columns as lead to the next stop of four, and a
// list may take only some of them.

export class Line {
  constructor(text) {
    this.text = text;
    this.place = 0;
    this.column = 0;
    this.owed = 0; // columns of a tab before `place` that nobody has taken
    this.look();
  }

  /** Find the next character that is no white space: `next` is its place, `indent` the columns before it. */
  look() {
    let next = this.place, column = this.column;
    for (; next < this.text.length; next++) {
      if (this.text[next] === "\t") column += 4 - (column % 4);
      else if (this.text[next] === " ") column++;
      else break;
    }
    this.next = next;
    this.indent = this.owed + column - this.column;
    this.isBlank = next === this.text.length;
  }

  /** Go over white space of `columns`, or as much as there is. */
  skip(columns) {
    const owed = Math.min(columns, this.owed);
    this.owed -= owed;
    for (let left = columns - owed; left > 0 && this.place < this.next; this.place++) {
      const width = this.text[this.place] === "\t" ? 4 - (this.column % 4) : 1;
      this.column += width;
      this.owed = Math.max(0, width - left);
      left -= width;
    }
    this.look();
  }

  /** Go to the next character that is no white space and over `count` characters. */
  take(count) {
    this.skip(this.indent);
    this.place += count;
    this.column += count;
    this.look();
  }

  /** What `pattern`, which is sticky, finds at the next character that is no white space. */
  match(pattern) {
    pattern.lastIndex = this.next;
    return pattern.exec(this.text);
  }

  /** The rest with its white space. */
  rest() {
    return " ".repeat(this.owed) + this.text.slice(this.place);
  }

  /** The rest without the white space before it. */
  words() {
    return this.text.slice(this.next);
  }

  isBlankFrom(place) {
    return !this.text.slice(place).trim();
  }

  /** Whether it is three or more of the same mark, with white space at most between them. */
  isRule() {
    const mark = this.text[this.next];
    if (mark !== "*" && mark !== "-" && mark !== "_") return false;
    let count = 0;
    for (let place = this.next; place < this.text.length; place++) {
      if (this.text[place] === mark) count++;
      else if (this.text[place] !== " " && this.text[place] !== "\t") return false;
    }
    return count > 2;
  }

  /** Whether it is nothing but at least as many of a fence's characters as `mark` has. */
  isFenceEnd(mark) {
    let end = this.next;
    while (this.text[end] === mark[0]) end++;
    return end - this.next >= mark.length && this.isBlankFrom(end);
  }
}
