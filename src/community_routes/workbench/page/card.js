// What is chosen: a neighbourhood with its figures and journeys, a route with its headways, a stop, a place; how far one gets.

import { post } from "./api.js";
import { findBetter } from "./better.js";
import { button, byId, count, el, field, number, options } from "./dom.js";
import { chooseByName, pointAt } from "./gestures.js";
import { drawJourney, drawReach, lookAt, zoneOf } from "./map.js";
import { routeButtons } from "./changes.js";
import { routeLabel } from "./places.js";
import { TODAY, choose, inUnit, nameOf, on, question, state, tell } from "./state.js";

const REACH = [15, 30, 45, 60];
let asked = 0;
let wanted = [];
let minutes = 30;
let reached = null;

export function watchCard() {
  on("selected tabs", () => { reached = null; draw(); });
  on("answer", () => { if (state.selected && !state.dragging && !state.answer.old) draw(true); });
  finder();
  draw();
}

/** Lists of everything that can be clicked, for those who do not use the map. */
function finder() {
  const select = (label, items, chosen) => {
    const control = el("select", { onchange: () => { if (control.value) chosen(control.value); } });
    options(control, [{ id: "", name: "choose" }, ...items]);
    return field(label, control);
  };
  const zones = state.map.neighbourhoods.features.map(({ properties }) => ({ id: properties.id, name: properties.name }));
  zones.sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
  const named = (items) => items.map((item) => ({ id: item.id, name: item.name })).sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
  byId("find").replaceChildren(
    select("Neighbourhood", zones, (id) => chooseByName({ neighbourhood: id })),
    select("Route", state.map.routes.map((route) => ({ id: route.id, name: `${routeLabel(route)}${route.long_name ? `: ${route.long_name}` : ""}` })), (id) => chooseByName({ route: id })),
    select("Stop", named(state.map.stops), (id) => { const stop = state.map.stops.find((one) => one.id === id); chooseByName({ stop: id, lon: stop.lon, lat: stop.lat }); }),
    select("Place", named(state.map.places.filter((place) => place.name)), (id) => { const place = state.map.places.find((one) => String(one.id) === id); chooseByName({ place: place.id, lon: place.lon, lat: place.lat }); }));
}

function draw(kept = false) {
  const box = byId("card"), chosen = state.selected;
  box.hidden = !chosen;
  if (!chosen) { box.replaceChildren(); return; }
  const parts = [el("div", { class: "card-head" }, el("h2", {}, heading(chosen)), button("×", () => choose(null), { class: "icon", "aria-label": "Close", title: "Close" }))];
  if (chosen.route) parts.push(...route(chosen.route));
  else if (chosen.stop) parts.push(...stop(chosen.stop));
  else if (chosen.place) parts.push(...place(chosen.place));
  if (!chosen.route && chosen.near && chosen.near.length) parts.push(el("div", { class: "chips" }, el("span", { class: "hint" }, "Routes here"), chosen.near.map((id) => { const one = state.map.routes.find((r) => r.id === id); return button(routeLabel(one), () => choose({ ...chosen, route: id }), { title: one.long_name }); })));
  if (chosen.lon !== undefined && !chosen.route) parts.push(reachBox(chosen));
  const figures = el("div", { class: "figures", "aria-live": "off" });
  if (chosen.neighbourhood && !chosen.route) parts.push(figures);
  if (kept && box.contains(document.activeElement)) { refresh(box, chosen); return; }
  box.replaceChildren(...parts);
  if (chosen.neighbourhood && !chosen.route) neighbourhood(chosen.neighbourhood, figures);
  if (kept && reached) reach(chosen);
}

/** While somebody is in the card, only its figures are made anew. */
function refresh(box, chosen) {
  const figures = box.querySelector(".figures");
  if (figures && !figures.contains(document.activeElement)) neighbourhood(chosen.neighbourhood, figures);
  if (reached) reach(chosen);
}

function heading(chosen) {
  if (chosen.route) { const found = state.map.routes.find((one) => one.id === chosen.route); return `Route ${found.name}`; }
  if (chosen.stop) return state.map.stops.find((one) => one.id === chosen.stop).name;
  if (chosen.place) { const found = state.map.places.find((one) => one.id === chosen.place); return found.name || nameOf(state.study.kinds, found.kind); }
  const zone = chosen.neighbourhood && zoneOf(chosen.neighbourhood);
  return zone ? zone.feature.properties.name : "A point outside the neighbourhoods";
}

