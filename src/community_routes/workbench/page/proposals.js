// The proposals: tabs, new ones and copies, saving, drafts, side by side, the full report, export.

import { ask, edit, gesture } from "./asking.js";
import { Refused, call, fetched, post } from "./api.js";
import { button, byId, count, dialog, el, field, number, options, quiet } from "./dom.js";
import { TODAY, activeTab, baseOf, inUnit, isDirty, newTab, nameOf, on, question, redo, state, tabOf, tell, undo } from "./state.js";

const busyJobs = { report: null };

export function watchProposals() {
  on("text", (tab) => { buttons(); head(); tabs(); keepDraft(tab); });
  on("tabs", () => { tabs(); buttons(); head(); });
  on("answer", head);
  byId("new-tab").addEventListener("click", fresh);
  byId("undo").addEventListener("click", () => back(undo));
  byId("redo").addEventListener("click", () => back(redo));
  byId("save").addEventListener("click", () => save());
  byId("save-as").addEventListener("click", saveAs);
  byId("compare").addEventListener("click", sideBySide);
  byId("report").addEventListener("click", fullReport);
  byId("export").addEventListener("click", exported);
  document.addEventListener("keydown", keys);
  addEventListener("beforeunload", (event) => { if (!state.study.read_only && state.tabs.some(isDirty)) event.preventDefault(); });
  offerDrafts();
  tell("tabs");
}

export function show(id) {
  if (state.active === id) return;
  state.active = id;
  state.change = null;
  state.answer = null;
  tell("tabs");
  gesture();
  ask();
}

function back(step) {
  gesture();
  if (step(activeTab())) { state.change = null; ask(); }
}

function keys(event) {
  const typing = event.target.closest("input, textarea, select, dialog");
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
  const key = event.key.toLowerCase();
  if (key === "s") { event.preventDefault(); save(); }
  if (typing) return;
  if (key === "z" && !event.shiftKey) { event.preventDefault(); back(undo); }
  if (key === "y" || (key === "z" && event.shiftKey)) { event.preventDefault(); back(redo); }
}

function buttons() {
  const tab = activeTab(), only = state.study.read_only;
  byId("undo").disabled = !tab || !tab.past.length;
  byId("redo").disabled = !tab || !tab.future.length;
  byId("save").disabled = !tab || only || !isDirty(tab);
  byId("save-as").disabled = !tab || only;
  byId("better").disabled = only;
  byId("save").title = only ? "This workbench only shows: nothing is written" : "";
  byId("export").disabled = !tab;
  byId("compare").disabled = !state.tabs.length;
}

// ---- tabs ----

function tabs() {
  const all = [{ id: TODAY, title: "Today" }, ...state.tabs];
  const focus = document.activeElement && document.activeElement.closest("#tabs");
  byId("tabs").replaceChildren(...all.map((tab) => {
    const on_it = tab.id === state.active, unsaved = tab.id !== TODAY && isDirty(tab);
    return el("button", { type: "button", role: "tab", id: `tab-${tab.id}`, "aria-selected": String(on_it), tabIndex: on_it ? 0 : -1, title: tab.title, onclick: () => show(tab.id), onkeydown: alongTabs },
      el("span", { class: "tab-name" }, titleOf(tab)), unsaved ? el("span", { class: "unsaved" }, el("span", { "aria-hidden": "true" }, "•"), el("span", { class: "vh" }, " not saved")) : null);
  }));
  const chosen = byId("tabs").querySelector('[aria-selected="true"]');
  if (focus && chosen) chosen.focus();
  if (chosen) chosen.scrollIntoView({ block: "nearest", inline: "nearest" });
}

