// One trace: what it is, the sign if it is broken, its waterfall and the details of the chosen span.

import { colourOf } from "./colours.js";
import { Details } from "./details.js";
import { h, icon, stateSign } from "./dom.js";
import { clock, count, day, duration, plural, shortId } from "./format.js";
import { Waterfall } from "./waterfall.js";

export class TraceView {
  title = "Trace";
  #id = null;
  #drawn = "";
  #head = h("header", { class: "trace-head" });
  #banner = h("div");
  #details = new Details(() => this.#waterfall.choose(null));
  #waterfall = new Waterfall((span) => this.#choose(span));
  #legend = h("div", { class: "legend" });
  #panes = h("div", { class: "panes" }, h("div", { class: "card waterfall-card" }, this.#legend, this.#waterfall.element), this.#details.element);
  element = h("article", { class: "trace" }, this.#head, this.#banner, this.#panes);

  /** Draws `trace`; null says that the collector does not have it (any more). */
  update(trace, id) {
    const drawn = JSON.stringify(trace);
    if (id === this.#id && drawn === this.#drawn) return;
    if (id !== this.#id) {
      this.#details.show(null);
      this.#panes.classList.remove("with-details");
    }
    const fresh = id !== this.#id;
    this.#id = id;
    this.#drawn = drawn;
    this.#panes.hidden = trace === null;
    if (trace === null) return this.#missing(id);
    const root = trace.rows[0];
    this.title = `${root.service} ${shortId(trace.id)}`;
    this.#head.replaceChildren(...head(trace, root));
    this.#banner.replaceChildren(...banner(trace));
    this.#legend.replaceChildren(...legend(trace));
    this.#waterfall.update(trace, fresh);
  }

  #missing(id) {
    this.title = "No such trace";
    this.#head.replaceChildren(back(), h("h1", { tabindex: -1 }, "No such trace"));
    this.#banner.replaceChildren(h("p", { class: "empty card" }, "No span of trace ", h("code", {}, id), " is here. It may have been evicted to make room for newer ones."));
  }

  #choose(span) {
    this.#details.show(span);
    this.#panes.classList.toggle("with-details", span !== null);
  }
}

function back() {
  return h("a", { class: "back", href: "#/traces" }, icon("back"), "All traces");
}

function head(trace, root) {
  const fact = (name, ...value) => h("div", {}, h("dt", {}, name), h("dd", {}, ...value));
  const depth = 1 + Math.max(...trace.rows.map((row) => row.depth));
  return [
    back(),
    h("div", { class: "heading" },
      h("h1", { tabindex: -1, class: colourOf(root.service) }, h("span", { class: "swatch" }), root.service, h("span", { class: "op" }, root.name)),
      stateSign(trace.state)),
    h("dl", { class: "facts" },
      fact("Start", `${day(trace.start_us)} ${clock(trace.start_us)}`),
      fact("Duration", duration(trace.duration_us)),
      fact("Services", count(trace.services.length)),
      fact("Spans", trace.total > trace.rows.length ? `${count(trace.total)} (first ${count(trace.rows.length)} shown)` : count(trace.total)),
      fact("Depth", count(depth)),
      fact("Trace id", h("code", {}, trace.id), copyButton(trace.id))),
  ];
}

function copyButton(text) {
  const label = h("span", { class: "visually-hidden" }, "Copy trace id");
  const button = h("button", { class: "icon-button", type: "button", title: "Copy trace id" }, icon("copy"), label);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      label.textContent = "Copied";
    } catch {
      label.textContent = "The browser does not allow copying";
    }
    button.classList.add("done");
    setTimeout(() => button.classList.remove("done"), 1200);
  });
  return button;
}

function banner(trace) {
  if (trace.state === "arriving") {
    return [h("div", { class: "banner arriving", role: "note" }, icon("waiting"),
      h("div", {}, h("h2", {}, "Spans are still arriving"), h("p", {}, "Sidecars report every few seconds; a parent that is missing now may come yet.")))];
  }
  if (trace.state !== "broken") return [];
  const reason = ({ sentence, other_trace: other }) => h("li", {}, sentence,
    other && [" ", h("a", { href: `#/trace/${other}` }, `Show the other part, ${shortId(other)}`)]);
  return [h("section", { class: "banner broken", "aria-label": "Broken trace" }, icon("broken"),
    h("div", {}, h("h2", {}, "This trace is broken"), h("ul", {}, ...trace.why.map(reason))))];
}

function legend(trace) {
  const chips = trace.services.map(({ name, spans }) =>
    h("span", { class: `chip ${colourOf(name)}`, title: plural(spans, "span") }, h("span", { class: "swatch" }), h("b", {}, name)));
  return [
    h("div", { class: "chips" }, ...chips),
    h("div", { class: "chips kinds" },
      h("span", { class: "chip" }, h("span", { class: "sample ingress" }), "ingress: into the service"),
      h("span", { class: "chip" }, h("span", { class: "sample egress" }), "egress: out of it")),
  ];
}
