// Duration over time, one dot a trace: shows at a glance what is slow and what is broken. The list below says the
// same in words, so assistive technology skips the picture.

import { h, svg } from "./dom.js";
import { clock, duration } from "./format.js";

const MOST_DOTS = 500;

export class Scatter {
  #high = h("span", { class: "scale high" });
  #low = h("span", { class: "scale low" }, "0");
  #from = h("span");
  #to = h("span");
  #plot = svg("svg", { preserveAspectRatio: "none" });
  element = h("div", { class: "scatter card", "aria-hidden": "true" },
    this.#high, this.#low, this.#plot, h("div", { class: "times" }, this.#from, this.#to));

  update(traces) {
    const timed = traces.filter((trace) => trace.start_us > 0).slice(0, MOST_DOTS);
    this.element.hidden = timed.length < 2;
    if (this.element.hidden) return;
    const starts = timed.map((trace) => trace.start_us);
    const [first, last] = [Math.min(...starts), Math.max(...starts)];
    const longest = Math.max(1, ...timed.map((trace) => trace.duration_us));
    this.#high.textContent = duration(longest);
    this.#from.textContent = clock(first);
    this.#to.textContent = clock(last);
    const lines = [0, 50, 100].map((y) => svg("line", { x1: "0", x2: "100%", y1: `${y}%`, y2: `${y}%` }));
    // Broken ones are drawn last, above the others.
    const ordered = [...timed].sort((a, b) => (a.state === "broken") - (b.state === "broken"));
    const dots = ordered.map((trace) => svg("circle", {
      class: trace.state, r: trace.state === "broken" ? 5 : 4,
      cx: `${last === first ? 50 : (100 * (trace.start_us - first)) / (last - first)}%`,
      cy: `${100 - (100 * trace.duration_us) / longest}%`,
      onclick: () => { location.hash = `#/trace/${trace.id}`; },
    }, svg("title", {}, `${trace.service} ${trace.name}: ${duration(trace.duration_us)}`)));
    this.#plot.replaceChildren(...lines, ...dots);
  }
}
