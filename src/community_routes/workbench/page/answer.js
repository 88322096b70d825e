// The answer: who gains, by fifth; how many residents; what it takes and what it costs.

import { byId, count, el, number, say, svg } from "./dom.js";
import { TODAY, inUnit, measure, nameOf, on, state } from "./state.js";

export function watchAnswer() {
  on("answer tabs", draw);
  on("busy", (busy) => byId("answer").setAttribute("aria-busy", String(busy)));
}

function draw() {
  const box = byId("answer"), answer = state.answer;
  if (!answer) { box.replaceChildren(el("h2", { id: "answer-title" }, "Answer"), el("p", { class: "hint" }, "The first answer is on its way.")); return; }
  const faults = (answer.faults || []).filter((fault) => fault.severity === "error");
  const open = box.querySelector("details.assumed");
  const today = state.active === TODAY;
  box.replaceChildren(...[
    el("h2", { id: "answer-title", class: "vh" }, "Answer"),
    faults.length ? el("p", { class: "stale" }, el("strong", {}, `${faults.length === 1 ? "A fault" : `${faults.length} faults`} in the proposal. `), answer.groups ? "The figures are those before it." : "There are no figures until it is mended.") : null,
    answer.groups ? lead(answer, today) : null,
    answer.groups ? bars(answer, today) : null,
    answer.persons && !today ? people(answer.persons) : null,
    today ? null : costs(answer, open && open.open),
    took(answer)
  ].filter(Boolean));
  box.classList.toggle("old", Boolean(answer.old));
  if (answer.groups && !today && !answer.old) spoken(answer);
}

/** The group whose change leads: the one chosen, or the most deprived fifth. */
function leading(answer) {
  return answer.groups.find((row) => row.id === state.choice.group) || answer.groups[0];
}

const unit = () => (state.answer.unit ? state.answer.unit.name : "");

const lower = (words) => words.charAt(0).toLowerCase() + words.slice(1);

function lead(answer, today) {
  const row = leading(answer);
  if (!row) return el("p", { class: "hint" }, "There is no figure of this measure here.");
  const value = inUnit(today ? row.today : row.change);
  const good = today || !value ? "" : (value > 0) !== Boolean(measure().less_is_better) ? "good" : "bad";
  const share = row.change_percent === null || row.change_percent === undefined || today ? "" : ` (${number(row.change_percent, true)} %)`;
  return el("div", { class: "lead-figure" },
    el("p", { class: `big ${good}`, id: "lead" }, number(value, !today)),
    el("p", { class: "lead-unit" }, `${unit()}${share} `, el("span", {}, `${today ? "today" : value ? (good === "good" ? "better" : "worse") : "no change"}, ${lower(row.label)}`)));
}

/** Today and with the proposal, a pair of bars for each group: figures stand beside them, so that no length has to be read. */
function bars(answer, today) {
  const all = answer.groups.flatMap((row) => [row.today, row.value]).filter((x) => Number.isFinite(x));
  const most = Math.max(...all, 1e-9), width = (x) => Math.max(0.5, (100 * x) / most);
  const [main, others] = parted(answer.groups), rowOf = (row) => {
    const drawing = svg("svg", { viewBox: "0 0 100 14", preserveAspectRatio: "none", "aria-hidden": "true", class: "pair" });
    if (Number.isFinite(row.today)) drawing.append(svg("rect", { x: 0, y: today ? 3 : 1, height: today ? 8 : 5, width: width(row.today), class: "bar-today" }));
    if (!today && Number.isFinite(row.value)) drawing.append(svg("rect", { x: 0, y: 7, height: 6, width: width(row.value), class: "bar-with" }));
    return el("tr", { class: row.id === state.choice.group ? "chosen" : "" }, el("th", { scope: "row" }, row.label), el("td", { class: "drawn" }, drawing),
      el("td", {}, number(inUnit(row.today))), today ? null : el("td", {}, number(inUnit(row.value))), today ? null : el("td", { class: "change" }, number(inUnit(row.change), true)));
  };
  const heads = ["Residents", "", "Today", ...(today ? [] : ["With", "Change"])];
  const head = () => el("thead", {}, el("tr", {}, heads.map((words) => (words ? el("th", { scope: "col" }, words === "Today" || words === "With" ? el("span", { class: `key-${words.toLowerCase()}` }, words) : words) : el("td", {})))));
  const caption = `${nameOf(state.study.kinds, state.choice.kind)}: ${lower(measure().label)}${cutoff()}`;
  const more = others.length ? el("details", { class: "more-groups", open: moreOpen, ontoggle: (event) => { moreOpen = event.target.open; } },
    el("summary", {}, `${others.length} more groups`), el("table", { class: "groups" }, el("caption", { class: "vh" }, `${caption}, more groups`), head(), el("tbody", {}, others.map(rowOf)))) : null;
  return el("div", {}, el("table", { class: "groups" }, el("caption", {}, caption), head(), el("tbody", {}, main.map(rowOf))), more);
}

