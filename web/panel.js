// One series over the steps, drawn on a canvas, with the edge that belongs to it.

import { element, grouped, short, valueText } from "./text.js";

const margin = { left: 52, right: 10, top: 8, bottom: 22 };
const height = 190;

export class Panel {
  series = null;
  edge = null;
  range = [0, 1];
  marks = [];
  /** The points between the shown steps, where they are known more closely. */
  detail = null;
  #pointer = null;
  #drag = null;

  /** @param onRange told the steps that somebody wants to look at; null for all. */
  constructor(name, onRange) {
    this.name = name;
    this.isLog = name === "loss" || name.endsWith("_loss");
    this.value = element("span", { className: "last" });
    this.log = element("button", { className: "log", type: "button" }, "log");
    this.log.onclick = () => { this.isLog = !this.isLog; this.draw(); };
    this.canvas = element("canvas", { tabIndex: -1 });
    this.canvas.setAttribute("role", "img");
    this.note = element("p", { className: "note" });
    this.node = element("section", { className: "panel" },
      element("div", { className: "title" }, element("h3", {}, name), this.value, this.log), this.canvas, this.note);
    this.canvas.onpointermove = (event) => { this.#pointer = this.#step(event); this.draw(); };
    this.canvas.onpointerleave = () => { this.#pointer = null; this.#drag = null; this.draw(); };
    this.canvas.onpointerdown = (event) => { if (event.pointerType === "mouse") this.#drag = this.#step(event); };
    this.canvas.onpointerup = (event) => {
      const [from, to] = [this.#drag, this.#step(event)];
      this.#drag = null;
      if (from !== null && Math.abs(to - from) > (this.range[1] - this.range[0]) / 50) {
        onRange([Math.min(from, to), Math.max(from, to)]);
      }
    };
    this.canvas.ondblclick = () => onRange(null);
    // What is out of sight is drawn when it comes into sight.
    this.isVisible = false;
    this.observer = new IntersectionObserver((entries) => {
      this.isVisible = entries.at(-1).isIntersecting;
      if (this.isVisible) this.draw();
    }, { rootMargin: "300px" });
    this.observer.observe(this.node);
    this.resizing = new ResizeObserver(() => this.draw());
    this.resizing.observe(this.canvas);
  }

  close() {
    this.observer.disconnect();
    this.resizing.disconnect();
    this.node.remove();
  }

  #step(event) {
    const box = this.canvas.getBoundingClientRect();
    const part = (event.clientX - box.left - margin.left) / Math.max(1, box.width - margin.left - margin.right);
    return this.range[0] + Math.min(1, Math.max(0, part)) * (this.range[1] - this.range[0]);
  }

  draw() {
    if (!this.isVisible || !this.series) return;
    const points = this.#shown(this.detail ?? this.series);
    const edge = this.edge ? this.#shown(this.edge) : { s: [], v: [] };
    const canLog = points.v.some((value) => value > 0);
    const isLog = this.isLog && canLog;
    this.log.disabled = !canLog;
    this.log.setAttribute("aria-pressed", String(isLog));
    const scale = axis(points.v, edge.v, isLog);
    const width = this.canvas.clientWidth;
    const pixels = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(width * pixels);
    this.canvas.height = Math.round(height * pixels);
    const pen = this.canvas.getContext("2d");
    pen.scale(pixels, pixels);
    const [left, right, top, bottom] = [margin.left, width - margin.right, margin.top, height - margin.bottom];
    const [first, last] = this.range;
    const x = (step) => left + (last > first ? (step - first) / (last - first) : 0.5) * (right - left);
    const y = (value) => bottom - scale.part(value) * (bottom - top);
    const ink = (name) => getComputedStyle(this.node).getPropertyValue(name);

    pen.font = "11px system-ui, sans-serif";
    grid(pen, scale, this.range, { left, right, top, bottom, x, y, ink });
    pen.strokeStyle = ink("--mark");
    pen.lineWidth = 1;
    for (const { step } of this.marks) {
      if (step >= first && step <= last) stroke(pen, [[x(step), top], [x(step), bottom]]);
    }
    const area = { x, y, top, bottom };
    if (edge.s.length > 0) {
      pen.setLineDash([6, 4]);
      // An edge holds until the next one.
      curve(pen, edge, scale, ink("--edge"), { ...area, isSteps: true });
      pen.setLineDash([]);
    }
    const clipped = curve(pen, points, scale, ink("--curve"), area);
    this.#readout(pen, points, edge, { ...area, left, right, ink });
    this.#words(points, clipped, isLog);
  }

  /** The points of the shown steps, and one to each side. */
  #shown({ s, v }) {
    let [start, end] = [0, s.length];
    while (start + 1 < end && s[start + 1] < this.range[0]) start += 1;
    while (end - 1 > start && s[end - 2] > this.range[1]) end -= 1;
    return { s: s.slice(start, end), v: v.slice(start, end) };
  }

  #words(points, clipped, isLog) {
    this.value.textContent = valueText(this.series.last);
    const odd = points.v.filter((value) => !Number.isFinite(value)).length;
    const notes = [];
    if (clipped > 0) notes.push("▴ beyond the axis");
    if (odd > 0) notes.push("× not a finite number");
    if (isLog && points.v.some((value) => value <= 0)) notes.push("values that are not positive are left out");
    if (this.edge) notes.push(`- - ${this.edge.name}`);
    this.note.textContent = notes.join("   ");
    this.canvas.setAttribute("aria-label",
      `${this.name}: last ${valueText(this.series.last)} at step ${this.series.last?.step ?? ""}`);
  }

  #readout(pen, points, edge, { x, y, top, bottom, left, right, ink }) {
    if (this.#pointer === null || points.s.length === 0) return;
    if (this.#drag !== null) {
      pen.fillStyle = ink("--mark");
      pen.globalAlpha = 0.3;
      pen.fillRect(x(Math.min(this.#drag, this.#pointer)), top, Math.abs(x(this.#pointer) - x(this.#drag)), bottom - top);
      pen.globalAlpha = 1;
    }
    let nearest = 0;
    points.s.forEach((step, place) => {
      if (Math.abs(step - this.#pointer) < Math.abs(points.s[nearest] - this.#pointer)) nearest = place;
    });
    const [step, value] = [points.s[nearest], points.v[nearest]];
    let words = `${grouped(step)}: ${short(value)}`;
    const before = edge.s.filter((other) => other <= step).length - 1;
    if (before >= 0) words += `, edge ${short(edge.v[before])}`;
    for (const mark of this.marks) if (Math.abs(x(mark.step) - x(step)) < 3) { words += `, ${mark.kind}`; break; }
    pen.fillStyle = ink("--text");
    pen.beginPath();
    if (Number.isFinite(value)) pen.arc(x(step), Math.min(bottom, Math.max(top, y(value))), 3, 0, 7);
    pen.fill();
    const size = pen.measureText(words).width;
    const place = Math.min(Math.max(left + 4, x(step) - size / 2), right - size - 4);
    pen.fillStyle = ink("--card");
    pen.fillRect(place - 4, top, size + 8, 16);
    pen.fillStyle = ink("--text");
    pen.textAlign = "left";
    pen.fillText(words, place, top + 12);
  }
}

/** Limits that a few values far away do not stretch, and where values lie between them. */
function axis(values, edges, isLog) {
  const of = isLog ? Math.log10 : (value) => value;
  const sorted = values.filter((value) => Number.isFinite(value) && (!isLog || value > 0)).map(of).sort((a, b) => a - b);
  if (sorted.length === 0) sorted.push(0, 1);
  const at = (part) => sorted[Math.round(part * (sorted.length - 1))];
  let [low, high] = [sorted[0], sorted.at(-1)];
  const [inner, outer] = [at(0.02), at(0.98)];
  const reach = Math.max(outer - inner, isLog ? 1 : 0);
  if (sorted.length >= 20 && reach > 0) {
    if (high - outer > 3 * reach) high = outer + reach;
    if (inner - low > 3 * reach) low = inner - reach;
  }
  // The edge belongs into the picture where it is near.
  const known = edges.filter((value) => Number.isFinite(value) && (!isLog || value > 0)).map(of);
  const span = isLog ? Math.max(high - low, 1) : Math.max(high - low, Math.abs(high));
  const [floor, ceiling] = [low - 3 * span, high + 3 * span];
  for (const value of known) if (value > floor && value < ceiling) [low, high] = [Math.min(low, value), Math.max(high, value)];
  if (high === low) {
    const half = isLog ? 0.5 : Math.abs(high) / 10 || 1;
    [low, high] = [low - half, high + half];
  }
  const room = (high - low) * 0.05;
  [low, high] = [low - room, high + room];
  return { low, high, isLog, part: (value) => (of(value) - low) / (high - low) };
}

/** Round numbers between two. */
function ticks(low, high, most) {
  const raw = (high - low) / most;
  if (!(raw > 0)) return [low];
  const power = 10 ** Math.floor(Math.log10(raw));
  const stride = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= raw) ?? raw;
  const found = [];
  for (let place = Math.ceil(low / stride); place * stride <= high && found.length < 20; place += 1) found.push(place * stride);
  return found;
}

function grid(pen, scale, [first, last], { left, right, top, bottom, x, y, ink }) {
  pen.strokeStyle = ink("--grid");
  pen.fillStyle = ink("--muted");
  pen.lineWidth = 1;
  pen.textAlign = "right";
  const isDecades = scale.isLog && scale.high - scale.low >= 1.5;
  const values = isDecades
    ? ticks(scale.low, scale.high, 5).filter(Number.isInteger).map((power) => 10 ** power)
    : scale.isLog ? ticks(10 ** scale.low, 10 ** scale.high, 5).filter((value) => value > 0) : ticks(scale.low, scale.high, 5);
  for (const value of values) {
    const place = Math.round(y(value)) + 0.5;
    stroke(pen, [[left, place], [right, place]]);
    pen.fillText(isDecades && (value >= 1e4 || value < 1e-2) ? value.toExponential(0).replace("e+", "e").replace("-", "−") : short(value), left - 6, place + 3.5);
  }
  pen.textAlign = "center";
  for (const step of ticks(first, last, Math.max(2, Math.floor((right - left) / 90))).filter(Number.isInteger)) {
    const words = step >= 1e6 ? `${short(step / 1e6)}M` : step >= 1e4 ? `${short(step / 1e3)}k` : grouped(step);
    const half = pen.measureText(words).width / 2;
    pen.fillText(words, Math.min(x(step), right + margin.right - half - 1), bottom + 15);
  }
}

/** Returns how many values lie beyond the axis; each is marked at the border, and so is what is no finite number. */
function curve(pen, { s, v }, scale, colour, { x, y, top, bottom, isSteps }) {
  pen.strokeStyle = pen.fillStyle = colour;
  pen.lineWidth = 1.6;
  pen.lineJoin = "round";
  let clipped = 0;
  let line = [];
  const marks = [];
  // Signs that would lie on one another are one.
  const mark = (across, sign, down) => {
    if (!(across - (marks.findLast((other) => other[1] === sign)?.[0] ?? -Infinity) < 5)) marks.push([across, sign, down]);
  };
  const end = () => {
    if (line.length === 1 && !isSteps) { pen.beginPath(); pen.arc(line[0][0], line[0][1], 2, 0, 7); pen.fill(); }
    stroke(pen, line);
    line = [];
  };
  pen.save();
  pen.beginPath();
  pen.rect(margin.left, top - 2, pen.canvas.width, bottom - top + 4);
  pen.clip();
  s.forEach((step, place) => {
    const value = v[place];
    if (!Number.isFinite(value) || (scale.isLog && value <= 0)) {
      end();
      if (!Number.isFinite(value) && !isSteps) mark(x(step), "×", bottom - 2);
      return;
    }
    const part = scale.part(value);
    if ((part > 1 || part < 0) && !isSteps) {
      clipped += 1;
      mark(x(step), part > 1 ? "▴" : "▾", part > 1 ? top + 8 : bottom - 2);
    }
    if (isSteps && line.length > 0) line.push([x(step), line.at(-1)[1]]);
    // Far beyond the border a canvas loses its precision.
    line.push([x(step), Math.min(bottom + 500, Math.max(top - 500, y(value)))]);
  });
  end();
  pen.textAlign = "center";
  for (const [across, sign, down] of marks) pen.fillText(sign, across, down);
  pen.restore();
  return clipped;
}

function stroke(pen, points) {
  if (points.length < 2) return;
  pen.beginPath();
  points.forEach(([across, down], place) => (place === 0 ? pen.moveTo(across, down) : pen.lineTo(across, down)));
  pen.stroke();
}
