// Forms of changes. A form shows the fields as they stand in the file and sends the whole change when one of them was altered.

import { button, el, field, freshId, options } from "./dom.js";
import { KINDS } from "./kinds.js";
import { placeLabel, routeLabel, routeOf, routeText, written } from "./places.js";
import { state } from "./state.js";

const DAYS = ["weekday", "saturday", "sunday"];
const SHORT = { weekday: "Mon–Fri", saturday: "Sat", sunday: "Sun" };
const SINGLE_DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday"];

/** The form of a change; `changed(fields)` is called with all fields, `draw()` when somebody wants to point at the map. */
export function form(kind, fields, { changed, draw, stops }) {
  const known = KINDS[kind];
  const send = (key, value) => {
    const next = { ...fields };
    if (value === null || value === undefined || value === "") delete next[key];
    else next[key] = value;
    changed(next);
  };
  const context = { fields, changed, send, draw, stops };
  const rest = Object.keys(fields).filter((key) => !known.fields.some((item) => item.key === key || item.key === "*") && !(key === "agency" && kind !== "add_route"));
  return el("div", { class: "form" },
    known.fields.map((item) => (WIDGETS[item.type] || WIDGETS.text)(item, context)),
    rest.length && kind !== "set_headway" ? el("p", { class: "hint" }, `Also written in the text: ${rest.join(", ")}.`) : null);
}

const keyed = (item) => ({ "data-key": item.key });