function alongTabs(event) {
  const all = [TODAY, ...state.tabs.map((tab) => tab.id)], here = all.indexOf(state.active);
  const to = { ArrowRight: here + 1, ArrowLeft: here - 1, Home: 0, End: all.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  show(all[(to + all.length) % all.length]);
}

/** What people call it: the title in the text as it stands. */
function titleOf(tab) {
  const found = tab.text && tab.text.match(/^title:[ \t]*(.+?)[ \t]*$/m);
  return found ? found[1].replace(/^(["'])(.*)\1$/, "$2") : tab.title || tab.id;
}

/** What a proposal can be built on: the other tabs, and files that are not open. */
function bases(tab) {
  const files = state.study.scenarios.filter((file) => !tabOf(file.id)).map(({ id, title }) => ({ id, name: title }));
  return [...state.tabs.filter((other) => other !== tab).map((other) => ({ id: other.id, name: titleOf(other) })), ...files];
}

/** Title and base of the proposal. */
function head() {
  const box = byId("proposal-head"), tab = activeTab();
  if (!tab) { box.replaceChildren(); box.dataset.tab = ""; return; }
  if (box.contains(document.activeElement) && box.dataset.tab === tab.id) return;
  box.dataset.tab = tab.id;
  const title = el("input", { type: "text", value: titleOf(tab), onchange: () => { gesture(); edit({ op: "head", head: { title: title.value.trim() || tab.id } }); } });
  const base = el("select", { onchange: () => { gesture(); edit({ op: "head", head: { base: base.value || null } }); } });
  options(base, [{ id: "", name: "today" }, ...bases(tab)], baseOf(tab.text));
  box.replaceChildren(field("Title", title), field("Built on", base));
}

// ---- new, copies ----

const plain = (text) => text.toLowerCase().normalize("NFD").replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "").slice(0, 60) || "proposal";

function freeId(wanted) {
  const taken = new Set([TODAY, ...state.tabs.map((tab) => tab.id)]);
  let id = wanted, n = 2;
  while (taken.has(id)) { id = `${wanted}-${n}`; n += 1; }
  return id;
}

const quoted = (text) => JSON.stringify(text);

function fresh() {
  const title = el("input", { type: "text", value: "New proposal", autofocus: true });
  const like = el("select");
  const closed = state.study.scenarios.filter((file) => !tabOf(file.id));
  options(like, [{ id: "", name: "nothing: an empty proposal" }, ...closed.map((file) => ({ id: `open:${file.id}`, name: `the file ${file.file}: ${file.title}` })), ...state.tabs.map((tab) => ({ id: `copy:${tab.id}`, name: `the same again as “${titleOf(tab)}”` })), ...state.tabs.map((tab) => ({ id: `base:${tab.id}`, name: `built on “${titleOf(tab)}”` }))]);
  const box = dialog("New proposal", [field("Title", title), field("Starts from", like)], [
    { text: "Make it", strong: true, does: () => make(title.value.trim() || "New proposal", like.value) }, { text: "Cancel" }]);
  title.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); box.querySelector("button.strong").click(); } });
  title.select();
}

async function make(title, like) {
  const id = freeId(plain(title)), [how, other] = like.split(/:(.*)/s);
  if (how === "open") return openFile(state.study.scenarios.find((file) => file.id === other));
  let text = `scenario: ${id}\ntitle: ${quoted(title)}\n${how === "base" ? `base: ${other}\n` : ""}changes: []\n`;
  if (how === "copy") {
    const made = await post("edit", { text: tabOf(other).text, edit: { op: "head", head: { scenario: id, title } } }).catch((fault) => ({ message: fault.message }));
    if (made.message || made.faults.length) { tell("fault", made.message || made.faults[0].message); return false; }
    text = made.text;
  }
  opened(id, text, title);
  return true;
}

/** A new proposal that is on no disk yet, on the screen. */
function opened(id, text, title) {
  state.tabs.push(newTab(id, text, { title }));
  keepDraft(tabOf(id));
  show(id);
}

/** A text that was found elsewhere as a new tab, under a name that no other has. */
export async function openText(text, title) {
  const id = freeId(plain(title));
  const made = await post("edit", { text, edit: { op: "head", head: { scenario: id, title } } });
  opened(id, made.text, title);
}

function openFile(file) {
  state.tabs.push(newTab(file.id, file.text, { ...file, saved: file.text }));
  show(file.id);
  return true;
}

// ---- saving ----

async function save(tab = activeTab()) {
  if (!tab || state.study.read_only || !isDirty(tab)) return;
  const { text } = tab;
  try {
    const kept = await call("PUT", `files/${encodeURIComponent(tab.id)}`, { text, was: tab.sha256 });
    tab.sha256 = kept.sha256;
    tab.file = kept.file;
    tab.saved = text;
    tell("tabs");
    tell("note", `Saved as ${kept.file}.`);
  } catch (fault) {
    if (fault instanceof Refused && fault.status === 409) changedOnDisk(tab, fault);
    else tell("fault", fault.message);
  }
}

