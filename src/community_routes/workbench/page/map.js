// The map: the study's own streets, neighbourhoods in classes of one fixed scale, routes, stops, places, and what is changed.
/* global L */

import { byId, el, number } from "./dom.js";
import { placeAt } from "./places.js";
import { TODAY, inUnit, on, state } from "./state.js";

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const latlng = (pair) => [pair[1], pair[0]];
const line = (pairs) => pairs.map(latlng);
const PANES = ["under", "zones", "over", "routes", "names", "reach", "new", "stops", "spots", "journey", "handles"];
const MAJOR = [2.2, 1.6, 1.3, 1];
const MINOR_FROM = 1.2;

export let map = null;
const layers = {};
const zones = new Map();
let home = 0;

export function makeMap() {
  map = L.map("map", { attributionControl: false, zoomSnap: 0.1, zoomDelta: 0.5, minZoom: 7, maxZoom: 19, doubleClickZoom: false, zoomControl: false, boxZoom: false });
  L.control.zoom({ position: "topright" }).addTo(map);
  const { bounds } = state.map;
  fit(bounds);
  home = map.getBoundsZoom(box(bounds));
  for (const [i, name] of PANES.entries()) {
    const pane = map.createPane(name);
    pane.style.zIndex = 300 + i * 20;
    if (!["zones", "handles"].includes(name)) pane.style.pointerEvents = "none";
  }
  layers.ground = L.layerGroup().addTo(map);
  for (const name of ["routes", "chosen", "new", "stops", "spots", "reach", "journey"]) layers[name] = L.layerGroup().addTo(map);
  ground();
  neighbourhoods();
  places();
  detail();
  L.control.scale({ imperial: true, metric: true, position: "bottomright" }).addTo(map);
  map.on("zoomend", detail);
  new ResizeObserver(() => map.invalidateSize({ pan: false })).observe(byId("map"));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { ground(); drawRoutes(); drawChanges(); });
  on("answer mode tabs", () => { paint(); drawChanges(); });
  on("change changes", drawChanges);
  on("selected", () => { drawRoutes(); outline(); });
  on("tool", () => byId("map").parentNode.classList.toggle("drawing", Boolean(state.tool)));
  drawRoutes();
}

const box = ([west, south, east, north]) => [[south, west], [north, east]];
/** Room for the tools above and the legend below. */
const ROOM = { animate: false, paddingTopLeft: [14, 54], paddingBottomRight: [14, 96] };
const fit = (bounds) => map.fitBounds(box(bounds), innerHeight > 600 ? ROOM : { animate: false });

/** The first look: at the neighbourhoods that have figures. */
export function lookAtFigures() {
  const known = [...zones.values()].filter((zone) => zone.value !== null && zone.value !== undefined).map((zone) => zone.layer.getBounds());
  if (!known.length) return;
  map.fitBounds(known.reduce((all, one) => all.extend(one), L.latLngBounds(known[0])), ROOM);
  home = map.getZoom();
  detail();
}

export function lookAt(pairs) {
  if (pairs.length) map.fitBounds(L.latLngBounds(line(pairs)), { maxZoom: home + 3, animate: false, paddingTopLeft: [40, 124], paddingBottomRight: [60, 110] });
}