function route(id) {
  const found = state.map.routes.find((one) => one.id === id), days = Object.entries(found.headways || {});
  const periods = [...new Set(days.flatMap(([, day]) => Object.keys(day)))];
  const table = periods.length ? el("table", { class: "plain-table" }, el("caption", {}, "Minutes between buses"),
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Period"), days.map(([day]) => el("th", { scope: "col" }, nameOf(state.study.days, day))))),
    el("tbody", {}, periods.map((period) => el("tr", {}, el("th", { scope: "row" }, period, el("span", { class: "sub" }, hours(period))), days.map(([, day]) => el("td", {}, day[period] ? number(Math.round(day[period])) : "–")))))) : el("p", { class: "hint" }, "No buses on the days of this study.");
  const stops = found.patterns.length ? found.patterns[0].stops.length : 0;
  return [el("p", {}, [found.long_name, found.operator].filter(Boolean).join(" · ")), el("p", { class: "hint" }, `${stops} stops. ${state.active === TODAY ? "" : "Drag an end on the map to make it longer, its line to send it another way."}`),
    button("Show", () => lookAt(found.patterns.flatMap((pattern) => pattern.line))), table,
    state.study.read_only ? null : button("Find better headways", findBetter, { "aria-haspopup": "dialog" }),
    state.active === TODAY ? null : el("div", {}, el("h3", {}, "Change it"), el("div", { class: "add-buttons" }, routeButtons(found)))].filter(Boolean);
}

function hours(id) {
  const found = state.study.periods.find((period) => period.id === id);
  return found ? `${found.start}–${found.end}` : "";
}

function stop(id) {
  const found = state.map.stops.find((one) => one.id === id);
  const routes = (found.routes || []).map((one) => state.map.routes.find((r) => r.id === one || r.name === one)).filter(Boolean);
  return [el("p", { class: "hint" }, `Stop ${found.id}`), el("div", { class: "chips" }, routes.map((one) => button(routeLabel(one), () => choose({ ...state.selected, route: one.id }), { title: one.long_name })))];
}

function place(id) {
  const found = state.map.places.find((one) => one.id === id);
  return [el("p", { class: "hint" }, nameOf(state.study.kinds, found.kind))];
}

// ---- how far from here ----

function reachBox(chosen) {
  const select = el("select", { onchange: () => { minutes = Number(select.value); reach(chosen); } });
  options(select, REACH.map((n) => ({ id: n, name: `${n} minutes` })), minutes);
  return el("div", { class: "reach" }, el("div", { class: "add-row" }, field("How far from here in", select), button("Show", () => reach(chosen), { "data-reach": "yes" })), el("div", { id: "reached" }));
}

/** A tool of the map: any point. */
export function reachTool() {
  pointAt("reach");
}

export function reachFrom(at) {
  choose({ ...at, near: [] , point: true });
  reach(state.selected);
}

async function reach(chosen) {
  const mine = asked += 1, waiting = byId("reached");
  if (waiting && !reached) waiting.replaceChildren(el("p", { class: "hint" }, "It is being searched."));
  try {
    const found = await post("isochrone", { ...question(), lon: chosen.lon, lat: chosen.lat, minutes: [minutes] });
    if (mine !== asked || state.selected !== chosen) return;
    reached = found;
    drawReach(found, chosen);
    const box = byId("reached");
    if (box) box.replaceChildren(reachTable(found));
  } catch (fault) {
    tell("fault", fault.message);
  }
}

function reachTable({ today, value }) {
  const rows = [["Residents", today.persons, value && value.persons], ...Object.keys(today.amounts).map((kind) => {
    const { name, unit } = state.study.kinds.find((one) => one.id === kind) || { name: kind };
    return [unit ? `${name}, ${unit.name}` : name, inUnit(today.amounts[kind], unit || null), value && inUnit(value.amounts[kind], unit || null)];
  })];
  return el("table", { class: "plain-table" }, el("caption", {}, `Within ${minutes} minutes, leaving when the time of day begins`),
    el("thead", {}, el("tr", {}, el("td"), el("th", { scope: "col" }, "Today (dashed)"), value ? el("th", { scope: "col" }, "With (red)") : null)),
    el("tbody", {}, rows.map(([name, before, after]) => el("tr", {}, el("th", { scope: "row" }, name), el("td", {}, count(before)), value ? el("td", {}, count(after)) : null))));
}

// ---- a neighbourhood ----

