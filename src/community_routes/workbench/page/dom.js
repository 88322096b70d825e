// Elements are made here and filled with text, never with markup: names come from data.

const MINUS = "\u2212";

export const byId = (id) => document.getElementById(id);

/** An element with properties, attributes (`aria-`, `data-`, `role` ...), listeners (`onclick`) and children. */
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  fill(element, properties);
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** The same for a drawing. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function fill(element, properties) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (name in element && !name.startsWith("aria") && name !== "list" && name !== "form" && name !== "role") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
}

export function button(text, onclick, properties = {}) {
  return el("button", { type: "button", onclick, ...properties }, text);
}

/** A figure for people, as the report writes it: 1,234, 12.3, 0.25, with a true minus; a dash where there is none. */
export function number(value, sign = false) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size > 0 && size < 0.005) return !sign ? "under 0.01" : value > 0 ? "under +0.01" : "over " + MINUS + "0.01";
  const mark = value < 0 ? MINUS : sign && value > 0 ? "+" : "";
  const whole = size >= 100 || size === Math.round(size);
  const digits = whole ? 0 : size >= 1 ? 1 : 2;
  const parts = size.toFixed(digits).split(".");
  parts[0] = parts[0].replace(/\B(?=(\d{3})+$)/g, ",");
  return mark + parts.join(".");
}

/** Words of the program as people read them: arrows and signs as such. */
export const told = (words) => words.replaceAll(" -> ", " → ").replace(/(\d) x (\d)/g, "$1 × $2");

/** Whole persons or things. */
export function count(value, sign = false) {
  return value === null || value === undefined ? "–" : number(Math.round(value), sign);
}

export function options(select, items, value) {
  select.replaceChildren(...items.map((item) => el("option", { value: String(item.id) }, item.name)));
  if (value !== undefined && value !== null) select.value = String(value);
}

/** What a screen reader says when something happened that has no focus. */
export function say(text) {
  const box = byId("said");
  box.textContent = "";
  box.textContent = text;
}

let numbered = 0;
/** A new id, for a label and what it labels. */
export function freshId(prefix = "x") {
  numbered += 1;
  return `${prefix}-${numbered}`;
}

/** A label above a control. */
export function field(label, control, hint = null) {
  if (!control.id) control.id = freshId("field");
  const parts = [el("label", { htmlFor: control.id }, label), control];
  if (hint) {
    const id = freshId("hint");
    parts.push(el("span", { class: "hint", id }, hint));
    control.setAttribute("aria-describedby", id);
  }
  return el("div", { class: "field" }, parts);
}

/** A window over the page: a heading, a body, buttons; the focus goes back to where it was. */
export function dialog(title, body, buttons = [], properties = {}) {
  const heading = el("h2", { id: freshId("dialog") }, title);
  const box = el("dialog", { "aria-labelledby": heading.id, ...properties });
  const close = (value) => box.close(value);
  const row = el("div", { class: "dialog-buttons" }, buttons.map(({ text, does, strong }) =>
    button(text, async () => { if ((does ? await does() : true) !== false) close(text); }, strong ? { class: "strong" } : {})));
  box.append(heading, ...[body].flat(), row);
  box.addEventListener("close", () => box.remove());
  document.body.append(box);
  box.showModal();
  return box;
}

/** A function that runs once things have been still for some milliseconds. */
export function quiet(milliseconds, f) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => f(...given), milliseconds);
  };
}
