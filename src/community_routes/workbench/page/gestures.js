// What the pointer does on the map: choose, draw, drag. A gesture ends in a change of the text; while it goes on, the answer follows.
/* global L */

import { post } from "./api.js";
import { addChange, askWith, gesture, setChange } from "./asking.js";
import { button, byId, el, say } from "./dom.js";
import { KINDS } from "./kinds.js";
import { map, nearestZone, touches, under, zoneOf } from "./map.js";
import { metres, newStopName, placeAt, placeLabel, placeText, point, routeOf, routeText, stopById, stopText } from "./places.js";
import { TODAY, choose, chooseChange, on, state, tell } from "./state.js";

const PROMPTS = {
  route: "Click the stops in order: a stop, a place, or a street for a new stop.",
  extend: "Click where the route goes on to, stop by stop.",
  reroute: ["Click the stop where the route leaves its way.", "Click the stop where it is back.", "Click the stops on the new way."],
  call: "Click the stop at which the route calls.",
  "leave-out": "Click the stops that the route passes by.",
  zone: "Click the corners of the zone.",
  path: "Click the course of the path, from street to street.",
  point: "Click where it is.",
  way: "Click the street or path that can no longer be walked.",
  reach: "Click a point to see how far one gets from there."
};
/** Where a change keeps its list of stops, its shape, or its one place. */
const LISTS = { add_route: "stops", extend_route: "stops", reroute: "via", add_drt: "connects" };
const SHAPES = { add_drt: "zone", add_path: "line" };

let handles = null;
let sketch = null;

let reachFrom = null;

export function watchMap(reach) {
  reachFrom = reach;
  handles = L.layerGroup().addTo(map);
  sketch = L.layerGroup().addTo(map);
  map.on("click", (event) => { if (!swallowed && (state.tool || !onHandle(event))) clicked(event); });
  map.on("dblclick", () => finish());
  map.on("mousedown", grabLine);
  document.addEventListener("keydown", (event) => {
    if (!state.tool || event.target.closest("dialog, input, textarea, select")) return;
    const ends = event.key === "Enter" && !event.target.closest("button, summary, a");
    if (ends || event.key === "Escape") { event.preventDefault(); finish(event.key === "Escape"); }
  });
  on("answer change tabs selected", drawHandles);
  on("tabs", () => { if (state.tool) finish(true); });
}

// ---- tools ----

/** Start to point at things on the map: for a new change of a kind (`route` for an existing route), or for one that is there. */
export function pointAt(name, { kind = null, index = null, route = null } = {}) {
  state.tool = { name, kind, index, route, points: [] };
  if (index !== null && state.change !== index) chooseChange(index);
  prompt();
  tell("tool");
  say(byId("prompt").textContent);
}

function prompt() {
  const tool = state.tool, box = byId("prompt");
  box.hidden = !tool;
  if (!tool) { box.replaceChildren(); return; }
  const words = PROMPTS[tool.name];
  box.replaceChildren(el("span", {}, Array.isArray(words) ? words[Math.min(tool.points.length, words.length - 1)] : words),
    button("Done", () => finish(), { class: "strong" }), el("span", { class: "hint" }, "Enter ends, Esc gives up."));
}

/** The end of pointing: a zone or a path is made of what was clicked; the rest is there already. */
export function finish(given_up = false) {
  const tool = state.tool;
  if (!tool) return;
  if (!given_up && (tool.name === "zone" || tool.name === "path")) shaped(tool);
  state.tool = null;
  sketch.clearLayers();
  prompt();
  tell("tool");
  drawHandles();
}

function shaped(tool) {
  const least = tool.name === "zone" ? 3 : 2;
  if (tool.points.length < least) { tell("fault", `A ${tool.name} needs ${least} points or more.`); return; }
  put(tool, SHAPES[tool.kind], tool.points.map(point));
}

/** The change that a tool works on, as it stands in the text. */
const changeAt = (index) => (state.answer && state.answer.changes ? state.answer.changes.find((change) => change.index === index) : null);

/** Write one field of a tool's change: of the one it works on, or of a new one. */
function put(tool, key, value, more = {}) {
  const there = tool.index === null ? null : changeAt(tool.index);
  const fields = withoutRuns({ ...(there ? there.fields : KINDS[tool.kind].start(tool.route)), ...more, [key]: value });
  gesture();
  if (there) { setChange(tool.index, there.kind, fields); return; }
  addChange(tool.kind, fields);
  tool.index = state.change;
}

function clicked({ latlng }) {
  const tool = state.tool;
  if (!tool) { look(latlng); return; }
  if (tool.name === "reach") { reachFrom({ lon: latlng.lng, lat: latlng.lat }); return; }
  const spot = under(latlng);
  const acts = { route: addStop, extend: addStop, reroute: anotherWay, call: oneMoreStop, "leave-out": leaveOut, zone: corner, path: corner, point: onePlace, way: oneWay };
  acts[tool.name](tool, spot);
  prompt();
}