function changedOnDisk(tab, fault) {
  dialog("The file changed meanwhile", el("p", {}, `${fault.message} Nothing was written. Save your proposal under another name, or read the file again by starting the workbench anew.`),
    [{ text: "Save as", strong: true, does: () => { setTimeout(saveAs); } }, { text: "Cancel" }]);
}

function saveAs() {
  const tab = activeTab();
  if (!tab) return;
  const name = el("input", { type: "text", value: freeId(tab.id) });
  dialog("Save as", [field("Name of the file, without .yaml", name), el("p", { class: "hint" }, "The proposal goes on under this name; the file of before stays as it is.")], [
    { text: "Save", strong: true, does: () => savedAs(tab, plain(name.value)) }, { text: "Cancel" }]);
  name.select();
}

async function savedAs(tab, id) {
  try {
    const made = id === tab.id ? { text: tab.text } : await post("edit", { text: tab.text, edit: { op: "head", head: { scenario: id } } });
    const kept = await call("PUT", `files/${encodeURIComponent(id)}`, { text: made.text, was: null });
    const there = tabOf(id) || newTab(id, made.text, { title: titleOf(tab) });
    if (!tabOf(id)) state.tabs.push(there);
    Object.assign(there, { text: made.text, saved: made.text, sha256: kept.sha256, file: kept.file });
    show(id);
    tell("tabs");
    tell("note", `Saved as ${kept.file}.`);
    return true;
  } catch (fault) {
    tell("fault", fault.status === 409 ? `There is a file ${id}.yaml already. Choose another name.` : fault.message);
    return false;
  }
}

// ---- drafts ----

const keepers = new Map();
function keepDraft(tab) {
  if (state.study.read_only || !tab) return;
  if (!keepers.has(tab.id)) {
    keepers.set(tab.id, quiet(600, () => {
      const asked = isDirty(tab) ? call("PUT", `drafts/${encodeURIComponent(tab.id)}`, { text: tab.text, base_sha256: tab.sha256 }) : call("DELETE", `drafts/${encodeURIComponent(tab.id)}`);
      asked.catch(() => {});
    }));
  }
  keepers.get(tab.id)();
}

function offerDrafts() {
  for (const draft of state.study.drafts || []) {
    const tab = tabOf(draft.id);
    if (tab && tab.text === draft.text) continue;
    const when = new Date(draft.saved_at).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
    const changed = tab && draft.base_sha256 !== tab.sha256 ? " The file itself has changed since." : "";
    dialog("A draft that was not saved", el("p", {}, `“${titleOf({ ...draft, title: draft.id })}”, last changed ${when}, was never saved.${changed}`), [
      { text: "Go on with it", strong: true, does: () => restore(draft) },
      { text: "Throw it away", does: () => { call("DELETE", `drafts/${encodeURIComponent(draft.id)}`).catch(() => {}); } }]);
  }
}

function restore(draft) {
  const tab = tabOf(draft.id);
  if (tab) { tab.past.push(tab.text); tab.text = draft.text; }
  else state.tabs.push(newTab(draft.id, draft.text));
  state.active = TODAY;
  show(draft.id);
}

// ---- side by side ----

async function sideBySide() {
  const body = el("div", {}, el("p", { class: "hint", role: "status" }, "The proposals are being searched."));
  const box = dialog("Side by side", body, [{ text: "Close", strong: true }], { class: "wide" });
  try {
    const { rows } = await post("compare", { files: question().files, scenarios: state.tabs.map((tab) => tab.id), choice: state.choice });
    body.replaceChildren(...table(rows));
  } catch (fault) { box.close(); tell("fault", fault.message); }
}

