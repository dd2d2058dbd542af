// A run: its curves, and what its file says besides.

import { Panel } from "./panel.js";
import { age, byteSize, element, grouped, numeric, stateBadge } from "./text.js";

/** Kinds of events that are marked in the curves: what was changed, and what went wrong. */
const unmarked = new Set(["start", "data", "figure", "checkpoint", "track"]);

export class RunView {
  #base;
  #series = [];
  #panels = new Map();
  #run = null;
  #range = null;
  #folds = new Map();
  #events = [];

  constructor(main, name) {
    this.#base = `api/runs/${encodeURIComponent(name)}`;
    this.stream = `${this.#base}/stream`;
    this.head = element("div", { className: "head" }, element("p", { className: "note" }, "reading …"));
    this.panels = element("div", { className: "panels" });
    this.rest = element("div", { className: "rest" });
    this.zoom = element("button", { className: "zoom", hidden: true }, "all steps");
    this.zoom.onclick = () => this.#setRange(null);
    main.append(this.head, this.zoom, this.panels, this.rest);
    this.scheme = matchMedia("(prefers-color-scheme: dark)");
    this.recoloured = () => this.#draw();
    this.scheme.addEventListener("change", this.recoloured);
  }

  close() {
    this.scheme.removeEventListener("change", this.recoloured);
    for (const panel of this.#panels.values()) panel.close();
  }

  tick() {
    const place = this.head.querySelector(".age");
    if (place && this.#run) place.textContent = `${age(this.#run.written)} ago`;
  }

  apply(message) {
    if (message.full) this.#series = [];
    if (message.run) this.#run = message.run;
    for (const news of message.series ?? []) this.#take(news);
    if (message.events) {
      this.#events = message.events;
      this.#fold("events", `events (${grouped(message.event_count)})`, eventTable(message.events, message.event_count));
    }
    if (message.figures) this.#fold("figures", `figures (${message.figures.length})`, this.#figures(message.figures), message.figures.length);
    if (message.details) this.#details(message.details);
    this.#heading(message.error, message.series_count);
    this.#arrange();
    this.#draw();
  }

  #take(news) {
    const points = { s: news.s, v: news.v.map(numeric) };
    const known = this.#series[news.i];
    if (news.add && known) {
      // After some of these the whole curve comes again, in few points.
      for (const key of ["s", "v"]) for (const item of points[key]) known[key].push(item);
      Object.assign(known, { count: news.count, last: news.last });
    } else if (!news.add) {
      this.#series[news.i] = { ...news, ...points };
    }
    const panel = this.#panels.get(this.#series[news.i]?.name);
    if (panel) panel.detail = null;
  }

  #heading(error, seriesCount) {
    const run = this.#run;
    this.head.replaceChildren();
    if (error) this.head.append(element("p", { className: "alert" }, error));
    if (!run) return;
    const facts = [stateBadge(run.state), run.step === null ? "" : `step ${grouped(run.step)}`, run.script ?? ""];
    this.head.append(element("div", { className: "facts" },
      ...facts.map((fact) => (fact instanceof Node ? fact : element("span", {}, fact))),
      element("span", {}, "written ", element("span", { className: "age" }, `${age(run.written)} ago`)),
      run.parent ? element("span", {}, `fork of ${run.parent.name} at step ${grouped(run.parent.step)}`) : null));
    if (run.alert) this.head.append(element("p", { className: "alert" }, run.alert));
    if (seriesCount > this.#series.length) {
      this.head.append(element("p", { className: "note" }, `${grouped(seriesCount - this.#series.length)} more series are not shown`));
    }
  }