/** What is written for a place that was clicked: the stop, the destination, or a new stop there. */
function writtenFor(spot, list) {
  if (spot.stop) return stopText(spot.stop);
  if (spot.place) return placeText(spot.place);
  return { at: point(spot), name: newStopName(list) };
}

function marked(spot) {
  const at = spot.stop || spot.place || spot;
  L.circleMarker([at.lat, at.lon], { pane: "new", interactive: false, radius: 5, color: "#c0156b", weight: 2.5, fillColor: "#fff", fillOpacity: 1 }).addTo(sketch);
}

function currentList(tool) {
  const there = tool.index === null ? null : changeAt(tool.index);
  return there ? there.fields[LISTS[tool.kind]] || [] : tool.points;
}

function addStop(tool, spot) {
  const list = [...currentList(tool), writtenFor(spot, currentList(tool))];
  marked(spot);
  say(`Stop ${list.length}: ${placeLabel(list.at(-1))}`);
  if (tool.kind === "extend_route" && tool.index === null) { put(tool, "stops", list, { after: nearestEnd(tool.route, spot) }); return; }
  tool.points = list;
  if (tool.index !== null || list.length >= (tool.kind === "add_route" ? 2 : 1)) put(tool, LISTS[tool.kind], list);
}

/** The terminus of a route that is nearest to a spot, as a file names it. */
function nearestEnd(route, spot) {
  const stops = stopsOf(route), ends = [stops[0], stops.at(-1)].filter(Boolean);
  ends.sort((a, b) => metres(a, spot) - metres(b, spot));
  return ends.length ? stopText(ends[0]) : "";
}

const stopsOf = (route) => (route && route.patterns.length ? route.patterns[0].stops.map(stopById).filter(Boolean) : []);

function closestStop(route, spot) {
  return stopsOf(route).reduce((best, stop) => (best === null || metres(stop, spot) < metres(best, spot) ? stop : best), null);
}

function anotherWay(tool, spot) {
  const route = tool.route || routeOf(changeAt(tool.index).fields);
  if (tool.index !== null) { put(tool, "via", [...currentList(tool), writtenFor(spot, currentList(tool))]); return; }
  if (tool.points.length < 2) {
    const stop = spot.stop && stopsOf(route).includes(spot.stop) ? spot.stop : closestStop(route, spot);
    if (!stop) return;
    tool.points.push(stop);
    marked(stop);
    return;
  }
  const [from, to] = inOrder(route, tool.points[0], tool.points[1]);
  put(tool, "via", [writtenFor(spot, [])], { from: stopText(from), to: stopText(to) });
}

function inOrder(route, a, b) {
  const ids = stopsOf(route);
  return ids.indexOf(a) <= ids.indexOf(b) ? [a, b] : [b, a];
}

/** The stops of a route between which a spot lies: those of the segment that it is nearest to. */
function segmentAt(stops, spot) {
  let best = 0, least = Infinity;
  for (let i = 0; i + 1 < stops.length; i += 1) {
    const d = metres(stops[i], spot) + metres(spot, stops[i + 1]) - metres(stops[i], stops[i + 1]);
    if (d < least) [best, least] = [i, d];
  }
  return best;
}

function oneMoreStop(tool, spot) {
  const route = tool.route || routeOf(changeAt(tool.index).fields), stops = stopsOf(route);
  if (stops.length < 2) return;
  put(tool, "stop", writtenFor(spot, []), { after: stopText(stops[segmentAt(stops, spot)]) });
  finish();
}

function leaveOut(tool, spot) {
  const route = tool.route || routeOf(changeAt(tool.index).fields);
  const stop = spot.stop && stopsOf(route).find((one) => one.name === spot.stop.name) || closestStop(route, spot);
  if (!stop) return;
  const list = tool.index === null ? [] : changeAt(tool.index).fields.stops || [], text = stopText(stop);
  const next = list.includes(text) ? list.filter((one) => one !== text) : [...list, text];
  if (next.length) put(tool, "stops", next);
}

function corner(tool, spot) {
  tool.points.push({ lon: spot.lon, lat: spot.lat });
  sketch.clearLayers();
  const pairs = tool.points.map(({ lon, lat }) => [lat, lon]);
  const style = { pane: "new", color: "#c0156b", weight: 2.5, dashArray: "5 4", interactive: false, fillOpacity: 0.1 };
  (tool.name === "zone" && pairs.length > 2 ? L.polygon(pairs, style) : L.polyline(pairs, { ...style, fill: false })).addTo(sketch);
  for (const pair of pairs) marked({ lon: pair[1], lat: pair[0] });
}