/** What lies below: green, water, railways, and streets by class. */
function ground() {
  layers.ground.clearLayers();
  const under = L.canvas({ pane: "under", padding: 0.3 }), over = L.canvas({ pane: "over", padding: 0.3 });
  const { background = {}, streets } = state.map;
  const area = (areas, color) => { for (const rings of areas || []) L.polygon(rings.map(line), { pane: "under", renderer: under, stroke: false, fillColor: color, fillOpacity: 1, interactive: false }).addTo(layers.ground); };
  const lines = (items, style) => { if (items && items.length) L.polyline(items.map(line), { pane: "over", renderer: over, fill: false, interactive: false, ...style }).addTo(layers.ground); };
  area((background.green || {}).areas, css("--map-green"));
  area((background.water || {}).areas, css("--map-water"));
  for (const rings of (background.water || {}).areas || []) L.polygon(rings.map(line), { pane: "over", renderer: over, stroke: false, fillColor: "#7fa9bd", fillOpacity: 0.55, interactive: false }).addTo(layers.ground);
  lines((background.water || {}).lines, { color: "#7fa9bd", weight: 1.4, opacity: 0.8 });
  layers.streets = streets.map((part, i) => {
    const layer = L.polyline(part.lines.map(line), { pane: "over", renderer: over, fill: false, interactive: false, smoothFactor: 1, color: css("--map-street"), opacity: i === 0 ? 0.7 : i === 1 ? 0.55 : 0.42 });
    return { layer, rank: i };
  });
  lines((background.railways || {}).lines, { color: "#6b7278", weight: 1.5, dashArray: "6 4" });
  detail();
}

/** Small streets, stops and larger dots when the map is enlarged. */
function detail() {
  if (!layers.streets) return;
  const closer = map.getZoom() - home;
  for (const { layer, rank } of layers.streets) {
    if (rank < MAJOR.length || closer >= MINOR_FROM) layer.addTo(layers.ground); else layers.ground.removeLayer(layer);
    layer.setStyle({ weight: Math.max(0.6, (MAJOR[rank] || 0.4) + closer * (rank === 0 ? 0.9 : 0.6)) });
  }
  const near = closer >= 0.8 || Boolean(state.tool);
  if (near) layers.stops.addTo(map); else map.removeLayer(layers.stops);
  layers.stops.eachLayer((dot) => dot.setRadius(closer >= 2 ? 4 : 2.6));
  const crowded = state.map.places.length > 150;
  layers.spots.eachLayer((dot) => dot.setRadius(closer >= 1.25 ? 4.4 : crowded ? 2.1 : 2.8));
}
on("tool", () => map && detail());

function neighbourhoods() {
  for (const feature of state.map.neighbourhoods.features) {
    const layer = L.geoJSON(feature, { pane: "zones", interactive: false, style: { pane: "zones", color: "#fff", weight: 0.8, fillOpacity: 1, opacity: 0.75 } }).addTo(map);
    zones.set(String(feature.properties.id), { layer, feature });
  }
  layers.outline = L.layerGroup().addTo(map);
  for (const label of state.map.labels || []) {
    const big = label.kind === "city" || label.kind === "town";
    const icon = L.divIcon({ className: "place" + (big ? " big" : ""), html: el("span", {}, label.name), iconSize: null, iconAnchor: [0, 0] });
    L.marker([label.lat, label.lon], { pane: "names", interactive: false, keyboard: false, icon }).addTo(map);
  }
}

function places() {
  const dots = L.canvas({ pane: "stops", padding: 0.3 }), spots = L.canvas({ pane: "spots", padding: 0.3 });
  for (const stop of state.map.stops) L.circleMarker([stop.lat, stop.lon], { pane: "stops", renderer: dots, interactive: false, radius: 2.6, color: "#2b3238", weight: 1, fillColor: "#fff", fillOpacity: 1 }).addTo(layers.stops);
  for (const place of state.map.places) {
    const job = place.kind === "employment";
    L.circleMarker([place.lat, place.lon], { pane: "spots", renderer: spots, interactive: false, radius: 3, color: job ? "#fff" : "#17212a", weight: job ? 0.8 : 1.4, fillColor: job ? "#5b2a86" : "#fff", fillOpacity: 1 }).addTo(layers.spots);
  }
}

/** The figures that the map shows, and the scale that does not change while one draws. */
export function shown() {
  const answer = state.answer;
  if (!answer || !answer.neighbourhoods) return null;
  const mode = state.active === TODAY ? "today" : state.mode;
  const { id, today, value, change, reason } = answer.neighbourhoods;
  const values = mode === "today" ? today : mode === "with" ? value : change;
  return { mode, ids: id, values, reasons: reason || [], scale: mode === "change" ? answer.scales.change : answer.scales.level };
}