const WIDGETS = {
  text(item, { fields, send }) {
    const input = el("input", { type: "text", value: fields[item.key] ?? "", ...keyed(item), onchange: () => send(item.key, input.value.trim()) });
    return field(item.label, input, item.hint);
  },

  number(item, { fields, send }) {
    const value = fields[item.key] ?? item.default ?? "";
    if (typeof value === "object") return el("p", { class: "hint" }, `${item.label}: by period, see the text.`);
    const input = el("input", { type: "number", value: String(value), min: item.min, max: item.max, step: "any", inputMode: "decimal", ...keyed(item) });
    input.addEventListener("change", () => {
      if (input.value === "") { if (item.optional) send(item.key, null); return; }
      const number = item.whole ? Math.round(Number(input.value)) : Number(input.value);
      if (item.key === "speed_kmh" && fields.run_times_min) dropRunTimes(fields, number);
      send(item.key, number);
    });
    return field(item.label, input, item.hint);
  },

  yes(item, { fields, send }) {
    const id = freshId("yes");
    const input = el("input", { type: "checkbox", id, checked: fields[item.key] ?? item.default, ...keyed(item), onchange: () => send(item.key, input.checked) });
    return el("div", { class: "field tick" }, input, el("label", { htmlFor: id }, item.label));
  },

  choice(item, { fields, send }) {
    const select = el("select", { ...keyed(item), onchange: () => send(item.key, select.value === item.default ? null : select.value) });
    options(select, item.items.map(([id, name]) => ({ id, name })), String(fields[item.key] ?? item.default));
    return field(item.label, select, item.hint);
  },

  clock(item, { fields, send }) {
    const input = el("input", { type: "text", value: fields[item.key] ?? "", placeholder: "07:00", pattern: "\\d{1,2}:[0-5]\\d", size: 6, ...keyed(item), onchange: () => send(item.key, input.value.trim()) });
    return field(item.label, input, item.hint);
  },

  window(item, { fields, send }) {
    const input = el("input", { type: "text", value: fields[item.key] ?? "", placeholder: "07:00-19:00", ...keyed(item), onchange: () => send(item.key, input.value.trim()) });
    return field(item.label, input, "from-to, as in 07:00-19:00");
  },

  days(item, { fields, send }) {
    const given = [fields[item.key] ?? []].flat();
    const boxes = [...DAYS, ...given.filter((day) => !DAYS.includes(day))].map((day) => {
      const input = el("input", { type: "checkbox", checked: given.includes(day), value: day, onchange: () => {
        const all = boxes.map((label) => label.firstChild).filter((box) => box.checked).map((box) => box.value);
        send(item.key, all.length ? all : null);
      } });
      return el("label", {}, input, " ", day);
    });
    return el("fieldset", { class: "field row" }, el("legend", {}, `${item.label} `, el("span", { class: "hint" }, given.length ? "" : "(none ticked: every day)")), boxes);
  },

  route(item, { fields, changed }) {
    const select = el("select", { ...keyed(item) });
    const now = routeOf(fields);
    const own = typeof fields.route === "object" ? fields.route.route : fields.route;
    const items = state.map.routes.map((route) => ({ id: route.id, name: `${routeLabel(route)}: ${route.long_name || ""}` }));
    if (!now) items.unshift({ id: "", name: String(own ?? "") });
    options(select, items, now ? now.id : "");
    select.addEventListener("change", () => {
      const route = state.map.routes.find((other) => other.id === select.value);
      if (!route) return;
      const next = { ...fields, route: routeText(route) };
      delete next.agency;
      changed(next);
    });
    return field(item.label, select, item.hint);
  },

  neighbourhood(item, { fields, send }) {
    const select = el("select", { ...keyed(item), onchange: () => send(item.key, select.value) });
    const all = state.map.neighbourhoods.features.map((feature) => ({ id: feature.properties.id, name: feature.properties.name }));
    const value = fields[item.key] ?? "";
    const same = all.find((one) => one.id === value || one.name === value);
    options(select, same ? all : [{ id: value, name: value || "choose" }, ...all], same ? same.id : value);
    return field(item.label, select, item.hint);
  },

  place(item, { fields, send }) {
    const input = el("input", { type: "text", value: placeLabel(fields[item.key]), autocomplete: "off", ...keyed(item), onchange: () => send(item.key, written(input.value)) });
    input.setAttribute("list", "place-names");
    return field(item.label, input, item.hint);
  },

  pair(item, { fields, send }) {
    const given = fields[item.key] || ["", ""];
    const inputs = [0, 1].map((i) => {
      const input = el("input", { type: "text", value: placeLabel(given[i]), autocomplete: "off", "aria-label": `${item.label}: ${i ? "second" : "first"} stop`, onchange: () => {
        const both = inputs.map((one) => one.value.trim());
        if (both.every(Boolean)) send(item.key, both.map(written));
        else if (!both.some(Boolean)) send(item.key, null);
      } });
      input.setAttribute("list", "place-names");
      return input;
    });
    return el("fieldset", { class: "field" }, el("legend", {}, item.label), inputs[0], el("span", { class: "hint" }, "and"), inputs[1]);
  },

  stops: stopsField,
  service(item, { fields, send }) {
    return headways(item.label, fields.service || {}, (service) => send("service", service), fields.departures);
  },

  "days-service"(item, { fields, changed }) {
    const days = [...DAYS, ...SINGLE_DAYS, "day"];
    const service = { ...(fields.service || {}) };
    for (const day of days) if (fields[day]) service[day] = fields[day];
    return headways(item.label, service, (next) => {
      const kept = Object.fromEntries(Object.entries(fields).filter(([key]) => !days.includes(key) && key !== "service"));
      const named = Object.entries(next).filter(([day]) => days.includes(day)), dated = Object.entries(next).filter(([day]) => !days.includes(day));
      changed({ ...kept, ...Object.fromEntries(named), ...(dated.length ? { service: Object.fromEntries(dated) } : {}) });
    });
  },

  runs(item, { fields, changed, stops }) {
    const list = fields.stops || [];
    const n = list.length - (fields.after === undefined ? 1 : 0);
    if (n < 1) return null;
    const given = fields.run_times_min || null;
    const told = (stops || []).slice(fields.after === undefined ? 1 : 0).map((stop) => stop.minutes);
    const values = Array.from({ length: n }, (_, i) => given ? given[i] : told[i] ?? null);
    const inputs = values.map((value, i) => {
      const input = el("input", { type: "number", min: 0.1, max: 600, step: "any", value: value === null || value === undefined ? "" : String(Math.round(value * 10) / 10),
        "aria-label": `Minutes to ${placeLabel(list[list.length - n + i])}`, onchange: () => {
          const all = inputs.map((one) => Number(one.value));
          if (!all.every((minutes) => minutes > 0)) return;
          const next = { ...fields, run_times_min: all };
          delete next.speed_kmh;
          delete next.dwell_s;
          changed(next);
        } });
      return input;
    });
    const lines = inputs.map((input, i) => el("li", {}, el("span", {}, `to ${placeLabel(list[list.length - n + i])}`), input));
    const back = given ? button("Take them from the road instead", () => { const next = { ...fields }; dropRunTimes(next, 18); changed(next); }, { class: "quiet" }) : null;
    const total = values.reduce((sum, value) => sum + (value || 0), 0);
    return el("details", { class: "field runs", open: Boolean(given) || openRuns.has(fields.name ?? fields.route), ontoggle: (event) => remember(openRuns, fields.name ?? fields.route, event.target.open) },
      el("summary", {}, `${item.label}${total ? `: ${Math.round(total)} in all` : ""}`), el("ol", {}, lines), back);
  },

  fare(item, { fields, send }) {
    const fare = fields.fare || {};
    const input = el("input", { type: "number", min: 0, step: "any", value: fare.single ?? "", onchange: () => {
      const next = { ...fare };
      if (input.value === "") delete next.single; else next.single = Number(input.value);
      send("fare", Object.keys(next).length ? next : null);
    } });
    return field(`${item.label}${state.study.currency ? ` (${state.study.currency})` : ""}`, input, "empty: as today");
  },

  point(item, { fields, send, draw }) {
    const at = fields.at;
    const input = el("input", { type: "text", value: at ? at.join(", ") : "", ...keyed(item), placeholder: "longitude, latitude", onchange: () => {
      const pair = input.value.split(",").map(Number);
      if (pair.length === 2 && pair.every(Number.isFinite)) send("at", pair);
    } });
    return el("div", { class: "field with-button" }, field(item.label, input), button("On the map", draw));
  },

  shape(item, { fields, send, draw }) {
    const value = fields[item.key];
    if (typeof value === "string") return el("div", { class: "field" }, el("span", { class: "hint" }, `${item.label}: the file ${value}`), button("Draw it here instead", draw));
    const corners = (value || []).map((pair) => pair.join(", ")).join("\n");
    const area = el("textarea", { rows: 3, value: corners, ...keyed(item), onchange: () => {
      const pairs = area.value.split("\n").filter((line) => line.trim()).map((line) => line.split(",").map(Number));
      if (pairs.length > 1 && pairs.every((pair) => pair.length === 2 && pair.every(Number.isFinite))) send(item.key, pairs);
    } });
    return el("div", { class: "field" }, el("details", {}, el("summary", {}, `${item.label}: ${(value || []).length} corners`), field("Corners, longitude and latitude, one a line", area)), button("Draw it again", draw));
  }
};