let moreOpen = false;

/** The grouping of the group that is chosen (fifths, where it is everybody) stands there; the others are behind a line. */
function parted(groups) {
  const chosen = groups.find((row) => row.id === state.choice.group), first = groups.find((row) => row.grouping !== "all");
  const shown = chosen && chosen.grouping !== "all" ? chosen.grouping : first && first.grouping;
  return [groups.filter((row) => row.grouping === "all" || row.grouping === shown), groups.filter((row) => row.grouping !== "all" && row.grouping !== shown)];
}

function cutoff() {
  return state.choice.cutoff_min ? `, ${number(state.choice.cutoff_min)} minutes` : "";
}

function people({ better, worse, same }) {
  const all = Math.max(1, better + worse + same);
  let x = 0;
  const bar = svg("svg", { viewBox: "0 0 100 4", preserveAspectRatio: "none", "aria-hidden": "true", class: "people" });
  for (const [name, n] of [["gain", better], ["same", same], ["loss", worse]]) {
    bar.append(svg("rect", { x, y: 0, height: 4, width: (100 * n) / all, class: name }));
    x += (100 * n) / all;
  }
  const part = (name, n, words) => el("div", {}, el("dt", {}, el("span", { class: `chip ${name}`, "aria-hidden": "true" }), words), el("dd", {}, count(n)));
  return el("div", { class: "residents" }, el("h3", {}, "Residents"), bar, el("dl", {}, part("gain", better, "better off"), part("same", same, "no change"), part("loss", worse, "worse off")));
}

function costs(answer, open) {
  const { cost } = answer;
  if (!cost) return null;
  const currency = state.study.currency ? ` ${state.study.currency}` : "";
  const line = (name, value, words = "") => el("div", {}, el("dt", {}, name), el("dd", {}, number(value, true), words ? el("span", { class: "hint" }, ` ${words}`) : null));
  const gain = answer.gain_per_1000_bus_hours;
  return el("div", { class: "costs" }, el("h3", {}, "What it takes, a year"),
    el("dl", {}, line("Bus-hours", round(cost.bus_hours)), line("Kilometres", round(cost.vehicle_km)), line("Buses", cost.buses),
      cost.cost === null || cost.cost === undefined ? el("div", {}, el("dt", {}, "Cost"), el("dd", {}, "–")) : line("Cost", round(cost.cost), currency),
      el("div", { class: "of-hours" }, el("dt", {}, "Gain for 1,000 bus-hours"), el("dd", {}, number(inUnit(gain), true), el("span", { class: "hint" }, gain === null || gain === undefined ? "" : ` ${unit()}`)))),
    missing(cost), assumed(cost, open));
}

const round = (value) => (value === null || value === undefined ? value : Math.abs(value) >= 1000 ? Math.round(value) : value);

function missing(cost) {
  return cost.missing ? el("p", { class: "hint" }, cost.missing) : null;
}

function assumed(cost, open) {
  const parts = cost.assumptions || [];
  return parts.length ? el("details", { class: "assumed", open: Boolean(open) }, el("summary", {}, "Assumed"), el("ul", {}, parts.map((words) => el("li", {}, words)))) : null;
}

function took(answer) {
  return answer.seconds === undefined || answer.seconds === null ? null : el("p", { class: "took" }, `Answered in ${answer.seconds < 0.095 ? answer.seconds.toFixed(2) : answer.seconds.toFixed(1)} s, by the search of the full report.`);
}

function spoken(answer) {
  const row = leading(answer);
  if (row) say(`${row.label}: ${number(inUnit(row.change), true)} ${unit()}. ${answer.persons ? `${count(answer.persons.better)} residents better off, ${count(answer.persons.worse)} worse off.` : ""}`);
}