function colorOf(scale, value) {
  let i = 0;
  while (i < scale.breaks.length && value >= scale.breaks[i]) i += 1;
  return scale.colors[i];
}

function paint() {
  const now = shown();
  if (!now) return;
  now.ids.forEach((id, i) => {
    const zone = zones.get(String(id));
    if (!zone) return;
    const value = now.values[i];
    zone.value = value;
    zone.reason = now.reasons[i];
    const color = value === null || value === undefined ? "url(#h-off)" : colorOf(now.scale, value);
    if (zone.color !== color) zone.layer.setStyle({ fillColor: zone.color = color });
  });
  byId("map").classList.toggle("old", Boolean(state.answer.old));
  legend(now);
}

/** The classes as one strip, so that the map keeps its room; what lines and dots are beside it. */
function legend(now) {
  const heading = now.mode === "today" ? "Today" : now.mode === "with" ? "With the proposal" : "Change";
  const classes = now.scale.colors.map((color, i) => {
    const box = el("span", { class: "swatch" });
    box.style.background = color;
    return el("li", {}, box, el("span", {}, now.scale.labels[i]));
  });
  if (now.values.some((value) => value === null || value === undefined)) classes.push(el("li", {}, el("span", { class: "swatch hatched" }), el("span", {}, "no figure")));
  const also = (name, words) => el("li", {}, el("span", { class: `swatch ${name}` }), el("span", {}, words));
  byId("legend").replaceChildren(
    el("p", {}, el("strong", {}, heading), now.scale.unit ? ` ${now.scale.unit}` : ""),
    el("ul", { class: "classes" }, classes),
    el("ul", { class: "also" }, state.active === TODAY ? null : also("line", "changed"), also("thin", "route today"), also("dot job", "jobs"), also("dot", "space")));
}

/** Today's routes thin, the chosen one thick with its stops. */
function drawRoutes() {
  const chosen = state.selected && state.selected.route;
  layers.routes.clearLayers();
  layers.chosen.clearLayers();
  const canvas = layers.canvas ||= L.canvas({ pane: "routes", padding: 0.3 });
  // One line each: where a hundred routes share a street, it is drawn as one.
  for (const rail of [false, true]) {
    const lines = state.map.routes.filter((route) => (route.mode === "rail") === rail).flatMap((route) => route.patterns.slice(0, 2).map((pattern) => line(pattern.line)));
    L.polyline(lines, { pane: "routes", renderer: canvas, interactive: false, fill: false, color: css("--map-route"), weight: rail ? 1.6 : 1.3, opacity: 0.5, dashArray: rail ? "5 4" : null }).addTo(layers.routes);
  }
  if (!chosen) return;
  const route = state.map.routes.find((one) => one.id === chosen);
  for (const pattern of (route ? route.patterns : []).slice(0, 2)) {
    L.polyline(line(pattern.line), { pane: "reach", color: "#fff", weight: 8, interactive: false }).addTo(layers.chosen);
    L.polyline(line(pattern.line), { pane: "reach", color: "#00566b", weight: 4, interactive: false }).addTo(layers.chosen);
  }
  const stops = new Map(state.map.stops.map((stop) => [stop.id, stop]));
  for (const id of route && route.patterns.length ? route.patterns[0].stops : []) {
    const stop = stops.get(id);
    if (stop) L.circleMarker([stop.lat, stop.lon], { pane: "new", interactive: false, radius: 3.6, color: "#00566b", weight: 2, fillColor: "#fff", fillOpacity: 1 }).addTo(layers.chosen);
  }
}

const DASHED = new Set(["set_headway", "change_speed", "change_dwell", "remove_stops", "add_stop"]);

