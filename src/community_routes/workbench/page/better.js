// Better headways: a form, a search that is followed as a report is, and what it found as a new tab beside the others.

import { post } from "./api.js";
import { byId, dialog, el, field } from "./dom.js";
import { routeText } from "./places.js";
import { followed, openText } from "./proposals.js";
import { nameOf, state, tell } from "./state.js";

export function watchBetter() {
  byId("better").addEventListener("click", () => findBetter());
}

/** A route as it is written between commas: its name where that is clear, else its id. */
function written(route) {
  const text = routeText(route);
  return typeof text === "string" && !text.includes(",") ? text : route.id;
}

/** The route that is chosen, else those that the proposal changes. */
function meant() {
  const changed = ((state.answer && state.answer.changes) || []).flatMap((change) => change.routes || []);
  const ids = state.selected && state.selected.route ? [state.selected.route] : changed;
  return state.map.routes.filter((route) => ids.includes(route.id)).map(written);
}

export function findBetter() {
  const { study, choice } = state;
  const routes = el("input", { type: "text", value: meant().join(", "), autocomplete: "off" });
  const hours = el("input", { type: "number", value: "0", min: 0, step: "any", inputMode: "decimal" });
  const minutes = el("input", { type: "number", value: "2", min: 0.1, max: 60, step: "any", inputMode: "decimal" });
  const box = dialog("Find better headways", [
    el("p", {}, `Looks for the headways of today's routes that give ${nameOf(study.groups.map(({ id, label }) => ({ id, name: label })), choice.group)} most: ${nameOf(study.kinds, choice.kind)}, ${nameOf(study.days, choice.day)}, ${nameOf(study.windows, choice.window)}, as chosen above the map.`),
    field("Routes", routes, "with commas; empty: all near the neighbourhoods"), field("Bus-hours a year", hours, "0 moves service about and adds none"), field("Minutes at most", minutes)],
  [{ text: "Find them", strong: true, does: () => { run(routes.value, hours.value, minutes.value); } }, { text: "Cancel" }]);
  for (const input of [routes, hours, minutes]) input.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); box.querySelector("button.strong").click(); } });
  routes.select();
}

async function run(routes, hours, minutes) {
  const title = "Better headways", names = routes.split(",").map((name) => name.trim()).filter(Boolean);
  try {
    const { job } = await post("better", { routes: names, bus_hours: Number(hours), minutes: Number(minutes), choice: state.choice });
    const { now, box, words } = await followed(title, job, "search");
    if (now.state !== "done") return;
    if (!now.text) {
      words.textContent = "Nothing that it tried makes it better than today. Name other routes, or more bus-hours.";
      if (!box.isConnected) tell("note", words.textContent);
      return;
    }
    box.close();
    await openText(now.text, title);
    tell("note", el("span", {}, "The best headways found stand in a new tab. ", el("a", { href: now.url, target: "_blank", rel: "noopener" }, "How they were found")));
  } catch (fault) { tell("fault", fault.message); }
}
