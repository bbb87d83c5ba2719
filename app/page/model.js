// Who is asked, and how: a menu of models in words, and switches for thinking and search.

import { askJson } from "./api.js";
import { element, find } from "./dom.js";
import { say } from "./words.js";

const OTHER = "";
const SWITCHED = /-(think|search)(?=-|$)/; // what the switches say instead of the name
const FIXED = /^cogview|deepresearch/; // has no switches
const ASSISTANT = /(^|-)[0-9a-f]{24}$/; // an id, maybe behind its name

export function setUpModels() {
  fillMenu([{ id: "glm" }]);
  find("#model").addEventListener("change", show);
  for (const name of ["#think", "#search"]) find(name).addEventListener("click", ({ target }) => press(target, !isPressed(target)));
}

/** Offer what the gateway knows; any other name may be typed. Raises ApiError. */
export async function loadModels() {
  const { data } = await askJson("/v1/models");
  const chosen = find("#model").selectedOptions[0];
  fillMenu(data.filter(({ id }) => ASSISTANT.test(id) || !SWITCHED.test(id)));
  choose(chosen);
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
  choose(buildOption({ id: model }));
  find("#assistant").value = assistant;
  press(find("#think"), thinks);
  press(find("#search"), searches);
  show();
}

function fillMenu(models) {
  find("#model").replaceChildren(...models.map(buildOption), element("option", { value: OTHER }, say("otherModel")));
}

/** Also what the menu does not offer: an assistant's list may come late. */
function choose(option) {
  if (![...find("#model").options].some(({ value }) => value === option.value)) find("#model").add(option);
  find("#model").value = option.value;
}

/** `display_name` is what its maker calls an assistant. */
function buildOption({ id, display_name: label = id }) {
  const words = say(`model_${id}`);
  return element("option", { value: id }, words === `model_${id}` ? label : words);
}

/** The field for another name, and the switches where there is something to switch. */
function show() {
  const name = find("#model").value;
  find("#assistant").hidden = name !== OTHER;
  for (const button of ["#think", "#search"]) find(button).disabled = FIXED.test(name);
}

const isPressed = (button) => button.getAttribute("aria-pressed") === "true";
const press = (button, is) => button.setAttribute("aria-pressed", String(is));