function table(rows) {
  const first = rows.find((row) => row.figures), shownGroups = first ? first.figures.groups.map(({ grouping, label }, i) => ({ grouping, label, i })).filter(({ grouping }) => grouping !== "group") : [];
  const line = (name, get, sign = true) => el("tr", {}, el("th", { scope: "row" }, name), rows.map((row) => el("td", {}, number(get(row), sign))));
  const of = (get) => (row) => (row.figures ? get(row.figures) : null), cost = (key) => of(({ cost: all }) => all && all[key]);
  const shown = (get) => of((figures) => inUnit(get(figures), figures.unit));
  const lines = [
    ...shownGroups.map(({ label, i }) => line(label, shown(({ groups }) => groups[i].change))),
    line("Residents better off", of(({ persons }) => persons.better), false), line("Residents worse off", of(({ persons }) => persons.worse), false),
    line("Bus-hours a year", cost("bus_hours")), line("Kilometres a year", cost("vehicle_km")), line("Buses", cost("buses")),
    line(`Cost a year${state.study.currency ? `, ${state.study.currency}` : ""}`, cost("cost")), line("Gain for 1,000 bus-hours", shown((figures) => figures.gain_per_1000_bus_hours))];
  const faulty = rows.filter((row) => !row.figures);
  return [el("p", { class: "hint" }, `Changes against today: ${nameOf(state.study.kinds, state.choice.kind)}, ${nameOf(state.study.days, state.choice.day)}, ${nameOf(state.study.windows, state.choice.window)}.`),
    el("div", { class: "scroll", tabIndex: 0, role: "region", "aria-label": "Table" }, el("table", { class: "plain-table" }, el("thead", {}, el("tr", {}, el("td"), rows.map((row) => el("th", { scope: "col" }, row.title || row.id)))), el("tbody", {}, lines))),
    faulty.length ? el("p", { class: "fault" }, `Without figures because of a fault: ${faulty.map((row) => row.title || row.id).join(", ")}.`) : ""];
}

// ---- the full report, export ----

function fullReport() {
  if (busyJobs.report) { busyJobs.report.showModal(); return; }
  const ticks = state.tabs.map((tab) => ({ tab, input: el("input", { type: "checkbox", checked: tab.id === state.active || state.tabs.length < 4, id: `rep-${tab.id}` }) }));
  dialog("Full report", [el("p", {}, "Runs the whole study with what is on the screen: every kind, measure, day and time, with maps and tables. It takes about as long as the command run."),
    el("div", { class: "ticks" }, ticks.map(({ tab, input }) => el("label", {}, input, " ", titleOf(tab))))],
  [{ text: "Run it", strong: true, does: () => { runReport(ticks.filter(({ input }) => input.checked).map(({ tab }) => tab.id)); } }, { text: "Cancel" }]);
}

async function runReport(scenarios) {
  let job;
  try { ({ job } = await post("report", { files: question().files, scenarios })); } catch (fault) { tell("fault", fault.message); return; }
  const { now, ...parts } = await followed("Full report", job, "report");
  if (now.url) arrived(parts, now.url);
}

/** A job until it ends, in a window that may be hidden meanwhile; its last state, and the parts of the window. */
export async function followed(title, job, what) {
  const bar = el("progress", { max: 1, value: 0, "aria-label": `Progress of the ${what}` }), words = el("p", { role: "status" }, "It has started.");
  const link = el("p");
  let going = true, now = {};
  const box = dialog(title, [bar, words, link], [{ text: "Stop it", does: () => { going = false; call("DELETE", `report/${job}`).catch(() => {}); } }, { text: "Hide" }]);
  box.addEventListener("close", () => { if (going) tell("note", `The ${what} goes on in the background; a note here says when it is there.`); });
  while (going) {
    await new Promise((done) => setTimeout(done, 700));
    try { now = await call("GET", `report/${job}`); } catch (fault) { now = { state: "failed", message: fault.message }; }
    bar.value = now.progress || 0;
    words.textContent = [now.stage, now.message].filter(Boolean).join(": ");
    if (now.state !== "running") break;
  }
  if (now.state === "failed" && !box.isConnected) tell("fault", now.message);
  going = false;
  return { now, box, bar, words, link };
}

function arrived({ box, bar, words, link }, url) {
  bar.value = 1;
  words.textContent = "The report is there.";
  const anchor = el("a", { href: url, target: "_blank", rel: "noopener" }, "Open the report");
  link.replaceChildren(anchor);
  if (!box.isConnected) tell("note", el("span", {}, "The report is there. ", el("a", { href: url, target: "_blank", rel: "noopener" }, "Open it")));
  else anchor.focus();
}

async function exported() {
  const tab = activeTab();
  try {
    const blob = await fetched("export", question());
    const address = URL.createObjectURL(blob);
    el("a", { href: address, download: `${tab.id}.zip` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
    tell("note", `The changed timetable (GTFS, ${count(blob.size / 1024)} kB) was given to the browser as ${tab.id}.zip.`);
  } catch (fault) { tell("fault", fault.message); }
}
