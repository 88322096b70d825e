// Edits and answers. An edit is a new text, made by the server in turn; an answer is a function of the texts, so one that is
// overtaken is thrown away. While the pointer drags, one question is under way at most, and the newest waits.

import { Refused, post } from "./api.js";
import { TODAY, activeTab, baseOf, commit, question, state, tell } from "./state.js";

let turn = Promise.resolve();
let underWay = null;
let asked = 0;
let editing = 0;
let waiting = null;
let dragging = false;
let since = null;

/** Where the clock of "from the release of the pointer to the new numbers" starts. */
export function gesture() {
  since = performance.now();
}

/** Change the text of the proposal on the screen, then ask again. The list shows it at once; the answer is on its way. */
export function edit(wanted) {
  if (since === null) gesture();
  const tab = activeTab();
  if (!tab) return Promise.resolve(false);
  overtake();
  editing += 1;
  tell("busy", true);
  foresee(wanted);
  turn = turn.then(() => made(tab, wanted));
  return turn.then((done) => {
    editing -= 1;
    if (!editing) ask();
    return done;
  });
}

async function made(tab, wanted) {
  try {
    const answer = await post("edit", { text: tab.text, edit: wanted });
    if (answer.faults.length) {
      tell("fault", answer.faults.map((fault) => fault.message).join(" "));
      return false;
    }
    commit(tab, answer.text);
    return true;
  } catch (fault) {
    tell("fault", fault.message);
    return false;
  }
}

/** The list of changes as it will be, so that the next gesture stands on this one. */
function foresee({ op, index, to, change }) {
  const answer = state.answer ||= { changes: [], scenario: state.active };
  const changes = [...(answer.changes || [])];
  const [kind, fields] = change ? Object.entries(change)[0] : [];
  const blank = { effects: [], warnings: [], lines: [], stops: [], points: [], sentence: "" };
  if (op === "add") changes.push({ ...blank, kind, fields });
  else if (op === "set") changes[index] = { ...changes[index], kind, fields };
  else if (op === "remove") changes.splice(index, 1);
  else if (op === "move") changes.splice(to, 0, ...changes.splice(index, 1));
  else if (op === "off" || op === "on") changes[index] = { ...changes[index], off: op === "off" };
  answer.changes = changes.map((one, i) => ({ ...one, index: i }));
  tell("changes");
}

export const setChange = (index, kind, fields) => edit({ op: "set", index, change: { [kind]: fields } });

/** Add a change at the end and choose it. */
export function addChange(kind, fields) {
  const done = edit({ op: "add", change: { [kind]: fields } });
  state.change = state.answer.changes.length - 1;
  tell("change");
  return done;
}

/** A text typed by hand. */
export function typed(text) {
  gesture();
  commit(activeTab(), text);
  ask();
}

/** Ask for the answer of what is on the screen; what was answered lately (a step undone) is shown at once. */
export async function ask() {
  overtake();
  const body = question(), key = keyOf(body);
  if (kept.has(key)) {
    tell("busy", false);
    received(keep(key, kept.get(key)));
    return;
  }
  await request(body, asked, key);
}

const MOST_KEPT = 60;
const kept = new Map();

/** An answer hangs on the text, the texts that it is built on, and the choice; a base that is not open may change on the disk. */
function keyOf({ files, scenario, choice }) {
  const texts = [];
  for (let name = scenario; name && name !== TODAY;) {
    if (files[name] === undefined || texts.length > MOST_KEPT) return null;
    texts.push(files[name]);
    name = baseOf(files[name]);
  }
  return JSON.stringify([scenario, texts, choice]);
}

function keep(key, answer) {
  kept.delete(key);
  kept.set(key, answer);
  while (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value);
  return answer;
}

/** What is under way is no longer wanted. */
function overtake() {
  asked += 1;
  waiting = null;
  if (underWay) underWay.abort();
}

/** Ask what it would be if the change were as it is dragged just now; the text stays as it is. */
export async function askWith(wanted) {
  waiting = wanted;
  if (dragging) return;
  dragging = true;
  try {
    while (waiting) {
      const next = waiting;
      waiting = null;
      await request({ ...question(), edit: next }, asked);
    }
  } finally {
    dragging = false;
  }
}

async function request(body, number, key = null) {
  const control = new AbortController();
  underWay = control;
  tell("busy", true);
  try {
    const answer = await post("answer", body, control.signal);
    if (key !== null) keep(key, answer);
    if (number === asked && body.scenario === state.active) received(answer);
  } catch (fault) {
    if (fault.name === "AbortError" || number !== asked) return;
    if (fault instanceof Refused && fault.status === 422 && fault.detail.length) received({ faults: fault.detail, changes: [] });
    else tell("fault", fault.message);
  } finally {
    if (underWay === control) {
      underWay = null;
      if (!editing) tell("busy", false);
    }
  }
}

/** Figures that are missing because of a fault leave the last ones on the screen, marked as old. */
function received(answer) {
  const last = state.answer && state.answer.scenario === state.active ? state.answer : {};
  if (answer.figures) state.answer = { ...answer, ...answer.figures, scenario: state.active, old: false };
  else state.answer = { ...last, faults: answer.faults, changes: answer.changes.length ? answer.changes : last.changes || [], scenario: state.active, old: true };
  tell("answer");
  if (since !== null) {
    const start = since;
    since = null;
    // The figures stand in the page; they are seen with the next frame.
    requestAnimationFrame(() => performance.measure("answer", { start, end: performance.now() }));
  }
  document.documentElement.dataset.answered = String(1 + Number(document.documentElement.dataset.answered || 0));
}