const openRuns = new Set();
function remember(set, key, open) {
  if (open) set.add(key); else set.delete(key);
}

function dropRunTimes(fields, speed) {
  delete fields.run_times_min;
  fields.speed_kmh = speed;
}

/** The list of stops: each with its time, up, down, take out; a box to put one in at the end or before another. */
function stopsField(item, { fields, changed, draw, stops }) {
  const list = fields[item.key] || [];
  const set = (next) => changed({ ...fields, [item.key]: next, ...(fields.run_times_min && next.length !== list.length ? { run_times_min: undefined, speed_kmh: fields.speed_kmh ?? 18 } : {}) });
  const rows = list.map((stop, i) => {
    const label = placeLabel(stop);
    const minutes = stops && stops.length === list.length && stops[i] && i ? stops[i].minutes : null;
    const act = (sign, words, next, off) => button(sign, () => set(next), { class: "icon", "aria-label": `${words} ${label}`, title: words, disabled: off });
    const moved = (to) => { const next = [...list]; next.splice(to, 0, ...next.splice(i, 1)); return next; };
    return el("li", { "data-stop": i }, el("span", { class: "stop-name" }, label, stop && typeof stop === "object" && stop.at ? el("span", { class: "tag" }, "new") : null),
      minutes ? el("span", { class: "hint" }, `${Math.round(minutes * 10) / 10} min`) : null,
      el("span", { class: "row-tools" }, act("↑", "Move up", moved(i - 1), i === 0), act("↓", "Move down", moved(i + 1), i === list.length - 1),
        act("×", "Take out", list.filter((_, j) => j !== i), list.length <= item.least)));
  });
  const input = el("input", { type: "text", autocomplete: "off", "aria-label": `${item.label}: add a stop or place`, placeholder: "name of a stop or place", "data-add": item.key });
  input.setAttribute("list", "place-names");
  const where = el("select", { "aria-label": "Put it" });
  options(where, [{ id: list.length, name: "at the end" }, ...list.map((stop, i) => ({ id: i, name: `before ${placeLabel(stop)}` }))], list.length);
  const add = () => {
    if (!input.value.trim()) return;
    const next = [...list];
    next.splice(Number(where.value), 0, written(input.value));
    set(next);
  };
  input.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); add(); } });
  return el("fieldset", { class: "field stops" }, el("legend", {}, item.label), rows.length ? el("ol", {}, rows) : el("p", { class: "hint" }, "None yet."),
    el("div", { class: "add-stop" }, input, list.length ? where : null, button("Add", add)), draw ? button("Point at them on the map", draw, { class: "quiet" }) : null);
}

