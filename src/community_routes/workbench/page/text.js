// The proposal as text, live both ways: what is typed is asked at once, what is drawn is written here; faults stand at their line.

import { typed } from "./asking.js";
import { button, byId, el, quiet } from "./dom.js";
import { TODAY, activeTab, changeOf, on, state } from "./state.js";

export function watchText() {
  const area = byId("text");
  const send = quiet(250, () => { if (activeTab() && area.value !== activeTab().text) typed(area.value); });
  area.addEventListener("input", () => { numbers(); send(); });
  area.addEventListener("scroll", () => { byId("gutter").scrollTop = area.scrollTop; });
  area.addEventListener("keydown", indent);
  byId("as-list").addEventListener("click", () => show(false));
  byId("as-text").addEventListener("click", () => show(true));
  on("text tabs", write);
  on("answer tabs", faults);
  write();
}

/** Tab indents, and so that the keyboard gets out again, Escape lets the next Tab leave. */
let leaving = false;
function indent(event) {
  const area = event.target;
  if (event.key === "Escape") { leaving = true; return; }
  if (event.key === "Tab" && !event.shiftKey && !leaving) {
    event.preventDefault();
    area.setRangeText("  ", area.selectionStart, area.selectionEnd, "end");
    area.dispatchEvent(new Event("input"));
  }
  leaving = false;
}

function show(text) {
  byId("as-list").setAttribute("aria-pressed", String(!text));
  byId("as-text").setAttribute("aria-pressed", String(text));
  byId("list-view").hidden = text;
  byId("text-view").hidden = !text;
  document.body.classList.toggle("in-text", text);
  if (text) { write(); byId("text").focus(); }
}

function write() {
  const area = byId("text"), tab = activeTab(), text = tab ? tab.text : "";
  area.disabled = state.active === TODAY;
  area.placeholder = state.active === TODAY ? "Today has no text. Choose a proposal." : "";
  if (area.value === text) { numbers(); return; }
  const { scrollTop, selectionStart } = area;
  area.value = text;
  area.scrollTop = scrollTop;
  if (document.activeElement === area) area.setSelectionRange(selectionStart, selectionStart);
  numbers();
}

function numbers() {
  const lines = byId("text").value.split("\n").length, marks = new Set(lined().map((fault) => fault.line));
  const gutter = byId("gutter");
  gutter.replaceChildren(...Array.from({ length: lines }, (_, i) => el("span", { class: marks.has(i + 1) ? "at-fault" : "" }, `${marks.has(i + 1) ? "!" : " "}${String(i + 1).padStart(3)}\n`)));
  gutter.scrollTop = byId("text").scrollTop;
}

const lined = () => (state.active === TODAY || !state.answer ? [] : (state.answer.faults || []).filter((fault) => fault.line));

function faults() {
  const all = state.active === TODAY || !state.answer ? [] : state.answer.faults || [];
  byId("text-faults").replaceChildren(...all.map((fault) => el("p", { class: `${fault.severity === "error" ? "fault" : "warning"} ${changeOf(fault) === null ? "" : "of-change"}` },
    el("strong", {}, fault.severity === "error" ? "Fault" : "Note"), fault.line ? [" at ", button(`line ${fault.line}`, () => goTo(fault), { class: "link" })] : "", ": ", fault.message, fault.cure ? ` ${fault.cure}` : "")));
  numbers();
}

function goTo({ line, column }) {
  show(true);
  const area = byId("text"), before = area.value.split("\n").slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
  area.setSelectionRange(before + Math.max(0, (column || 1) - 1), before + Math.max(0, (column || 1) - 1));
  const height = parseFloat(getComputedStyle(area).lineHeight);
  area.scrollTop = Math.max(0, (line - 4) * height);
}
