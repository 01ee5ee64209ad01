// Routes (`#/traces`, `#/trace/ID`, `#/graph`) to views and feeds them.

import { Feed, fetchGraph, fetchTrace } from "./api.js";
import { meet } from "./colours.js";
import { count, plural } from "./format.js";
import { GraphView } from "./graph.js";
import { ListView } from "./list.js";
import { TraceView } from "./trace.js";

const main = document.getElementById("main");
const live = document.getElementById("live");
const announce = document.getElementById("announce");
const views = { traces: new ListView(), trace: new TraceView(), graph: new GraphView() };
let list = null;
let shown = "";

function route() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const [name, id] = path.split("/");
  return { name: Object.hasOwn(views, name) ? name : "traces", id: id ?? "", params: new URLSearchParams(query) };
}

async function show() {
  const { name, id, params } = route();
  const view = views[name];
  const place = `${name}/${id}`;
  const arrived = shown !== place;
  shown = place;
  if (name === "traces") view.update(list, params);
  else {
    const data = name === "graph" ? await fetchGraph() : await fetchTrace(id);
    // Another route may have been taken while this one was loading.
    if (shown !== place) return;
    view.update(data, id);
  }
  if (main.firstElementChild !== view.element) main.replaceChildren(view.element);
  document.title = `${view.title} · Onward`;
  for (const link of document.querySelectorAll("nav [data-view]")) {
    if (link.dataset.view === (name === "graph" ? "graph" : "traces")) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (arrived) arrive(view);
}

/** After a change of view the keyboard starts at its heading; on the first load it starts at the top. */
let first = true;
function arrive(view) {
  if (!first) {
    scrollTo(0, 0);
    view.element.querySelector("h1")?.focus({ preventScroll: true });
    announce.textContent = view.title;
  }
  first = false;
}

function onList(fresh) {
  list = fresh;
  meet(fresh.services);
  const { spans, traces, evicted_traces: evicted } = fresh.counts;
  const gone = evicted > 0 ? `, ${count(evicted)} older evicted` : "";
  document.getElementById("stored").textContent = `${plural(traces, "trace")} (${plural(spans, "span")})${gone}`;
  return show();
}

const feed = new Feed(onList, (state) => {
  const words = { live: "Live", paused: "Paused", offline: "Collector is gone" };
  if (live.dataset.state === state) return;
  live.dataset.state = state;
  document.getElementById("live-text").textContent = words[state];
});

live.addEventListener("click", () => live.setAttribute("aria-pressed", String(feed.toggle())));
document.getElementById("skip").addEventListener("click", (event) => {
  // The hash is the route; the link must not change it.
  event.preventDefault();
  main.focus();
});
addEventListener("hashchange", () => show().catch(() => {}));
