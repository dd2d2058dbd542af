// Which view is shown, and the stream of messages that it lives on.

import { ListView } from "./list.js";
import { RunView } from "./run.js";
import { element } from "./text.js";

const main = document.getElementById("main");
const connection = document.getElementById("connection");
let view = null;
let source = null;
let retry = null;

/** `#/` is the list, `#/run/NAME` a run. */
function show() {
  const match = /^#\/run\/(.+)$/.exec(location.hash);
  let name = null;
  try { name = match ? decodeURIComponent(match[1]) : null; } catch { name = null; }
  view?.close();
  main.replaceChildren();
  view = name === null ? new ListView(main) : new RunView(main, name);
  document.title = name === null ? "eoss" : `${name} · eoss`;
  document.getElementById("place").replaceChildren(name === null ? "" : element("span", {}, name));
  window.scrollTo(0, 0);
  connect();
}

function connect() {
  disconnect();
  // A page that nobody sees asks for nothing: a browser has few connections to one server.
  if (document.hidden) return;
  const shown = view;
  source = new EventSource(shown.stream);
  source.onopen = () => tell("");
  source.onmessage = (event) => shown.apply(JSON.parse(event.data));
  source.onerror = () => {
    tell("no connection: the run, or the program, may have ended");
    // The browser tries again by itself, but not after an answer that is no stream.
    if (source?.readyState !== EventSource.CLOSED || view !== shown) return;
    explain(shown);
    retry = setTimeout(connect, 3000);
  };
}

/** What the server says instead of a stream. */
async function explain(shown) {
  try {
    const answer = await fetch(shown.stream);
    const words = answer.ok ? "" : await answer.text();
    if (answer.ok) answer.body.cancel();
    if (view === shown && words) tell(words.slice(0, 400));
  } catch {
    // There is no server: that is said already.
  }
}

function disconnect() {
  clearTimeout(retry);
  source?.close();
  source = null;
}

function tell(words) {
  connection.textContent = words;
}

window.addEventListener("hashchange", show);
document.addEventListener("visibilitychange", () => (document.hidden ? disconnect() : connect()));
setInterval(() => view?.tick(), 1000);
show();