/** The lines and points of the proposal's changes, the chosen one strongest. */
function drawChanges() {
  layers.new.clearLayers();
  const answer = state.answer;
  if (!answer || state.active === TODAY || !answer.changes) return;
  for (const change of answer.changes) {
    if (change.off) continue;
    const chosen = change.index === state.change, gone = change.kind === "withdraw_route" || change.kind === "close_path";
    const style = { color: gone ? "#4a525a" : "#c0156b", weight: chosen ? 5 : 4, dashArray: gone ? "2 7" : DASHED.has(change.kind) ? "9 5" : null };
    for (const pairs of change.lines || []) {
      if (pairs.length < 2) continue;
      L.polyline(line(pairs), { pane: "new", color: "#fff", weight: style.weight + 4, opacity: 0.95, interactive: false }).addTo(layers.new);
      L.polyline(line(pairs), { pane: "new", interactive: false, ...style }).addTo(layers.new);
    }
    if (!(change.lines || []).length) straight(change);
    const zone = change.kind === "add_drt" && change.fields && Array.isArray(change.fields.zone) ? change.fields.zone : null;
    if (zone && zone.length > 2) L.polygon(line(zone), { pane: "new", interactive: false, color: "#c0156b", weight: 2.5, fillColor: "#c0156b", fillOpacity: 0.1 }).addTo(layers.new);
    for (const stop of change.stops || []) dot(stop, chosen ? 5 : 4);
    for (const spot of change.points || []) dot(Array.isArray(spot) ? { lon: spot[0], lat: spot[1] } : spot, 7, true);
  }
}

/** Until its road is known, or where there is none: dotted from place to place. */
function straight({ kind, fields = {} }) {
  const written = kind === "extend_route" ? [fields.after, ...(fields.stops || [])] : kind === "reroute" ? [fields.from, ...(fields.via || []), fields.to] : kind === "add_route" ? fields.stops || [] : [];
  const known = written.map(placeAt).filter(Boolean);
  if (known.length > 1) L.polyline(known.map((at) => [at.lat, at.lon]), { pane: "new", interactive: false, color: "#c0156b", weight: 2.5, dashArray: "1 7", lineCap: "round" }).addTo(layers.new);
  for (const at of known) dot(at, 4);
}

function dot(at, radius, full = false) {
  L.circleMarker([at.lat, at.lon], { pane: "new", interactive: false, radius, color: full ? "#fff" : "#c0156b", weight: full ? 2 : 2.5, fillColor: full ? "#c0156b" : "#fff", fillOpacity: 1 }).addTo(layers.new);
}

function outline() {
  layers.outline.clearLayers();
  const zone = state.selected && zones.get(String(state.selected.neighbourhood));
  if (zone) L.geoJSON(zone.feature, { pane: "reach", interactive: false, style: { pane: "reach", color: "#111", weight: 3, fill: false } }).addTo(layers.outline);
  if (!state.selected) { layers.reach.clearLayers(); layers.journey.clearLayers(); }
}

/** Where one gets from a point in so many minutes: today and with the proposal. */
export function drawReach(found, at) {
  layers.reach.clearLayers();
  const shape = (reach, style) => { if (reach) L.geoJSON(reach.areas, { pane: "reach", interactive: false, style: { pane: "reach", ...style } }).addTo(layers.reach); };
  shape(found.value, { color: "#c0156b", weight: 2, fillColor: "#c0156b", fillOpacity: 0.22 });
  shape(found.today, { color: "#17212a", weight: 2, dashArray: "5 4", fill: false });
  L.circleMarker([at.lat, at.lon], { pane: "journey", radius: 6, color: "#fff", weight: 2.5, fillColor: "#17212a", fillOpacity: 1, interactive: false }).addTo(layers.reach);
}

/** One journey leg by leg; walks dotted. */
export function drawJourney(legs, isNew) {
  layers.journey.clearLayers();
  for (const leg of legs || []) {
    if (!leg.line || leg.line.length < 2) continue;
    const walk = leg.mode === "walk";
    L.polyline(line(leg.line), { pane: "journey", color: "#fff", weight: 8, opacity: 0.9, interactive: false }).addTo(layers.journey);
    L.polyline(line(leg.line), { pane: "journey", color: isNew ? "#c0156b" : "#17212a", weight: walk ? 3.5 : 4.5, dashArray: walk ? "1 7" : null, lineCap: "round", interactive: false }).addTo(layers.journey);
  }
}

