// Staying at the end of a conversation, and getting there.

import { find } from "./dom.js";

const NEAR_PIXELS = 120, FAR_PIXELS = 400;

export function setUpScrolling() {
  const button = find("#to-end");
  button.addEventListener("click", () => { scrollTo(0, document.documentElement.scrollHeight); find("#message").focus(); });
  const look = () => { button.hidden = countBelow() < FAR_PIXELS; };
  addEventListener("scroll", look, { passive: true });
  new ResizeObserver(look).observe(find("#turns"));
}

/** Change what is shown, and stay at its end if the person was there. */
export function follow(change) {
  const isAtEnd = !find("#view-try").hidden && countBelow() < NEAR_PIXELS;
  change();
  if (isAtEnd) scrollTo(0, document.documentElement.scrollHeight);
}

/** Pixels below the window. */
const countBelow = () => document.documentElement.scrollHeight - innerHeight - scrollY;
