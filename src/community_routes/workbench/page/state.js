// What is on the desk: the study, the proposals as texts with their past, what is chosen, and the last answer.

export const TODAY = "today";

export const state = {
  study: null,
  map: null,
  tabs: [],
  active: TODAY,
  choice: {},
  mode: "change",
  answer: null,
  selected: null,
  change: null,
  tool: null
};

const listeners = new Map();

/** `heard` is called after each of the events: tabs, text, answer, choice, mode, selected, change, tool, busy, fault. */
export function on(events, heard) {
  for (const event of events.split(" ")) listeners.set(event, [...(listeners.get(event) || []), heard]);
}

export function tell(event, detail) {
  for (const heard of listeners.get(event) || []) heard(detail);
}

/** A proposal: its text now, the texts before and after it, and what the disk holds. */
export function newTab(id, text, { title = id, file = null, sha256 = null, saved = null } = {}) {
  return { id, title, text, past: [], future: [], file, sha256, saved };
}

export const tabOf = (id) => state.tabs.find((tab) => tab.id === id) || null;
export const activeTab = () => tabOf(state.active);
export const isDirty = (tab) => tab.saved !== tab.text;

/** What a text is built on: the id of another scenario, or "". */
export function baseOf(text) {
  const found = text.match(/^base:[ \t]*["']?([^\s"'#]+)/m);
  return found ? found[1] : "";
}

/** The change in whose lines a fault stands, or null: it stands in the head, or nowhere. */
export function changeOf(fault) {
  const before = ((state.answer && state.answer.changes) || []).filter((change) => fault.line && change.line && change.line <= fault.line);
  return before.length ? before.at(-1).index : null;
}

/** What every question carries: all texts (a proposal may stand on another), which is meant, and what is asked. */
export function question(scenario = state.active) {
  const files = {};
  for (const tab of state.tabs) files[tab.id] = tab.text;
  return { files, scenario, choice: state.choice };
}

/** A new text of a proposal; the one before can be had back. */
export function commit(tab, text) {
  if (text === tab.text) return;
  tab.past.push(tab.text);
  tab.future = [];
  tab.text = text;
  tell("text", tab);
}

export function undo(tab) {
  if (!tab || !tab.past.length) return false;
  tab.future.push(tab.text);
  tab.text = tab.past.pop();
  tell("text", tab);
  return true;
}

export function redo(tab) {
  if (!tab || !tab.future.length) return false;
  tab.past.push(tab.text);
  tab.text = tab.future.pop();
  tell("text", tab);
  return true;
}

export function choose(selected) {
  state.selected = selected;
  tell("selected");
}

export function chooseChange(index) {
  state.change = index;
  tell("change");
}

/** The measure that is chosen, as it is known for the kind of place that is chosen. */
export function measure() {
  const same = state.study.measures.filter((item) => item.id === state.choice.measure);
  return same.find((item) => !item.kinds.length || item.kinds.includes(state.choice.kind)) || same[0] || state.study.measures[0];
}

/** A figure as people are shown it: a share as per cent, seconds as minutes. */
export function inUnit(value, unit = (state.answer || {}).unit) {
  return value === null || value === undefined ? null : value * (unit ? unit.factor : 1);
}

export const nameOf = (list, id) => (list.find((item) => item.id === id) || { name: id }).name;
