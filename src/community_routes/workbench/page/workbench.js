// The page of the workbench: reads the study and its map, puts the parts together, and asks for the first answer.

import { watchAnswer } from "./answer.js";
import { call } from "./api.js";
import { ask, gesture } from "./asking.js";
import { watchBetter } from "./better.js";
import { reachFrom, reachTool, watchCard } from "./card.js";
import { watchChanges } from "./changes.js";
import { button, byId, dialog, el, options } from "./dom.js";
import { watchMap } from "./gestures.js";
import { hover, lookAt, lookAtFigures, makeMap } from "./map.js";
import { indexPlaces } from "./places.js";
import { watchProposals } from "./proposals.js";
import { TODAY, newTab, on, state, tell } from "./state.js";
import { watchText } from "./text.js";

const TOUR = [
  "The map shows how much each neighbourhood can reach; press “Change” above it to see what a proposal would add or take away.",
  "Make a proposal with “New proposal”, press “New route”, and click its stops on the map, or write their names in its form.",
  "Every drag and every figure you alter is answered at once on the right: who gains, who loses, and what it takes.",
  "“Save” writes the proposal as a file; “Undo” takes any step back, however far."
];

async function start() {
  on("fault", (words) => notice(words, true));
  on("note", (words) => notice(words, false));
  try {
    const [study, map] = await Promise.all([patiently("study"), patiently("map")]);
    Object.assign(state, { study, map, choice: { ...study.start } });
  } catch (fault) { notice(fault.message, true); return; }
  for (const scenario of state.study.scenarios) if (scenario.given) state.tabs.push(newTab(scenario.id, scenario.text, { ...scenario, saved: scenario.text }));
  state.active = state.tabs.length ? state.tabs[0].id : TODAY;
  indexPlaces();
  heading();
  choices();
  makeMap();
  watchMap(reachFrom);
  hover();
  mapTools();
  watchAnswer();
  watchChanges();
  watchCard();
  watchText();
  watchProposals();
  watchBetter();
  tour();
  try { await ready(); } catch (fault) { notice(fault.message, true); return; }
  gesture();
  await ask();
  lookAtFigures();
  document.documentElement.dataset.ready = "yes";
}

/** Ask for what is there as soon as the study is read so far. */
async function patiently(path) {
  for (;;) {
    try {
      return await call("GET", path);
    } catch (fault) {
      if (fault.status !== 503) throw fault;
      await stage();
    }
  }
}

/** Wait until today is searched. */
async function ready() {
  while (await stage() !== "ready");
  byId("notice").hidden = true;
}

/** How far the server is, said above the desk; a moment later. */
async function stage() {
  const { state: how, stage: words, faults } = await call("GET", "state");
  if (how === "failed") throw new Error(faults.map((fault) => fault.message).join(" ") || words);
  if (how === "ready") return how;
  byId("notice").hidden = false;
  byId("notice").textContent = `One moment: ${words || "the study is being read"}.`;
  await new Promise((done) => setTimeout(done, 100));
  return how;
}

function heading() {
  const { title, invented, read_only, version, credits } = state.study;
  byId("title").textContent = title;
  document.title = `${title}: workbench`;
  const tags = [invented ? "Invented data" : "", read_only ? "Read only" : ""].filter(Boolean);
  if (tags.length) byId("title").after(el("span", { class: "tag" }, tags.join(" · ")));
  byId("help").addEventListener("click", help);
  byId("help").title = `community_routes ${version}`;
  state.credits = credits;
}

/** Something that happened, said above the desk until the next thing happens. */
function notice(words, bad) {
  const box = byId("notice");
  box.hidden = false;
  box.className = `notice${bad ? " bad" : ""}`;
  box.replaceChildren(bad ? el("strong", {}, "That did not work. ") : "", words, button("×", () => { box.hidden = true; }, { class: "icon", "aria-label": "Close this note" }));
}

// ---- what is measured ----

const CHOICES = { kind: "c-kind", measure: "c-measure", cutoff_min: "c-cutoff", reading: "c-reading", day: "c-day", window: "c-window", group: "c-group" };

function choices() {
  fillChoices();
  for (const [key, id] of Object.entries(CHOICES)) {
    byId(id).addEventListener("change", (event) => {
      const { value } = event.target;
      state.choice = { ...state.choice, [key]: value === "" ? null : key === "cutoff_min" ? Number(value) : value };
      fillChoices();
      gesture();
      if (key === "group") tell("answer"); else ask();
    });
  }
  byId("mode").addEventListener("change", (event) => { state.mode = event.target.value; tell("mode"); });
  on("tabs", () => { byId("mode").disabled = state.active === TODAY; });
}

/** Only what goes together can be chosen: the kinds of a measure, its cutoffs and readings, the windows of a day. */
function fillChoices() {
  const { study, choice } = state;
  const fit = (key, items, none = null) => {
    const select = byId(CHOICES[key]), ids = items.map((item) => item.id);
    if (!ids.includes(choice[key]) && items.length) choice[key] = ids[0];
    if (!items.length) choice[key] = null;
    options(select, items.length ? items : [{ id: "", name: none || "–" }], choice[key] ?? "");
    select.closest("label").hidden = items.length < 2 && key !== "kind" && key !== "measure";
  };
  fit("kind", study.kinds);
  const measures = study.measures.filter((one) => !one.kinds.length || one.kinds.includes(choice.kind));
  fit("measure", measures.map((one) => ({ id: one.id, name: one.label })));
  const now = measures.find((one) => one.id === choice.measure) || { cutoffs_min: [], readings: [] };
  fit("cutoff_min", now.cutoffs_min.map((n) => ({ id: n, name: `${n} minutes` })));
  fit("reading", now.readings);
  fit("day", study.days.map((day) => ({ id: day.id, name: day.name })));
  fit("window", study.windows.filter((one) => !one.days.length || one.days.includes(choice.day)).map((one) => ({ id: one.id, name: one.name })));
  fit("group", study.groups.map((one) => ({ id: one.id, name: one.label })));
}

// ---- around the map ----

function mapTools() {
  const { bounds } = state.map;
  byId("map-tools").replaceChildren(
    button("Whole area", () => lookAt([[bounds[0], bounds[1]], [bounds[2], bounds[3]]])),
    button("How far from a point", reachTool));
  byId("map").closest("section").append(el("p", { class: "credits" }, state.credits.join(" · ")));
}

function help() {
  dialog("How it works", [el("ol", { class: "tour" }, TOUR.map((words) => el("li", {}, words))),
    el("h3", {}, "Keys"), el("dl", { class: "keys" }, [["Ctrl Z, Ctrl Y", "undo, redo"], ["Ctrl S", "save"], ["Enter, Esc", "end or give up a drawing"], ["Arrow keys", "between proposals; move the map; + and − enlarge it"], ["Esc, Tab", "leave the text"]].map(([key, words]) => el("div", {}, el("dt", {}, key), el("dd", {}, words)))),
    el("p", { class: "hint" }, state.credits.join(" · "))], [{ text: "Close", strong: true }]);
}

/** Four sentences when somebody is here for the first time. */
function tour() {
  let seen = true;
  try { seen = localStorage.getItem("workbench-tour") === "seen"; localStorage.setItem("workbench-tour", "seen"); } catch { /* a browser that keeps nothing shows it each time */ seen = false; }
  if (!seen && !document.querySelector("dialog")) dialog("Draw a route, see at once who gains", el("ol", { class: "tour" }, TOUR.map((words) => el("li", {}, words))), [{ text: "Start", strong: true }]);
}

start();