function onePlace(tool, spot) {
  const more = tool.kind === "add_homes" && tool.index === null ? { like: spot.neighbourhood || nearestZone(spot) } : {};
  put(tool, "at", point(spot), more);
  finish();
}

/** The street that was clicked, by the number that a file calls it by. */
async function oneWay(tool, { lon, lat }) {
  finish();
  try {
    const { osm_way, name } = await post("way", { lon, lat });
    put(tool, "osm_way", osm_way, name ? { name } : {});
  } catch (fault) { tell("fault", fault.message); }
}

// ---- choosing ----

function look(latlng) {
  const spot = under(latlng), at = map.latLngToContainerPoint(latlng);
  const hit = state.active === TODAY || !state.answer ? null : (state.answer.changes || []).find((change) => !change.off && (change.lines || []).some((pairs) => pairs.length > 1 && touches(pairs, at, 7)));
  if (hit && !spot.stop) { chooseChange(hit.index); return; }
  choose({ ...spot, routes: undefined, stop: spot.stop && spot.stop.id, place: spot.place && spot.place.id, near: spot.routes.map((route) => route.id),
    route: !spot.stop && !spot.place && spot.routes.length === 1 ? spot.routes[0].id : null });
}

/** Choose a neighbourhood, a route or a stop from a list. */
export function chooseByName(what) {
  const zone = what.neighbourhood && zoneOf(what.neighbourhood);
  if (zone) { const { lat, lng } = zone.layer.getBounds().getCenter(); choose({ near: [], lon: lng, lat, ...what }); return; }
  choose({ near: [], ...what });
}

// ---- dragging ----

let swallowed = false;
const onHandle = (event) => Boolean(event.originalEvent.target.closest(".handle"));

function handle(at, name, title, { drag, drop, remove = null, free = false }) {
  const icon = L.divIcon({ className: `handle ${name}`, html: "", iconSize: [18, 18] });
  const marker = L.marker([at.lat, at.lon], { icon, draggable: true, keyboard: false, pane: "handles", title, autoPan: true });
  const spotOf = () => { const here = marker.getLatLng(); return free ? { lon: here.lng, lat: here.lat } : under(here); };
  marker.on("dragstart", () => { state.dragging = true; });
  marker.on("drag", () => { if (drag) drag(spotOf()); });
  marker.on("dragend", () => { state.dragging = false; gesture(); drop(spotOf()); });
  // While one draws, a stop that is there already is clicked like any other: a route may end where it began.
  marker.on("click", () => { if (state.tool) clicked({ latlng: marker.getLatLng() }); });
  if (remove) {
    marker.on("dblclick contextmenu", (event) => { L.DomEvent.stop(event); if (state.tool) return; gesture(); remove(); });
  }
  marker.addTo(handles);
  return marker;
}

/** Handles of what is chosen: the stops of a change, the corners of its shape, its place; the ends of a route. */
function drawHandles() {
  if (!handles || state.dragging) return;
  handles.clearLayers();
  if (state.active === TODAY || (state.tool && ["zone", "path"].includes(state.tool.name))) return;
  const change = changeAt(state.change);
  if (change && change.fields && !change.off) { handlesOf(change); return; }
  const route = state.selected && state.map.routes.find((one) => one.id === state.selected.route);
  if (route) handlesOfEnds(route);
}

function handlesOf(change) {
  const { fields, index, kind } = change;
  const edits = (next) => ({
    drag: (spot) => askWith({ op: "set", index, change: { [kind]: next(spot) } }),
    drop: (spot) => setChange(index, kind, next(spot))
  });
  if (Array.isArray(fields.at)) {
    handle({ lon: fields.at[0], lat: fields.at[1] }, "spot", `${fields.name}: drag it elsewhere`, { free: true, ...edits((spot) => ({ ...fields, at: point(spot) })) });
  }
  const shape = fields[SHAPES[kind]];
  if (Array.isArray(shape)) {
    shape.forEach((pair, i) => {
      const least = kind === "add_drt" ? 3 : 2;
      const without = shape.length > least ? () => setChange(index, kind, { ...fields, [SHAPES[kind]]: shape.filter((_, j) => j !== i) }) : null;
      handle({ lon: pair[0], lat: pair[1] }, "corner", "Drag; double-click takes it out", { free: true, remove: without,
        ...edits((spot) => ({ ...fields, [SHAPES[kind]]: shape.map((old, j) => (j === i ? point(spot) : old)) })) });
    });
  }
  const key = LISTS[kind];
  if (!Array.isArray(fields[key])) return;
  const list = fields[key];
  list.forEach((stop, i) => {
    const at = (change.stops || []).length === list.length ? change.stops[i] : placeAt(stop);
    if (!at) return;
    const moved = (spot) => ({ ...fields, [key]: list.map((old, j) => (j === i ? (spot.stop || spot.place || typeof old !== "object" || !old.at ? writtenFor(spot, list) : { ...old, at: point(spot) }) : old)) });
    const least = KINDS[kind].fields.find((item) => item.key === key).least;
    const without = list.length > least ? () => setChange(index, kind, withoutRuns({ ...fields, [key]: list.filter((_, j) => j !== i) })) : null;
    handle(at, "stop", `${placeLabel(stop)}: drag it; double-click takes it out`, { remove: without, ...edits(moved) });
  });
}

