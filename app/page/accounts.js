// How the caller's accounts are, and which conversations are still kept on them.

import { nameError } from "./advice.js";
import { ask, askJson, credentials } from "./api.js";
import { tell } from "./copy.js";
import { element, find } from "./dom.js";
import { troubleBox } from "./trouble.js";
import { say, sayTime } from "./words.js";

export function setUpAccounts() {
  find("#refresh").addEventListener("click", showAccounts);
  find("#check").addEventListener("click", check);
}

export async function showAccounts() {
  await Promise.all([
    fill("#account-list", "/v1/accounts", accountCard),
    fill("#conversation-list", "/v1/conversations", conversationCard, say("noConversations")),
  ]);
}

async function fill(selector, path, build, empty = "") {
  const list = find(selector);
  try {
    const { data } = await askJson(path);
    list.replaceChildren(...(data.length ? data.map(build) : [element("p", { class: "hint wide" }, empty)]));
  } catch (error) {
    list.replaceChildren(troubleBox(error, showAccounts));
  }
}

/** `index` is its place among the tokens, as the caller lists them. */
function accountCard(account, index) {
  return element("div", { class: "card", "data-label": account.label, "data-state": account.state },
    element("div", { class: "row" }, element("strong", {}, `#${index + 1}`), element("code", {}, account.label), badge(account.state)),
    element("dl", {},
      element("dt", {}, say("replies")), element("dd", {}, account.replies),
      account.points !== undefined && [element("dt", {}, say("points")), element("dd", { class: account.points > 0 ? "" : "bad" }, account.points)],
      account.is_blocked && [element("dt", {}, say("standing")), element("dd", { class: "bad" }, say("state_blocked"))],
      account.cooling_until && [element("dt", {}, say("coolingUntil")), element("dd", {}, sayTime(account.cooling_until))],
      element("dt", {}, say("lastError")), element("dd", {}, nameError(account.last_error))),
    element("p", { class: "hint verdict" }));
}

function badge(state) {
  const isBad = ["expired", "blocked", "cooling"].includes(state);
  return element("span", { class: `badge ${isBad ? "bad" : "good"}` }, say(`state_${state}`));
}

function conversationCard(conversation) {
  const remove = async (event) => {
    event.target.disabled = true;
    try {
      await ask(`/v1/conversations/${encodeURIComponent(conversation.id)}`, { method: "DELETE" });
      tell(say("deleted"));
      await showAccounts();
      (find("#conversation-list button") ?? find("#refresh")).focus();
    } catch (error) {
      event.target.closest(".item").append(troubleBox(error));
    }
  };
  return element("div", { class: "card item" },
    element("code", {}, conversation.id),
    element("span", { class: "hint grow" }, say("keptUntil", sayTime(conversation.last_used), sayTime(conversation.expires))),
    element("button", { type: "button", class: "small", "aria-label": `${say("delete")} ${conversation.id}`, onclick: remove }, say("delete")));
}

/** What the upstream says of a token goes before what the gateway knew of its account. */
function showVerdict(card, isLive) {
  const verdict = find(".verdict", card);
  verdict.textContent = say(isLive ? "live" : "dead");
  verdict.classList.add(isLive ? "good" : "bad");
  const { state } = card.dataset;
  if (!isLive) find(".badge", card).replaceWith(badge("expired"));
  else if (["unknown", "expired"].includes(state)) find(".badge", card).replaceWith(badge("ready"));
}

/** Ask the upstream about the tokens. One token gets one answer, several get one each, by label. */
async function check() {
  if (credentials.get().startsWith("glm-")) return tell(say("cannotCheck"));
  const button = find("#check");
  button.disabled = true;
  button.textContent = say("checking");
  await showAccounts();
  try {
    const answer = await askJson("/token/check?fresh=1", { method: "POST", body: { token: credentials.get() } });
    const cards = [...document.querySelectorAll("#account-list .card")];
    const lives = new Map((answer.tokens ?? []).map((token) => [token.label, token.live]));
    for (const card of cards) {
      showVerdict(card, lives.get(card.dataset.label) ?? answer.live);
    }
    tell(say("checked"), false);
  } catch (error) {
    find("#account-list").append(troubleBox(error, check));
  }
  button.disabled = false;
  button.textContent = say("check");
}