async function neighbourhood(id, box) {
  if (!box.childElementCount) box.replaceChildren(el("p", { class: "hint" }, "Figures are on their way."));
  let found;
  try {
    found = await post("neighbourhood", { ...question(), id, places: wanted.length ? wanted : null });
  } catch (fault) {
    box.replaceChildren(el("p", { class: "fault" }, fault.message));
    return;
  }
  if (!state.selected || state.selected.neighbourhood !== id) return;
  const today = state.active === TODAY, { properties } = zoneOf(id).feature;
  const facts = [properties.fifth ? `fifth ${properties.fifth} of 5 (1 most deprived)` : null, properties.population ? `${count(properties.population)} residents` : null].filter(Boolean);
  const rowOf = (row) => el("tr", { class: isAsked(row) ? "chosen" : "" },
    el("th", { scope: "row" }, nameOf(state.study.kinds, row.kind), el("span", { class: "sub" }, `${row.label}${row.unit.name ? `, ${row.unit.name}` : ""}`)),
    el("td", {}, number(inUnit(row.today, row.unit))), today ? null : el("td", {}, number(inUnit(row.value, row.unit))), today ? null : el("td", { class: "change" }, number(inUnit(row.change, row.unit), true)));
  const table = (rows) => el("table", { class: "plain-table" }, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Reach"), el("th", { scope: "col" }, "Today"), today ? null : el("th", { scope: "col" }, "With"), today ? null : el("th", { scope: "col" }, "Change"))), el("tbody", {}, rows.map(rowOf)));
  const near = found.figures.filter((row) => row.kind === state.choice.kind && row.measure === state.choice.measure && row.reading === state.choice.reading), rest = found.figures.filter((row) => !near.includes(row));
  const open = box.querySelector(".more-figures");
  box.replaceChildren(...[el("p", { class: "hint" }, facts.join(" · ")), near.length ? table(near) : null, rest.length ? el("details", { class: "more-figures", open: Boolean(open && open.open) }, el("summary", {}, `${rest.length} more figures`), table(rest)) : null,
    el("h3", {}, "Journeys from here"), ...journeys(found, today), another(id, box)].filter(Boolean));
}

const isAsked = (row) => row.kind === state.choice.kind && row.measure === state.choice.measure && row.reading === state.choice.reading && (row.cutoff_min ?? null) === (state.choice.cutoff_min ?? null);

function journeys(found, today) {
  const lists = [["Today", found.journeys.today || [], false], ...(today ? [] : [["With the proposal", found.journeys.value || [], true]])];
  return lists.flatMap(([title, list, isNew]) => [el("h4", {}, title), list.length ? el("ul", { class: "journeys" }, list.map((trip) => journey(trip, isNew))) : el("p", { class: "hint" }, "No journey was asked for.")]);
}

const clock = (time) => time.slice(0, 5);

/** What a place is called; one without a name by its kind. */
function placeName({ to, name }) {
  if (name && name !== to) return name;
  const found = state.map.places.find((one) => one.id === to);
  return found ? `unnamed, of ${nameOf(state.study.kinds, found.kind).toLowerCase()}` : "an unnamed place";
}

function journey(trip, isNew) {
  if (!trip.legs || !trip.legs.length) return el("li", {}, el("strong", {}, placeName(trip)), el("p", { class: "hint" }, [trip.why, trip.needed].filter(Boolean).join(" ") || "No journey within the limits."));
  const end = (leg) => (leg.to === trip.to || leg.to === trip.name ? placeName(trip) : leg.to);
  const legs = el("ol", { class: "legs" }, trip.legs.map((leg) => el("li", {}, el("span", { class: "time" }, clock(leg.departure)), leg.mode === "walk" ? `walk to ${end(leg)}` : `${leg.mode} ${leg.route} to ${end(leg)}`)));
  const show = () => drawJourney(trip.legs, isNew);
  return el("li", {}, el("details", { ontoggle: (event) => { if (event.target.open) show(); } }, el("summary", {}, el("strong", {}, placeName(trip)), ` ${number(Math.round(trip.minutes))} min`, el("span", { class: "hint" }, ` ${clock(trip.departure)}–${clock(trip.arrival)}`)), legs));
}

/** Journeys to places that somebody chooses. */
function another(id, box) {
  const select = el("select", { onchange: () => {
    if (!select.value) return;
    wanted = [...new Set([...wanted, select.value])].slice(-4);
    neighbourhood(id, box);
  } });
  const items = state.map.places.filter((place) => place.name).map((place) => ({ id: place.id, name: place.name })).sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
  options(select, [{ id: "", name: "another place" }, ...items]);
  return field("To", select);
}
