// The frame of the page: the door, the tabs, and which view is at work.

import { credentials } from "./api.js";
import { setUpAccounts, showAccounts } from "./accounts.js";
import { loadModels, setUpChat, startAnew } from "./chat.js";
import { find } from "./dom.js";
import { setUpDrawing } from "./draw.js";
import { troubleBox } from "./trouble.js";
import { startWatching, stopWatching } from "./watch.js";
import { translate } from "./words.js";

const VIEWS = ["try", "draw", "accounts", "watch"];
let shown = "try";

function show(name) {
  shown = name;
  for (const view of VIEWS) {
    const tab = find(`#tab-${view}`);
    tab.setAttribute("aria-selected", String(view === name));
    tab.tabIndex = view === name ? 0 : -1;
    find(`#view-${view}`).hidden = view !== name;
  }
  work();
}

/** Let the shown view fetch what it needs, and nothing when nobody has come in yet. */
function work() {
  stopWatching();
  if (!credentials.get()) return;
  if (shown === "accounts") showAccounts();
  if (shown === "watch") startWatching();
}

function setUpTabs() {
  for (const [index, view] of VIEWS.entries()) {
    const tab = find(`#tab-${view}`);
    tab.addEventListener("click", () => show(view));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = VIEWS[(index + step + VIEWS.length) % VIEWS.length];
      show(next);
      find(`#tab-${next}`).focus();
    });
  }
}

async function enter() {
  const isInside = credentials.get() !== "";
  find("#door").hidden = isInside;
  find("#inside").hidden = !isInside;
  find("#content").hidden = !isInside;
  find("#door .trouble")?.remove();
  if (!isInside) return find("#credentials").focus();
  work();
  try {
    await loadModels();
    find("#message").focus();
  } catch (error) {
    leave();
    find("#door").append(troubleBox(error));
  }
}

function leave() {
  credentials.forget();
  stopWatching();
  startAnew();
  for (const list of ["#account-list", "#conversation-list", "#plots", "#pictures"]) find(list).replaceChildren();
  enter();
}

function setUpDoor() {
  const input = find("#credentials");
  find("#door").addEventListener("submit", (event) => {
    event.preventDefault();
    credentials.set(input.value);
    input.value = "";
    enter();
  });
  find("#forget").addEventListener("click", leave);
}

translate(document);
setUpDoor();
setUpTabs();
setUpChat();
setUpDrawing();
setUpAccounts();
enter();