function withoutRuns(fields) {
  if (!fields.run_times_min) return fields;
  const { run_times_min: _, ...rest } = fields;
  return { ...rest, speed_kmh: fields.speed_kmh ?? 18 };
}

/** An end of an existing route, dragged to where it should go on to. */
function handlesOfEnds(route) {
  const stops = stopsOf(route);
  for (const end of new Set([stops[0], stops.at(-1)])) {
    if (!end) continue;
    const fields = (spot) => ({ ...KINDS.extend_route.start(route), after: stopText(end), stops: [writtenFor(spot, [])] });
    handle(end, "end", `End of route ${route.name}: drag it to make the route longer`, {
      drag: (spot) => askWith({ op: "add", change: { extend_route: fields(spot) } }),
      drop: (spot) => { if (spot.stop !== end) addChange("extend_route", fields(spot)); else drawHandles(); }
    });
  }
}

/** The line itself can be taken: of a drawn route (one more stop), or of an existing one (another way). */
function grabLine(event) {
  if (state.tool || state.active === TODAY || event.originalEvent.button !== 0 || onHandle(event)) return;
  const at = event.containerPoint, change = changeAt(state.change);
  const wanted = change && ["add_route", "extend_route", "reroute"].includes(change.kind) && !change.off && (change.lines || []).some((pairs) => pairs.length > 1 && touches(pairs, at, 7)) ? insertion(change, under(event.latlng)) : detour(event);
  if (!wanted) return;
  map.dragging.disable();
  let moved = false;
  const ghost = L.circleMarker(event.latlng, { pane: "new", interactive: false, radius: 7, color: "#c0156b", weight: 3, fillColor: "#fff", fillOpacity: 1 });
  const move = (e) => {
    if (!moved && map.latLngToContainerPoint(e.latlng).distanceTo(at) < 5) return;
    if (!moved) ghost.addTo(sketch);
    moved = state.dragging = true;
    ghost.setLatLng(e.latlng);
    askWith(wanted(under(e.latlng)));
  };
  const up = (e) => {
    map.off("mousemove", move);
    map.dragging.enable();
    ghost.remove();
    state.dragging = false;
    if (!moved) return;
    swallowed = true;
    setTimeout(() => { swallowed = false; }, 0);
    gesture();
    const { op, index, change: next } = wanted(under(e.latlng));
    const [kind, fields] = Object.entries(next)[0];
    if (op === "set") setChange(index, kind, fields); else addChange(kind, fields);
  };
  map.on("mousemove", move);
  map.once("mouseup", up);
}

function insertion(change, spot) {
  const key = LISTS[change.kind], list = change.fields[key] || [];
  const ats = list.map((stop, i) => (change.stops || []).length === list.length ? change.stops[i] : placeAt(stop));
  const before = change.kind === "extend_route" ? [placeAt(change.fields.after), ...ats] : change.kind === "reroute" ? [placeAt(change.fields.from), ...ats, placeAt(change.fields.to)] : ats;
  if (before.some((at) => !at)) return null;
  const put_at = segmentAt(before, spot) + (change.kind === "add_route" ? 1 : 0);
  return (here) => {
    const next = [...list];
    next.splice(put_at, 0, writtenFor(here, list));
    return { op: "set", index: change.index, change: { [change.kind]: withoutRuns({ ...change.fields, [key]: next }) } };
  };
}

function detour(event) {
  const route = state.change === null && state.selected && state.map.routes.find((one) => one.id === state.selected.route);
  if (!route || !route.patterns.some((pattern) => touches(pattern.line, event.containerPoint, 7))) return null;
  const stops = stopsOf(route);
  if (stops.length < 2) return null;
  const i = segmentAt(stops, { lon: event.latlng.lng, lat: event.latlng.lat });
  return (spot) => ({ op: "add", change: { reroute: { ...KINDS.reroute.start(route), route: routeText(route), from: stopText(stops[i]), to: stopText(stops[i + 1]), via: [writtenFor(spot, [])] } } });
}
