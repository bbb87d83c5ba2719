// Files the person adds to the next message; they travel as data: URLs inside it.

import { tell } from "./copy.js";
import { element, find } from "./dom.js";
import { say } from "./words.js";

const MOST_BYTES = 20 * 1024 * 1024;
let attached = [];

export function setUpAttachments() {
  const input = find("#files");
  find("#attach").addEventListener("click", () => input.click());
  input.addEventListener("change", () => { add(input.files); input.value = ""; });
  const composer = find("#composer");
  composer.addEventListener("paste", (event) => add(event.clipboardData.files));
  composer.addEventListener("dragover", (event) => event.preventDefault());
  composer.addEventListener("drop", (event) => { event.preventDefault(); add(event.dataTransfer.files); });
}

/** What is attached, which is then no longer: [{name, part}] with part as the API takes it. */
export async function takeAttachments() {
  const files = attached;
  attached = [];
  list();
  const taken = await Promise.all(files.map(take));
  return taken.filter(Boolean);
}

/** One file, or nothing where it has gone from the disk meanwhile. */
async function take(file) {
  try {
    return { name: file.name, part: buildPart(file, await readDataUrl(file)) };
  } catch {
    return tell(say("unreadable", file.name));
  }
}

export const hasAttachments = () => attached.length > 0;

function add(files) {
  for (const file of files) {
    if (file.size > MOST_BYTES) tell(say("tooLarge", file.name));
    else attached.push(file);
  }
  list();
}

function list() {
  const remove = (file) => { attached = attached.filter((other) => other !== file); list(); find("#message").focus(); };
  find("#attachments").replaceChildren(...attached.map((file) => element("li", {}, file.name,
    element("button", { type: "button", "aria-label": say("remove", file.name), onclick: () => remove(file) }, "×"))));
}

function buildPart(file, url) {
  if (file.type.startsWith("image/")) return { type: "image_url", image_url: { url } };
  return { type: "file", file: { filename: file.name, file_data: url } };
}

function readDataUrl(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}
