// The proposal as a list of sentences, each with what it does, what to watch out for, and its form.

import { addChange, edit, gesture, setChange } from "./asking.js";
import { button, byId, el, field, options, say, told } from "./dom.js";
import { form } from "./forms.js";
import { finish, pointAt } from "./gestures.js";
import { KINDS, kindName } from "./kinds.js";
import { lookAt } from "./map.js";
import { placeLabel, placeNames, routeLabel, routeOf } from "./places.js";
import { TODAY, activeTab, changeOf, chooseChange, on, state } from "./state.js";

export function watchChanges() {
  const names = el("datalist", { id: "place-names" });
  names.append(...placeNames().map((name) => el("option", { value: name })));
  document.body.append(names);
  on("answer changes change tabs", draw);
  const list = byId("changes");
  list.addEventListener("input", (event) => { typing = event.target; });
  list.addEventListener("change", () => { typing = null; }, true);
  list.addEventListener("focusout", () => { if (typing || waiting) { typing = null; setTimeout(draw); } });
  draw();
}

/** The control in which somebody types just now; a list made anew would take the words from under their hands. */
let typing = null;
let waiting = false;

function draw() {
  const today = state.active === TODAY;
  byId("changes-panel").classList.toggle("of-today", today);
  const changes = (state.answer && state.answer.scenario === state.active && state.answer.changes) || [];
  const focus = focused();
  waiting = Boolean(typing && typing.isConnected && typing === document.activeElement);
  if (!state.dragging && !waiting) byId("changes").replaceChildren(...(today ? [] : changes.map((change) => item(change, changes.length))));
  empty(today, changes.length);
  adding(today);
  refocus(focus);
}

/** Which control of which change has the focus, so that a fresh list gives it back. */
function focused() {
  const now = document.activeElement, card = now && now.closest("#changes > li");
  if (!card) return null;
  const controls = [...card.querySelectorAll("input, select, textarea, button, summary")];
  return { index: Number(card.dataset.index), n: controls.indexOf(now), label: now.getAttribute("aria-label") || now.dataset.key || null };
}

function refocus(focus) {
  if (!focus) return;
  const card = byId("changes").querySelector(`[data-index="${focus.index}"]`);
  if (!card) return;
  const controls = [...card.querySelectorAll("input, select, textarea, button, summary")];
  const same = focus.label && controls.find((one) => (one.getAttribute("aria-label") || one.dataset.key) === focus.label);
  const target = same || controls[Math.min(focus.n, controls.length - 1)];
  if (target && target !== document.activeElement) target.focus({ preventScroll: true });
}

function item(change, n) {
  const chosen = state.change === change.index, { index } = change;
  const sentence = change.sentence || planned(change), effects = (change.effects || []).filter((words) => words !== sentence);
  const head = el("button", { type: "button", class: "sentence-button", "aria-expanded": String(chosen), onclick: () => chooseChange(chosen ? null : index) },
    el("span", { class: "kind" }, kindName(change.kind)), el("span", { class: "said" }, told(sentence)));
  const faults = (state.answer.faults || []).filter((fault) => fault.severity === "error" && changeOf(fault) === index);
  const parts = [head,
    change.off ? el("p", { class: "is-off" }, "Switched off: kept in the file, not applied.") : null,
    ...(change.off ? [] : effects.map((words) => el("p", { class: "effect" }, told(words)))),
    ...(change.off ? [] : warned(change)),
    ...faults.map((fault) => el("p", { class: "fault" }, el("strong", {}, "Fault. "), told([fault.message, fault.cure].filter(Boolean).join(" "))))];
  if (chosen) parts.push(tools(change, n), known(change));
  const li = el("li", { class: `${chosen ? "chosen" : ""} ${change.off ? "off" : ""}` }, parts);
  li.dataset.index = index;
  if (n > 1) grip(li, index);
  return li;
}

const open = new Set();

/** What to watch out for: one or two notes as they are, more behind a line that says how many. */
function warned({ warnings = [], index }) {
  const notes = warnings.map((words) => el("p", { class: "warning" }, told(words)));
  if (notes.length < 3) return notes;
  const box = el("details", { class: "notes", open: open.has(index), ontoggle: () => { if (box.open) open.add(index); else open.delete(index); } }, el("summary", {}, `${notes.length} notes on kerbs, speeds and times`), notes);
  return [box];
}

/** What is said until the server has said it. */
function planned({ kind, fields = {} }) {
  const route = fields.route === undefined ? null : routeOf(fields);
  const what = fields.name || (route ? `Route ${routeLabel(route)}` : fields.route) || "";
  const stops = fields.stops && fields.stops.length ? `: ${fields.stops.map(placeLabel).join(" – ")}` : "";
  return `${what}${stops}` || kindName(kind);
}

function known(change) {
  if (!KINDS[change.kind] || !change.fields) return el("p", { class: "hint" }, "This change has no form; it is written in the text.");
  const tool = KINDS[change.kind].tool;
  return form(change.kind, change.fields, {
    stops: change.stops,
    changed: (fields) => { gesture(); setChange(change.index, change.kind, clean(fields)); },
    draw: tool ? () => pointAt(tool, { kind: change.kind, index: change.index }) : null
  });
}

const clean = (fields) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

