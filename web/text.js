// Elements, numbers and times. All that a run file says comes into the page as text, never as markup.

/** An element with properties and children; a child that is no node becomes text. */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (name in made) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined).map((child) =>
    child instanceof Node ? child : document.createTextNode(visible(String(child)))));
  return made;
}

/** With characters that steer a display (controls, writing direction) spelled out. */
export function visible(text) {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
}

/** A number of a message: what JSON has no number for comes as a word. */
export function numeric(value) {
  if (typeof value === "number") return value;
  return value === "inf" ? Infinity : value === "-inf" ? -Infinity : NaN;
}

/** Four significant digits at most. */
export function short(value) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value < 0 ? "−inf" : "inf";
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e5 || size < 1e-3)) return value.toExponential(2).replace("e+", "e").replace("-", "−");
  return String(Number(value.toPrecision(4))).replace("-", "−");
}

/** Digits in threes. */
export function grouped(value) {
  return value === null || value === undefined ? "" : Number(value).toLocaleString("en");
}

export function byteSize(count) {
  const units = ["B", "kB", "MB", "GB"];
  let place = 0;
  while (count >= 999.5 && place < 3) { count /= 1000; place += 1; }
  return `${place > 0 && count < 9.95 ? count.toFixed(1) : Math.round(count)} ${units[place]}`;
}

/** How long ago a time was, by the largest unit. */
export function age(time) {
  const seconds = Math.max(0, (Date.now() - Date.parse(time)) / 1000);
  if (Number.isNaN(seconds)) return "";
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

/** A last value with its error bar. */
export function valueText(measured) {
  if (!measured) return "";
  const error = measured.stderr === undefined ? "" : ` ± ${short(numeric(measured.stderr))}`;
  return short(numeric(measured.value)) + error;
}

/** A state in its colour. */
export function stateBadge(state) {
  const known = ["running", "paused", "done", "stopped", "failed", "killed"].includes(state);
  return element("span", { className: `state ${known ? state : ""}` }, state);
}
