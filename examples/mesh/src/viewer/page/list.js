// The list of traces: filters, a picture of duration over time, and one row a trace.

import { colourOf } from "./colours.js";
import { h, icon, stateSign } from "./dom.js";
import { clock, count, day, duration, plural, shortId } from "./format.js";
import { Scatter } from "./scatter.js";

const SORTS = {
  newest: ["Newest first", (a, b) => b.start_us - a.start_us],
  broken: ["Broken first", (a, b) => rank(a) - rank(b) || b.start_us - a.start_us],
  longest: ["Longest first", (a, b) => b.duration_us - a.duration_us],
  spans: ["Most spans first", (a, b) => b.spans - a.spans],
};
const DEFAULT_SORT = "broken";
const MOST_CHIPS = 8;
const rank = (trace) => ({ broken: 0, arriving: 1 })[trace.state] ?? 2;

export class ListView {
  title = "Traces";
  #list = null;
  #heading = h("h1", { tabindex: -1 }, "Traces");
  #count = h("span", { class: "count", role: "status" });
  #search = h("input", {
    type: "search", "aria-label": "Filter by service, operation or trace id", placeholder: "Filter by service, operation or trace id",
    oninput: () => this.#filter("q", this.#search.value),
  });
  #service = h("select", { "aria-label": "Service", onchange: () => this.#filter("service", this.#service.value) });
  #sort = h("select", { "aria-label": "Order", onchange: () => this.#filter("sort", this.#sort.value) },
    ...Object.entries(SORTS).map(([value, [label]]) => h("option", { value }, label)));
  #broken = h("button", { class: "toggle", type: "button", onclick: () => this.#filter("broken", this.#params().has("broken") ? "" : "1") });
  #scatter = new Scatter();
  #rows = h("ul", { class: "traces card", "aria-label": "Traces", onkeydown: (event) => this.#move(event) });
  #empty = h("div", { class: "empty card" });
  element = h("section", {},
    h("div", { class: "heading" }, this.#heading, this.#count),
    h("div", { class: "filters", role: "search" }, this.#search, this.#service, this.#sort, this.#broken),
    this.#scatter.element, this.#rows, this.#empty);

  /** Draws `list` (null: not loaded yet) as the parameters of the address filter it. */
  update(list, params) {
    this.#list = list;
    if (list) this.#draw(params);
  }

  #params() {
    return new URLSearchParams(location.hash.split("?")[1]);
  }

  // The filters live in the address, so that a filtered list can be shared and survives a reload.
  #filter(name, value) {
    const params = this.#params();
    if (value === "" || (name === "sort" && value === DEFAULT_SORT)) params.delete(name);
    else params.set(name, value);
    const query = params.toString();
    history.replaceState(null, "", `#/traces${query ? `?${query}` : ""}`);
    if (this.#list) this.#draw(params);
  }

  #draw(params) {
    const { traces, services, broken } = this.#list;
    const query = (params.get("q") ?? "").trim().toLowerCase();
    const service = params.get("service") ?? "";
    const sort = Object.hasOwn(SORTS, params.get("sort") ?? "") ? params.get("sort") : DEFAULT_SORT;
    const onlyBroken = params.has("broken");
    this.#controls(services, { query: params.get("q") ?? "", service, sort, onlyBroken, broken });

    const wanted = traces.filter((trace) => (!onlyBroken || trace.state === "broken")
      && (!service || trace.services.some(({ name }) => name === service))
      && (!query || matches(trace, query)));
    const sorted = [...wanted].sort(SORTS[sort][1]);
    this.#count.textContent = summary(wanted.length, this.#list);
    this.#scatter.update(wanted);
    this.#draw_rows(sorted);
    this.#explain_nothing(sorted.length === 0, traces.length === 0);
  }

  #controls(services, now) {
    const options = ["", ...[...services].sort()];
    if (options.length !== this.#service.options.length || options.some((name, at) => this.#service.options[at].value !== name)) {
      this.#service.replaceChildren(...options.map((name) => h("option", { value: name }, name || "All services")));
    }
    this.#service.value = now.service;
    this.#sort.value = now.sort;
    if (document.activeElement !== this.#search) this.#search.value = now.query;
    this.#broken.setAttribute("aria-pressed", String(now.onlyBroken));
    this.#broken.textContent = `Broken only (${count(now.broken)})`;
  }

  #draw_rows(traces) {
    const focused = document.activeElement?.closest?.(".trace-row")?.dataset.id;
    const longest = Math.max(1, ...traces.map((trace) => trace.duration_us));
    this.#rows.replaceChildren(...traces.map((trace) => h("li", {}, row(trace, longest))));
    this.#rows.hidden = traces.length === 0;
    if (focused) [...this.#rows.querySelectorAll(".trace-row")].find((each) => each.dataset.id === focused)?.focus();
  }

  #explain_nothing(nothing, noTraces) {
    this.#empty.hidden = !nothing;
    if (!nothing) return;
    if (noTraces) {
      this.#empty.replaceChildren(h("strong", {}, "No traces yet"), "Spans that are posted to ", h("code", {}, `${location.origin}/api/v2/spans`), " appear here by themselves.");
    } else {
      this.#empty.replaceChildren(h("strong", {}, "No trace matches"), "Change the filters above to see more.");
    }
  }

  #move(event) {
    const rows = [...this.#rows.querySelectorAll(".trace-row")];
    const at = rows.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (at < 0 || to === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    rows[Math.min(Math.max(to, 0), rows.length - 1)].focus();
  }
}

function matches(trace, query) {
  return trace.id.includes(query) || trace.name.toLowerCase().includes(query)
    || trace.services.some(({ name }) => name.includes(query));
}

function summary(shown, list) {
  const all = list.traces.length;
  const shownOf = shown === all ? plural(all, "trace") : `${count(shown)} of ${plural(all, "trace")}`;
  const older = list.counts.traces - all;
  return older > 0 ? `${shownOf}, ${count(older)} older not listed` : shownOf;
}

function row(trace, longest) {
  const chips = trace.services.slice(0, MOST_CHIPS).map(({ name, spans }) =>
    h("span", { class: `chip ${colourOf(name)}` }, h("span", { class: "swatch" }), h("b", {}, name), count(spans)));
  const more = trace.services.length - chips.length;
  return h("a", { class: `trace-row ${trace.state}`, href: `#/trace/${trace.id}`, "data-id": trace.id },
    h("span", { class: "trace-what" },
      stateSign(trace.state),
      h("strong", {}, trace.service), h("span", { class: "op" }, trace.name),
      h("span", { class: "mono" }, shortId(trace.id)),
      trace.errors > 0 && h("span", { class: "sign error" }, icon("error"), plural(trace.errors, "error"))),
    h("span", { class: "trace-length" },
      h("b", {}, duration(trace.duration_us)),
      h("span", { class: "track" }, h("span", { class: "fill", style: { width: `${(100 * trace.duration_us) / longest}%` } }))),
    h("span", { class: "trace-when" }, h("b", {}, clock(trace.start_us)), plural(trace.spans, "span")),
    h("span", { class: "chips" }, ...chips, more > 0 && h("span", { class: "chip" }, `${count(more)} more`)),
    trace.why.length > 0 && h("span", { class: "why", title: day(trace.start_us) }, trace.why[0].sentence));
}
