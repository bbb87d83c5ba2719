// Copying, and the short messages that tell of it.

import { element, find } from "./dom.js";
import { say } from "./words.js";

/** Tell something in passing, to screen readers and, where it cannot be seen anyway, on the screen. */
export function tell(words, isShown = true) {
  const status = find("#status");
  status.textContent = words;
  status.classList.toggle("shown", isShown);
  setTimeout(() => status.classList.remove("shown"), 2500);
}

/** A button that copies what `read` gives at that moment; `name` says more than `label` to who cannot see what is beside it. */
export function copyButton(read, label = say("copy"), name = null) {
  return element("button", { type: "button", class: "small", "aria-label": name, onclick: () => copy(read()) }, label);
}

async function copy(text) {
  // Without TLS, and not on localhost, browsers offer no clipboard; then an old command must do.
  if (navigator.clipboard) await navigator.clipboard.writeText(text);
  else {
    const area = element("textarea", { readonly: true });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  tell(say("copied"));
}