// ---- what lies under the pointer ----

const px = (at) => map.latLngToContainerPoint([at.lat, at.lon]);

function nearest(items, spot, within) {
  let found = null, least = within;
  for (const item of items) {
    const d = px(item).distanceTo(spot);
    if (d < least) [found, least] = [item, d];
  }
  return found;
}

/** The stop, place, routes and neighbourhood at a point of the map. */
export function under(latlngAt) {
  const spot = map.latLngToContainerPoint(latlngAt);
  const seen = map.hasLayer(layers.stops);
  return {
    lon: latlngAt.lng, lat: latlngAt.lat,
    stop: nearest(state.map.stops, spot, seen ? 11 : 7),
    place: nearest(state.map.places, spot, 9),
    routes: state.map.routes.filter((route) => route.patterns.some((pattern) => touches(pattern.line, spot, 6))),
    neighbourhood: zoneAt(latlngAt)
  };
}

const extents = new WeakMap();

/** Whether a line passes within so many pixels of a spot. */
export function touches(pairs, spot, within) {
  if (!extents.has(pairs)) extents.set(pairs, L.latLngBounds(line(pairs)));
  const corner = (dx, dy) => map.containerPointToLatLng([spot.x + dx, spot.y + dy]);
  if (!extents.get(pairs).intersects(L.latLngBounds(corner(-within, -within), corner(within, within)))) return false;
  let before = null;
  for (const pair of pairs) {
    const here = map.latLngToContainerPoint(latlng(pair));
    if (before && L.LineUtil.pointToSegmentDistance(spot, before, here) <= within) return true;
    before = here;
  }
  return false;
}

function zoneAt({ lng, lat }) {
  for (const [id, { feature }] of zones) {
    const { type, coordinates } = feature.geometry;
    const parts = type === "Polygon" ? [coordinates] : coordinates;
    if (parts.some((rings) => rings.filter((ring) => inside(lng, lat, ring)).length % 2 === 1)) return id;
  }
  return null;
}

function inside(x, y, ring) {
  let is = false;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i, i += 1) {
    const [xi, yi] = ring[i], [xj, yj] = ring[j];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) is = !is;
  }
  return is;
}

/** The neighbourhood whose middle is nearest to a place that lies in none. */
export function nearestZone({ lon, lat }) {
  const narrow = Math.cos((lat * Math.PI) / 180), away = ({ feature }) => Math.hypot((feature.properties.at[0] - lon) * narrow, feature.properties.at[1] - lat);
  let best = null;
  for (const [id, zone] of zones) if (best === null || away(zone) < away(zones.get(best))) best = id;
  return best;
}

export const zoneOf = (id) => zones.get(String(id));

/** The words beside the pointer: what one would choose by a click. */
export function hover() {
  const tip = L.tooltip({ direction: "top", offset: [0, -8], className: "tip" });
  let due = 0;
  map.on("mousemove", (event) => {
    cancelAnimationFrame(due);
    due = requestAnimationFrame(() => show(event));
  });
  map.on("mouseout", () => { cancelAnimationFrame(due); map.closeTooltip(tip); });
  function show(event) {
    if (state.dragging) { map.closeTooltip(tip); return; }
    const { stop, place, routes, neighbourhood } = under(event.latlng);
    const zone = zones.get(String(neighbourhood));
    const lines = [];
    if (stop) lines.push(stop.name);
    else if (place) lines.push(place.name || place.kind);
    if (routes.length && !stop) lines.push(`route ${[...new Set(routes.map((route) => route.name))].slice(0, 6).join(", ")}`);
    if (zone && !state.tool && !stop && !place) lines.push(`${zone.feature.properties.name}: ${zone.value === null || zone.value === undefined ? zone.reason || "no figure" : number(inUnit(zone.value), state.mode === "change" && state.active !== TODAY)}`);
    if (!lines.length) { map.closeTooltip(tip); return; }
    tip.setLatLng(event.latlng).setContent(el("span", {}, lines.join(" · ")));
    map.openTooltip(tip);
  }
}
