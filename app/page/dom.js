// Building DOM nodes. Text only ever becomes text: nothing in this page parses markup.

const SVG = "http://www.w3.org/2000/svg";

/** An element. `properties` are set as attributes, functions as listeners (`onclick`); children are nodes or text. */
export function element(name, properties = {}, ...children) {
  return fill(document.createElement(name), properties, children);
}

/** The same for SVG. */
export function svg(name, properties = {}, ...children) {
  return fill(document.createElementNS(SVG, name), properties, children);
}

/** The one element that `selector` names. */
export function find(selector, root = document) {
  return root.querySelector(selector);
}

/** Of two buttons the one; whoever was on the other finds the focus on it. */
export function showOne(shown, hidden) {
  const hadFocus = document.activeElement === find(hidden);
  find(shown).hidden = false;
  find(hidden).hidden = true;
  if (hadFocus) find(shown).focus();
}

function fill(node, properties, children) {
  for (const [key, value] of Object.entries(properties)) {
    if (typeof value === "function") node.addEventListener(key.slice(2), value);
    else if (value === true) node.setAttribute(key, "");
    else if (value !== false && value != null) node.setAttribute(key, value);
  }
  // One by one: a hostile text makes more of them than a call takes arguments.
  for (const child of children.flat()) if (child != null && child !== false) node.append(child);
  return node;
}
