// The frame of the page: the door, the tabs, and which view is at work.

import { credentials, readPasted } from "./api.js";
import { setUpAccounts, showAccounts } from "./accounts.js";
import { restoreChat, setUpChat, startAnew } from "./chat.js";
import { setUpConnecting, showFields } from "./connect.js";
import { tell } from "./copy.js";
import { find } from "./dom.js";
import { admit, offerDemoKey } from "./door.js";
import { setUpDrawing, stopDrawing } from "./draw.js";
import { loadModels } from "./model.js";
import { OTHER_CREDENTIALS, troubleBox } from "./trouble.js";
import { setUpWatch, startWatching, stopWatching } from "./watch.js";
import { say, switchLanguage, translate } from "./words.js";

const VIEWS = ["try", "draw", "connect", "accounts", "watch"];
const places = new Map(); // view -> how far down it was read
let shown = "try";

function show(name) {
  places.set(shown, scrollY);
  shown = name;
  for (const view of VIEWS) {
    const tab = find(`#tab-${view}`);
    tab.setAttribute("aria-selected", String(view === name));
    tab.tabIndex = view === name ? 0 : -1;
    find(`#view-${view}`).hidden = view !== name;
  }
  scrollTo(0, places.get(name) ?? 0);
  work();
}

/** Let the shown view fetch what it needs, and nothing when nobody has come in yet. */
function work() {
  stopWatching();
  if (!credentials.get()) return;
  if (shown === "connect") showFields();
  if (shown === "accounts") showAccounts();
  if (shown === "watch") startWatching();
}

function setUpTabs() {
  for (const [index, view] of VIEWS.entries()) {
    const tab = find(`#tab-${view}`);
    tab.addEventListener("click", () => show(view));
    tab.addEventListener("keydown", (event) => {
      const to = { ArrowRight: index + 1, ArrowLeft: index - 1, Home: 0, End: -1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      const next = VIEWS.at(to % VIEWS.length);
      show(next);
      find(`#tab-${next}`).focus();
    });
  }
}

async function enter() {
  const isInside = credentials.get() !== "";
  find("#door").hidden = isInside;
  find("#forget").hidden = !isInside;
  find("#inside").hidden = !isInside;
  find("#door .trouble")?.remove();
  if (!isInside) return find("#use-demo, #credentials").focus();
  work();
  find("#message").focus();
  try {
    await loadModels();
  } catch (error) {
    leave();
    find("#door .row").after(troubleBox(error));
  }
}

function leave() {
  credentials.forget();
  stopWatching();
  stopDrawing();
  startAnew();
  for (const list of ["#account-list", "#conversation-list", "#plots", "#client-fields"]) find(list).replaceChildren();
  enter();
}

function setUpDoor() {
  const input = find("#credentials");
  find("#door").addEventListener("submit", async (event) => {
    event.preventDefault();
    find("#door .trouble")?.remove();
    const pasted = readPasted(input.value);
    if (!pasted || /[^\x21-\x7e]/.test(pasted)) return find("#door .row").after(troubleBox({ message: say("credentialsOdd") }));
    const button = find("#use");
    button.disabled = true;
    button.textContent = say("checking");
    try {
      const notice = await admit(pasted);
      input.value = "";
      enter();
      if (notice) tell(notice);
    } catch (error) {
      find("#door .row").after(troubleBox(error));
    }
    button.disabled = false;
    button.textContent = say("use");
  });
  find("#forget").addEventListener("click", leave);
  // The conversation stays below: whoever only renews a token wants to go on.
  document.addEventListener(OTHER_CREDENTIALS, () => {
    find("#door").hidden = false;
    scrollTo(0, 0);
    input.focus();
  });
}

translate(document);
find("#language").addEventListener("click", switchLanguage);
offerDemoKey();
setUpDoor();
setUpTabs();
setUpChat();
setUpDrawing();
setUpAccounts();
setUpConnecting();
setUpWatch();
if (credentials.get()) restoreChat();
enter();
