// Stops, places and routes: found by name, and named as a proposal's file names them.

import { state } from "./state.js";

const ONE_PLACE_M = 250;
let stopsById = new Map();
let stopsByName = new Map();
let placesByName = new Map();
let routeNames = new Map();

/** To be called once the map is there. */
export function indexPlaces() {
  const { stops, places, routes } = state.map;
  stopsById = new Map(stops.map((stop) => [stop.id, stop]));
  stopsByName = grouped(stops, (stop) => stop.name);
  placesByName = grouped(places.filter((place) => place.name), (place) => place.name);
  routeNames = grouped(routes, (route) => route.name);
}

function grouped(items, key) {
  const found = new Map();
  for (const item of items) {
    if (!found.has(key(item))) found.set(key(item), []);
    found.get(key(item)).push(item);
  }
  return found;
}

export function metres(a, b) {
  const k = Math.PI / 180, x = (b.lon - a.lon) * k * Math.cos((a.lat + b.lat) * k / 2), y = (b.lat - a.lat) * k;
  return 6371008.8 * Math.hypot(x, y);
}

/** Stops of one name close together are one place: each direction then takes its own kerb. */
const isOnePlace = (stops) => stops.every((stop) => metres(stops[0], stop) <= ONE_PLACE_M);

/** How a file names a stop: by its name where that is clear, else by its id. */
export function stopText(stop) {
  const same = stopsByName.get(stop.name) || [];
  return isOnePlace(same) && !placesByName.has(stop.name) ? stop.name : stop.id;
}

/** How a file names a destination: by its name where that is clear, else by where it is. */
export function placeText(place) {
  const clear = place.name && (placesByName.get(place.name) || []).length === 1 && !stopsByName.has(place.name);
  return clear ? place.name : { at: point(place), name: place.name || "Place" };
}

export const point = (at) => [Number(at.lon.toFixed(6)), Number(at.lat.toFixed(6))];

/** What people read of a place as written in a file. */
export function placeLabel(written) {
  if (written === null || written === undefined) return "";
  if (typeof written === "object") return written.name || written.text || (written.at ? written.at.map((x) => x.toFixed(5)).join(", ") : "");
  const stop = stopsById.get(String(written));
  return stop ? stop.name : String(written);
}

/** Where a place as written in a file is, or null. */
export function placeAt(written) {
  if (written && typeof written === "object" && written.at) return { lon: written.at[0], lat: written.at[1] };
  const text = String(written && typeof written === "object" ? written.text : written);
  const found = stopsById.get(text) || (stopsByName.get(text) || [])[0] || (placesByName.get(text) || [])[0];
  return found ? { lon: found.lon, lat: found.lat } : null;
}

/** What is written for the words that somebody typed: a stop or place as it stands, `lon, lat` as a new stop, else the words. */
export function written(words) {
  const text = words.trim();
  const at = text.match(/^(-?\d+(?:\.\d+)?)\s*,\s*(-?\d+(?:\.\d+)?)(?:\s+(.+))?$/);
  if (at) return { at: [Number(at[1]), Number(at[2])], name: at[3] || "New stop" };
  return text;
}

/** Names for a list to choose from: stops once each, then places. */
export function placeNames() {
  return [...new Set([...stopsByName.keys(), ...placesByName.keys()])].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
}

/** How a file names a route: by its number, with the operator where two have the same, by its id where that is not enough. */
export function routeText(route) {
  const same = routeNames.get(route.name) || [];
  if (same.length < 2) return route.name;
  const clear = route.operator && same.filter((other) => other.operator === route.operator).length === 1;
  return clear ? { route: route.name, agency: route.operator } : route.id;
}

/** The route that is meant by fields of a change. */
export function routeOf(fields) {
  const inner = fields.route && typeof fields.route === "object" ? fields.route : { route: fields.route, agency: fields.agency };
  const text = String(inner.route);
  const same = state.map.routes.filter((route) => route.id === text || route.name === text);
  const mine = same.filter((route) => !inner.agency || route.operator === inner.agency);
  return mine[0] || same[0] || null;
}

export const stopById = (id) => stopsById.get(id) || null;

export function routeLabel(route) {
  const clash = (routeNames.get(route.name) || []).length > 1 && route.operator;
  return clash ? `${route.name} (${route.operator})` : route.name;
}

/** A name for a new stop that no other new stop of the list has. */
export function newStopName(list) {
  const taken = new Set(list.map(placeLabel));
  let n = 1;
  while (taken.has(`New stop ${n}`)) n += 1;
  return `New stop ${n}`;
}
