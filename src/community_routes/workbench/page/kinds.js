// The kinds of change: what people call them, the fields of their forms in the order in which one thinks of them, and the
// fields with which a new one starts. The server checks everything; a form only makes writing easy.

import { state } from "./state.js";
import { routeText } from "./places.js";

const ROUTE = { key: "route", label: "Route", type: "route" };
const DAYS = { key: "days", label: "Days", type: "days" };
const FROM = { key: "from", label: "From", type: "clock", optional: true, hint: "empty: from the first bus" };
const TO = { key: "to", label: "To", type: "clock", optional: true, hint: "empty: to the last" };
const DIRECTION = { key: "direction", label: "Direction", type: "choice", items: [["both", "both"], ["0", "there"], ["1", "back"]], default: "both" };
const RUN = [
  { key: "speed_kmh", label: "Speed (km/h)", type: "number", min: 0.5, max: 200, step: 0.5, optional: true },
  { key: "dwell_s", label: "At each stop (s)", type: "number", min: 0, max: 1800, step: 5, optional: true, whole: true }
];
const NAME = { key: "name", label: "Name", type: "text" };
const AT = { key: "at", label: "Where", type: "point" };

const money = (key, label) => ({ key, label, type: "number", min: 0, step: 0.05, optional: true });

export const KINDS = {
  add_route: {
    name: "New route", group: "new", tool: "route",
    fields: [NAME, { key: "stops", label: "Stops, in order", type: "stops", least: 2 },
      { key: "both_ways", label: "Runs both ways", type: "yes", default: true }, { key: "service", label: "Minutes between buses", type: "service" },
      ...RUN, { key: "run_times_min", label: "Minutes from stop to stop", type: "runs" }, { key: "fare", label: "Single fare", type: "fare" }],
    start: () => ({ name: freeName("N"), stops: [], both_ways: true, speed_kmh: 18, dwell_s: 15, service: { [kindOfDay()]: { "06:00-19:00": 20 } } })
  },
  set_headway: {
    name: "How often", group: "route",
    fields: [ROUTE, { key: "*", label: "Minutes between buses", type: "days-service" }, DIRECTION],
    start: (route) => ({ route: routeText(route), [kindOfDay()]: { "07:00-19:00": halved(route) } })
  },
  change_speed: {
    name: "Faster or slower", group: "route",
    fields: [ROUTE, { key: "factor", label: "Speed, times today's", type: "number", min: 0.2, max: 5, step: 0.05 },
      { key: "between", label: "Only between", type: "pair", optional: true }, DAYS, FROM, TO, DIRECTION],
    start: (route) => ({ route: routeText(route), factor: 1.2 })
  },
  extend_route: {
    name: "Longer", group: "route", tool: "extend",
    fields: [ROUTE, { key: "after", label: "From its end at", type: "place" }, { key: "stops", label: "On to, in order", type: "stops", least: 1 },
      ...RUN, { key: "run_times_min", label: "Minutes from stop to stop", type: "runs" }, DAYS],
    start: (route) => ({ route: routeText(route), after: "", stops: [], speed_kmh: 18 })
  },
  reroute: {
    name: "Another way", group: "route", tool: "reroute",
    fields: [ROUTE, { key: "from", label: "Leaves its way at", type: "place" }, { key: "to", label: "Is back at", type: "place" },
      { key: "via", label: "By way of, in order", type: "stops", least: 0 }, ...RUN, DIRECTION],
    start: (route) => ({ route: routeText(route), from: "", to: "", via: [], speed_kmh: 18 })
  },
  add_stop: {
    name: "One more stop", group: "route", tool: "call",
    fields: [ROUTE, { key: "stop", label: "Calls at", type: "place" }, { key: "after", label: "After", type: "place" },
      { key: "dwell_s", label: "Standing (s)", type: "number", min: 0, max: 1800, step: 5, default: 15, whole: true }, DIRECTION],
    start: (route) => ({ route: routeText(route), stop: "", after: "" })
  },
  remove_stops: {
    name: "Leave out stops", group: "route", tool: "leave-out",
    fields: [ROUTE, { key: "stops", label: "Passes by", type: "stops", least: 1 },
      { key: "saves_s", label: "Saves at each (s)", type: "number", min: 0, max: 600, step: 5, default: 0, whole: true }, DIRECTION],
    start: (route) => ({ route: routeText(route), stops: [] })
  },
  change_dwell: {
    name: "Time at stops", group: "route",
    fields: [ROUTE, { key: "dwell_s", label: "Standing (s)", type: "number", min: 0, max: 1800, step: 5, optional: true, whole: true },
      { key: "factor", label: "or times today's", type: "number", min: 0, step: 0.1, optional: true }, DAYS, FROM, TO, DIRECTION],
    start: (route) => ({ route: routeText(route), dwell_s: 20 })
  },
  withdraw_route: {
    name: "Withdraw", group: "route",
    fields: [ROUTE, DAYS, FROM, TO],
    start: (route) => ({ route: routeText(route) })
  },
  add_drt: {
    name: "On-demand zone", group: "new", tool: "zone",
    fields: [NAME, { key: "zone", label: "Zone", type: "shape" }, { key: "hours", label: "Hours", type: "window" }, DAYS,
      { key: "wait_min", label: "Wait (min)", type: "number", min: 0, max: 240, step: 1 },
      { key: "ride_factor", label: "Ride, times the road time", type: "number", min: 1, max: 5, step: 0.1, default: 1 },
      { key: "speed_kmh", label: "Speed (km/h)", type: "number", min: 1, max: 100, step: 1, default: 25 },
      { key: "connects", label: "Connects with", type: "stops", least: 0 },
      { key: "vehicles", label: "Vehicles", type: "number", min: 1, max: 1000, step: 1, optional: true, whole: true }],
    start: () => ({ name: freeName("On demand "), zone: [], days: [kindOfDay()], hours: "07:00-19:00", wait_min: 15, ride_factor: 1.3, speed_kmh: 28, vehicles: 2 })
  },
  add_path: {
    name: "Path", group: "new", tool: "path",
    fields: [NAME, { key: "line", label: "Line", type: "shape" }],
    start: () => ({ name: freeName("Path "), line: [] })
  },
  close_path: {
    name: "Close a path", group: "new", tool: "way",
    fields: [{ key: "osm_way", label: "Number of the way (OpenStreetMap)", type: "number", min: 1, step: 1, whole: true }, { ...NAME, optional: true }],
    start: () => ({ osm_way: null })
  },
  add_homes: {
    name: "Homes", group: "new", tool: "point",
    fields: [NAME, AT, { key: "homes", label: "Homes", type: "number", min: 1, step: 10 },
      { key: "like", label: "People like those of", type: "neighbourhood" },
      { key: "persons_per_home", label: "Persons a home", type: "number", min: 0.1, step: 0.1, default: 2.4 }],
    start: () => ({ name: freeName("Homes "), at: null, homes: 200, like: "" })
  },
  add_jobs: {
    name: "Jobs", group: "new", tool: "point",
    fields: [NAME, AT, { key: "jobs", label: "Jobs", type: "number", min: 1, step: 10 }],
    start: () => ({ name: freeName("Jobs "), at: null, jobs: 200 })
  },
  add_space: {
    name: "Shared space", group: "new", tool: "point",
    fields: [NAME, AT, { key: "kind", label: "Kind", type: "text", optional: true }],
    start: () => ({ name: freeName("Space "), at: null })
  },
  change_fare: {
    name: "Fares", group: "new",
    fields: [money("single", "Single"), money("return", "Return"), money("day", "Day ticket"), money("week", "Week ticket"),
      money("four_week", "Four weeks"), money("cap_single", "No single above"), money("per_km", "A kilometre"), money("minimum", "At least")],
    start: () => ({ cap_single: 2 })
  }
};

/** The kind of day that is on the screen, as a proposal names it: by the date, for a study may call its days as it likes. */
function kindOfDay() {
  const day = state.study.days.find((one) => one.id === state.choice.day);
  return { 0: "sunday", 6: "saturday" }[day ? new Date(`${day.date}T12:00:00Z`).getUTCDay() : 1] || "weekday";
}

/** A name that no change of the proposal has: N1, N2 ... */
function freeName(prefix) {
  const taken = new Set(((state.answer && state.answer.changes) || []).map((change) => change.fields && String(change.fields.name)));
  for (const route of state.map.routes) taken.add(route.name);
  let n = 1;
  while (taken.has(prefix + n)) n += 1;
  return prefix + n;
}

/** Half of what a route has by day now, as a first suggestion. */
function halved(route) {
  const today = Object.values((route.headways || {})[state.choice.day] || {}).filter((x) => x > 0);
  const middle = today.sort((a, b) => a - b)[Math.floor(today.length / 2)];
  return middle ? Math.max(2, Math.round(middle / 2)) : 15;
}

/** One kind and its fields, from `{kind: {fields}}`. */
export const kindName = (kind) => (KINDS[kind] || { name: kind }).name;