function tools(change, n) {
  const { index } = change, does = (wanted) => () => { gesture(); edit({ index, ...wanted }); };
  return el("div", { class: "change-tools", role: "toolbar", "aria-label": "This change" },
    button(change.off ? "Switch on" : "Switch off", does({ op: change.off ? "on" : "off" })),
    button("Earlier", () => shift(index, index - 1), { disabled: index === 0 }),
    button("Later", () => shift(index, index + 1), { disabled: index === n - 1 }),
    (change.lines || []).some((line) => line.length) ? button("Show", () => lookAt(change.lines.flat())) : null,
    button("Remove", () => { does({ op: "remove" })(); chooseChange(null); say("Change removed. Undo brings it back."); byId("changes-panel").focus(); }));
}

function shift(from, to) {
  gesture();
  edit({ op: "move", index: from, to });
  chooseChange(to);
}

/** A change can be dragged by its grip to another place in the order. */
function grip(li, index) {
  const hold = el("span", { class: "grip", draggable: true, title: "Drag it to another place in the order", "aria-hidden": "true" }, "⠿");
  li.prepend(hold);
  hold.addEventListener("dragstart", (event) => { event.dataTransfer.setData("text/plain", String(index)); event.dataTransfer.effectAllowed = "move"; li.classList.add("moving"); });
  hold.addEventListener("dragend", () => li.classList.remove("moving"));
  li.addEventListener("dragover", (event) => { event.preventDefault(); li.classList.add("over"); });
  li.addEventListener("dragleave", () => li.classList.remove("over"));
  li.addEventListener("drop", (event) => {
    event.preventDefault();
    const from = Number(event.dataTransfer.getData("text/plain"));
    li.classList.remove("over");
    if (Number.isInteger(from) && from !== index) shift(from, index);
  });
}

function empty(today, n) {
  const box = byId("empty");
  box.hidden = !today && n > 0;
  if (box.hidden) return;
  box.replaceChildren(today
    ? el("p", {}, "This is what runs today. Choose a proposal above, or make a new one, to draw a route and see who gains.")
    : el("p", {}, "Nothing is changed yet. Start with a new route: press “New route” and click two stops on the map. Or choose a route that runs today and change it."));
}

/** What can be added: new things, and changes of the route that is chosen. */
function adding(today) {
  const box = byId("add");
  box.hidden = today;
  if (today || box.dataset.made) { if (!today) ofRoute(); return; }
  box.dataset.made = "yes";
  const fresh = Object.entries(KINDS).filter(([, kind]) => kind.group === "new");
  const select = el("select", { id: "of-route", onchange: ofRoute });
  options(select, [{ id: "", name: "choose a route" }, ...state.map.routes.map((route) => ({ id: route.id, name: `${routeLabel(route)}${route.long_name ? `: ${route.long_name}` : ""}` }))]);
  box.replaceChildren(el("h3", {}, "Add"), el("div", { class: "add-buttons" }, fresh.map(([id, kind]) => button(kind.name, () => begin(id), { "data-add-kind": id }))),
    el("h3", {}, "Change a route of today"), field("Route", select), el("div", { class: "add-buttons", id: "route-kinds" }));
  ofRoute();
}

function ofRoute() {
  const select = byId("of-route"), box = byId("route-kinds");
  if (!select || box.dataset.route === select.value) return;
  box.dataset.route = select.value;
  const route = state.map.routes.find((one) => one.id === select.value);
  box.replaceChildren(...(route ? routeButtons(route) : []));
}

/** A button for each change of an existing route. */
export function routeButtons(route) {
  return Object.entries(KINDS).filter(([, kind]) => kind.group === "route").map(([id, kind]) => button(kind.name, () => begin(id, route), { "data-route-kind": id }));
}

/** Start a change: at once where its first fields say enough; by pointing at the map and in its form where not. */
function begin(kind, route = null) {
  if (!activeTab()) return;
  gesture();
  const tool = KINDS[kind].tool;
  if (!tool) { addChange(kind, KINDS[kind].start(route)); focusForm(); return; }
  chooseChange(null);
  pointAt(tool, { kind, route });
  byHand(kind, route);
}

/** Under the prompt: the same without the map, as a form that is sent when it is whole. */
function byHand(kind, route) {
  const box = byId("by-hand") || el("div", { id: "by-hand", class: "by-hand" });
  let fields = KINDS[kind].start(route);
  const show = () => {
    const made = form(kind, fields, { changed: (next) => { fields = clean(next); show(); }, draw: null, stops: [] });
    const focus = box.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") || document.activeElement.dataset.key : null;
    box.replaceChildren(el("h3", {}, `${kindName(kind)}, without the map`), made, el("div", { class: "add-buttons" },
      button("Add it", () => { gesture(); box.remove(); stop(); addChange(kind, fields); focusForm(); }, { class: "strong" }), button("Not now", () => { box.remove(); stop(); })));
    const again = focus && [...box.querySelectorAll("input, select, textarea")].find((one) => one.getAttribute("aria-label") === focus || one.dataset.key === focus);
    if (again) again.focus();
  };
  const stop = () => { if (state.tool) finish(true); };
  show();
  byId("add").prepend(box);
}

on("change tool", () => {
  const box = byId("by-hand");
  if (box && (state.change !== null || !state.tool) && !box.contains(document.activeElement)) box.remove();
});

function focusForm() {
  const first = byId("changes").querySelector("li.chosen .form input, li.chosen .form select");
  if (first) first.focus();
}