/** Periods of the day down, kinds of day across; an empty cell is no service of ours. */
function headways(label, service, send, departures = null) {
  const days = [...new Set([...DAYS, ...Object.keys(service)])];
  const periods = [...new Set(Object.values(service).flatMap((day) => Array.isArray(day) ? [] : Object.keys(day).filter((key) => key !== "departures")))];
  periods.sort((a, b) => a.padStart(11, "0").localeCompare(b.padStart(11, "0")));
  const by = (day, period) => Array.isArray(service[day]) ? "" : (service[day] || {})[period] ?? "";
  const altered = (day, period, value) => {
    const next = structuredClone(service);
    next[day] = Array.isArray(next[day]) ? { departures: next[day] } : next[day] || {};
    if (value === "") delete next[day][period]; else next[day][period] = Number(value);
    if (!Object.keys(next[day]).length) delete next[day];
    if (Object.keys(next).length) send(next);
  };
  const renamed = (before, after) => {
    const next = structuredClone(service);
    for (const day of Object.keys(next)) if (!Array.isArray(next[day]) && before in next[day]) {
      const value = next[day][before];
      delete next[day][before];
      if (after) next[day][after] = value;
      if (!Object.keys(next[day]).length) delete next[day];
    }
    if (Object.keys(next).length) send(next);
  };
  const body = periods.map((period) => {
    const name = el("input", { type: "text", value: period, size: 11, "aria-label": `Period ${period}: from-to`, onchange: () => renamed(period, name.value.trim().replace(/\s*[–-]\s*/, "-")) });
    const cells = days.map((day) => el("td", {}, el("input", { type: "number", min: 1, max: 240, step: "any", value: String(by(day, period)), "data-day": day, "data-period": period,
      "aria-label": `${label}, ${day} ${period}`, onchange: (event) => altered(day, period, event.target.value) })));
    return el("tr", {}, el("th", { scope: "row" }, name), cells);
  });
  const more = el("input", { type: "text", size: 11, placeholder: "19:00-23:00", "aria-label": "Another period: from-to" });
  const add = () => { const text = more.value.trim().replace(/\s*[–-]\s*/, "-"); if (/^\d{1,2}:\d\d-\d{1,2}:\d\d$/.test(text)) altered(Object.keys(service)[0] || DAYS[0], text, "30"); };
  more.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); add(); } });
  const fixed = Object.entries(service).filter(([, day]) => Array.isArray(day) || day.departures).map(([day]) => day);
  return el("fieldset", { class: "field" }, el("legend", {}, label),
    departures ? el("p", { class: "hint" }, `Departures at ${departures.join(", ")} every day.`) : null,
    el("table", { class: "headways" }, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Period"), days.map((day) => el("th", { scope: "col" }, SHORT[day] || day)))), el("tbody", {}, body)),
    fixed.length ? el("p", { class: "hint" }, `${fixed.join(", ")}: single departures, see the text.`) : null,
    el("div", { class: "add-row" }, more, button("Add period", add)));
}