  /** A panel for each series; an edge is drawn with the curvatures that it belongs to. */
  #arrange() {
    const drawn = this.#series.filter((series) => series && series.s.length > 0);
    const edges = new Set(drawn.map((series) => series.edge));
    const own = drawn.filter((series) => !edges.has(series.name));
    const names = new Set(own.map((series) => series.name));
    for (const [name, panel] of this.#panels) {
      if (!names.has(name)) { panel.close(); this.#panels.delete(name); }
    }
    for (const series of own) {
      if (!this.#panels.has(series.name)) {
        const panel = new Panel(series.name, (range) => this.#setRange(range));
        this.#panels.set(series.name, panel);
        this.panels.append(panel.node);
      }
      const panel = this.#panels.get(series.name);
      panel.series = series;
      panel.edge = series.edge ? drawn.find((other) => other.name === series.edge) ?? null : null;
    }
  }

  #draw() {
    const all = [...this.#panels.values()].flatMap((panel) => [panel.series.s[0], panel.series.s.at(-1)]);
    if (all.length === 0) return;
    const range = this.#range ?? [Math.min(...all), Math.max(...all)];
    const marks = this.#events.filter(([, kind]) => !unmarked.has(kind)).map(([step, kind]) => ({ step, kind }));
    for (const panel of this.#panels.values()) {
      panel.range = range;
      panel.marks = marks;
      panel.draw();
    }
  }

  /** Steps that are looked at more closely; their values are asked for. */
  async #setRange(range) {
    this.#range = range;
    this.zoom.hidden = range === null;
    for (const panel of this.#panels.values()) panel.detail = null;
    this.#draw();
    if (range === null) return;
    const [from, to] = [Math.floor(range[0]), Math.ceil(range[1])];
    for (const panel of [...this.#panels.values()]) {
      if (panel.series.count <= panel.series.s.length) continue;
      const query = new URLSearchParams({ name: panel.series.name, from, to }).toString().replaceAll("+", "%20");
      const answer = await fetch(`${this.#base}/series?${query}`);
      if (!answer.ok || this.#range !== range) continue;
      const values = await answer.json();
      panel.detail = { s: values.s, v: values.v.map(numeric) };
      panel.draw();
    }
  }

  // MARK: - Below the curves

  /** A part of the page that is folded away, in the order of `order`; without content it is not there. */
  #fold(key, title, content, isThere = true) {
    const order = ["values", "events", "figures", "parameters", "settings", "notes", "scripts", "environment"];
    let fold = this.#folds.get(key);
    if (!isThere) { fold?.remove(); this.#folds.delete(key); return; }
    if (!fold) {
      fold = element("details", { open: key === "events" || key === "figures" || key === "parameters" });
      this.#folds.set(key, fold);
      const after = order.slice(order.indexOf(key) + 1).map((name) => this.#folds.get(name)).find(Boolean);
      this.rest.insertBefore(fold, after ?? null);
    }
    fold.replaceChildren(element("summary", {}, title), content);
  }

  #details(details) {
    for (const key of ["parameters", "settings", "environment"]) {
      const rows = details[key].map(([name, value]) => element("tr", {}, element("th", {}, name), element("td", {}, value)));
      this.#fold(key, key, element("table", {}, ...rows), rows.length > 0);
    }
    const notes = details.notes.map((note) => element("p", { className: "text" }, note));
    this.#fold("notes", "notes", element("div", {}, ...notes), notes.length > 0);
    this.#fold("scripts", details.scripts.length > 1 ? "script and modules" : "script", this.#scripts(details.scripts), details.scripts.length > 0);
  }

  #scripts(scripts) {
    return element("div", {}, ...scripts.map(({ path, size }, place) => {
      const text = element("pre", {}, "reading …");
      const fold = element("details", {}, element("summary", {}, `${path}, ${byteSize(size)}`), text);
      fold.ontoggle = async () => {
        if (!fold.open) return;
        const answer = await fetch(`${this.#base}/scripts/${place}`);
        text.replaceChildren(element("span", {}, (await answer.text()).slice(0, 1 << 20)));
      };
      return fold;
    }));
  }

  #figures(figures) {
    return element("div", { className: "figures" }, ...figures.map((figure) => {
      const address = `${this.#base}/figures/${encodeURIComponent(figure.name)}`;
      const caption = element("figcaption", {},
        figure.shown ? element("a", { href: address }, figure.name) : figure.name, ` ${byteSize(figure.size)}`);
      if (!figure.shown || !figure.image) return element("figure", {}, caption);
      return element("figure", {}, element("img", { src: address, alt: figure.name, loading: "lazy" }), caption);
    }));
  }
}

function eventTable(events, count) {
  const rows = events.slice().reverse().map(([step, kind, message]) => element("tr", {},
    element("td", { className: "number" }, grouped(step)), element("th", {}, kind), element("td", {}, message)));
  const table = element("table", {}, ...rows);
  if (count <= events.length) return table;
  return element("div", {}, table, element("p", { className: "note" }, `${grouped(count - events.length)} earlier ones are not shown`));
}
