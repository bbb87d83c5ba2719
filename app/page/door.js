// What opens a demonstration, and whether what was pasted opens anything, asked before the page is entered with it.

import { advise } from "./advice.js";
import { ApiError, askJson, credentials } from "./api.js";
import { element, find } from "./dom.js";
import { say } from "./words.js";

const MAX_CHECKED = 20; // as many as /token/check takes at a time

/** In a demonstration: the key that opens it, in the place of how to get one of one's own. */
export function offerDemoKey() {
  const door = find("#door");
  const key = door.dataset.demoKey;
  if (!key) return;
  for (const node of door.querySelectorAll("h3, ol")) node.remove();
  const use = () => {
    find("#credentials").value = key;
    door.requestSubmit();
  };
  find("#use").classList.remove("primary");
  const title = find("h2", door);
  title.textContent = say("demoTitle");
  title.after(
    element("p", {}, say("demoHint")),
    element("p", {}, element("button", { id: "use-demo", type: "button", class: "primary", onclick: use }, say("demoUse", key))));
}

/** Keep `pasted` as this tab's credentials if it opens something; else those of before, and the ApiError that says why.
 * What may be told inside is returned. */
export async function admit(pasted) {
  const before = credentials.get();
  credentials.set(pasted);
  try {
    return pasted.startsWith("glm-") ? await checkKey() : await checkTokens(pasted.split(","));
  } catch (error) {
    if (before) credentials.set(before);
    else credentials.forget();
    throw error;
  }
}

async function checkKey() {
  await askJson("/v1/models");
  return "";
}

/** One live token is enough. That the upstream cannot be asked says nothing about a token. */
async function checkTokens(tokens) {
  let answer;
  try {
    answer = await askJson("/token/check", { method: "POST", body: { token: tokens.slice(0, MAX_CHECKED).join(",") } });
  } catch (error) {
    if (error.code !== "account_blocked" && (error.status >= 500 || error.code === "upstream_throttled")) return advise(error.code);
    throw error;
  }
  const dead = (answer.tokens ?? [answer]).flatMap((token, index) => (token.live ? [] : [`#${index + 1}`]));
  if (dead.length === (answer.tokens ?? [answer]).length) throw new ApiError("account_expired", say("dead"));
  return dead.length ? say("someDead", dead.join(say("comma"))) : "";
}
