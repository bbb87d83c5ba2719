// Who is asked, and how: a menu of models in words, and switches for thinking and search.

import { askJson } from "./api.js";
import { element, find } from "./dom.js";
import { say } from "./words.js";

const OTHER = "";
const SWITCHED = /-(think|search)(?=-|$)/; // what the switches say instead of the name
const FIXED = /^cogview|deepresearch/; // has no switches
const ASSISTANT = /^[0-9a-f]{24}$/;

export function setUpModels() {
  fillMenu(["glm"]);
  find("#model").addEventListener("change", show);
  for (const name of ["#think", "#search"]) find(name).addEventListener("click", ({ target }) => press(target, !isPressed(target)));
}

/** Offer what the gateway knows; any other name may be typed. Raises ApiError. */
export async function loadModels() {
  const { data } = await askJson("/v1/models");
  const chosen = find("#model").value;
  fillMenu(data.map((model) => model.id).filter((id) => !SWITCHED.test(id)));
  find("#model").value = chosen;
}

/** The fields of a request that say who answers. */
export function chooseModel() {
  const name = find("#model").value || find("#assistant").value.trim() || "glm";
  if (FIXED.test(name)) return { model: name };
  const thinks = isPressed(find("#think")), searches = isPressed(find("#search"));
  if (!ASSISTANT.test(name)) return { model: `${name}${thinks ? "-think" : ""}${searches ? "-search" : ""}` };
  return { model: name, ...(thinks && { reasoning_effort: "medium" }), ...(searches && { web_search: true }) };
}

/** What is chosen, to be given to `restoreModel` later. */
export const describeModel = () => ({
  model: find("#model").value, assistant: find("#assistant").value,
  thinks: isPressed(find("#think")), searches: isPressed(find("#search")),
});

export function restoreModel({ model, assistant, thinks, searches }) {
  if (![...find("#model").options].some((option) => option.value === model)) find("#model").add(buildOption(model));
  find("#model").value = model;
  find("#assistant").value = assistant;
  press(find("#think"), thinks);
  press(find("#search"), searches);
  show();
}

function fillMenu(names) {
  find("#model").replaceChildren(...names.map(buildOption), element("option", { value: OTHER }, say("otherModel")));
}

function buildOption(name) {
  const words = say(`model_${name}`);
  return element("option", { value: name }, words === `model_${name}` ? name : words);
}

/** The field for another name, and the switches where there is something to switch. */
function show() {
  const name = find("#model").value;
  find("#assistant").hidden = name !== OTHER;
  for (const button of ["#think", "#search"]) find(button).disabled = FIXED.test(name);
}

const isPressed = (button) => button.getAttribute("aria-pressed") === "true";
const press = (button, is) => button.setAttribute("aria-pressed", String(is));
