// The folder's runs.

import { age, element, grouped, numeric, stateBadge, valueText } from "./text.js";

const orders = {
  newest: (a, b) => (b.created ?? "").localeCompare(a.created ?? "") || byName(a, b),
  name: byName,
  state: (a, b) => (a.state ?? "~").localeCompare(b.state ?? "~") || byName(a, b),
};

function byName(a, b) {
  return a.name.localeCompare(b.name, "en", { numeric: true });
}

export class ListView {
  stream = "api/stream";
  #runs = new Map();
  #rows = new Map();
  #order = "newest";
  #filter = "";

  constructor(main) {
    const order = element("select", { ariaLabel: "order" },
      ...Object.keys(orders).map((name) => element("option", { value: name }, name)));
    order.onchange = () => { this.#order = order.value; this.#arrange(); };
    const filter = element("input", { type: "search", placeholder: "name or script", ariaLabel: "filter" });
    filter.oninput = () => { this.#filter = filter.value.toLowerCase(); this.#arrange(); };
    this.title = element("h2", {}, "runs");
    this.note = element("p", { className: "note" });
    this.body = element("ul", { className: "runs" });
    main.append(element("div", { className: "bar" }, this.title, filter, order), this.note, this.body);
  }

  apply(message) {
    if (message.full) { this.#runs.clear(); this.#rows.clear(); }
    for (const name of message.gone) { this.#runs.delete(name); this.#rows.delete(name); }
    let focused = null;
    for (const run of message.runs) {
      this.#runs.set(run.name, run);
      if (this.#rows.get(run.name)?.contains(document.activeElement)) focused = run.name;
      this.#rows.get(run.name)?.remove();
      this.#rows.delete(run.name);
    }
    this.title.textContent = `${grouped(this.#runs.size)} ${this.#runs.size === 1 ? "run" : "runs"} in ${message.folder}`;
    this.note.textContent = message.error ?? (this.#runs.size === 0 ? "There is no run file in this folder yet." : "");
    this.#arrange();
    if (focused !== null) this.#rows.get(focused)?.querySelector("a")?.focus();
  }

  #arrange() {
    const shown = [...this.#runs.values()]
      .filter((run) => `${run.name} ${run.script ?? ""}`.toLowerCase().includes(this.#filter))
      .sort(orders[this.#order]);
    // What stays in its place is not touched: it may have the focus, or be selected.
    const rows = shown.map((run) => this.#row(run));
    rows.forEach((row, place) => {
      if (this.body.children[place] !== row) this.body.insertBefore(row, this.body.children[place] ?? null);
    });
    while (this.body.children.length > rows.length) this.body.lastChild.remove();
  }

  #row(run) {
    let row = this.#rows.get(run.name);
    if (!row) {
      row = run.error === undefined ? readable(run) : unreadable(run);
      this.#rows.set(run.name, row);
    }
    return row;
  }

  tick() {
    for (const [name, row] of this.#rows) {
      const place = row.querySelector(".age");
      const written = this.#runs.get(name)?.written;
      if (place && written) place.textContent = `${age(written)} ago`;
    }
  }

  close() {}
}

function unreadable(run) {
  return element("li", { className: "run bad" },
    element("span", { className: "name" }, run.name), element("span", { className: "why" }, run.error));
}

function readable(run) {
  const values = run.last.map(([name, last]) =>
    element("span", { className: "value" }, element("i", {}, name), " ", valueText(last)));
  const link = element("a", { className: "name", href: `#/run/${encodeURIComponent(run.name)}` }, run.name);
  const row = element("li", { className: "run" },
    link, stateBadge(run.state),
    element("span", { className: "step" }, run.step === null ? "" : `step ${grouped(run.step)}`),
    sparkline(run.spark.map(numeric)),
    element("span", { className: "age" }, `${age(run.written)} ago`),
    element("span", { className: "script" }, run.script ?? ""),
    element("span", { className: "values" }, ...values));
  if (run.alert) row.append(element("span", { className: "alert" }, run.alert));
  return row;
}

/** The last values of a run's loss, in a line. */
function sparkline(values) {
  const [width, height] = [96, 22];
  const space = "http://www.w3.org/2000/svg";
  const picture = document.createElementNS(space, "svg");
  picture.setAttribute("class", "spark");
  picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
  picture.setAttribute("aria-hidden", "true");
  const finite = values.filter(Number.isFinite);
  if (finite.length > 1) {
    const [low, high] = [Math.min(...finite), Math.max(...finite)];
    const x = (place) => 1 + (place / (values.length - 1)) * (width - 2);
    const y = (value) => (high > low ? 1 + ((high - value) / (high - low)) * (height - 2) : height / 2);
    const points = values.flatMap((value, place) => (Number.isFinite(value) ? [`${x(place).toFixed(1)},${y(value).toFixed(1)}`] : []));
    const line = document.createElementNS(space, "polyline");
    line.setAttribute("points", points.join(" "));
    picture.append(line);
  }
  return picture;
}
