// The waterfall: a treegrid of spans with a bar each on a common time axis.
// Arrow keys move and fold, Enter or a click chooses a span, Escape lets it go.

import { colourOf } from "./colours.js";
import { h, icon } from "./dom.js";
import { duration, ticks } from "./format.js";

const DEEPEST_INDENT = 20;

export class Waterfall {
  #onChoose;
  #rows = [];
  #shown = [];
  #folded = new Set();
  #chosen = null;
  #current = 0;
  #axis = h("div", { role: "columnheader", class: "axis" });
  #body = h("div", { role: "rowgroup" });
  element = h("div", { class: "waterfall", role: "treegrid", "aria-label": "Spans of the trace", onkeydown: (event) => this.#key(event) },
    h("div", { role: "rowgroup" }, h("div", { role: "row", class: "wf-head" }, h("div", { role: "columnheader", class: "wf-what" }, "Service and operation"), this.#axis)),
    this.#body);

  constructor(onChoose) {
    this.#onChoose = onChoose;
  }

  /** Draws the spans of `trace`. `fresh` forgets what was folded and chosen. */
  update(trace, fresh) {
    if (fresh) {
      this.#folded.clear();
      this.#chosen = null;
      this.#current = 0;
    }
    const rows = trace.rows.map((span, index) => ({ ...span, index, key: `${span.service} ${span.direction} ${span.id}`, parent: -1, children: 0 }));
    const path = [];
    for (const row of rows) {
      path.length = row.depth;
      row.parent = path.at(-1)?.index ?? -1;
      if (row.parent >= 0) rows[row.parent].children += 1;
      path.push(row);
    }
    this.#rows = rows;
    const length = Math.max(1, ...rows.map((row) => row.offset_us + row.duration_us));
    this.#drawAxis(length);
    for (const row of rows) row.element = this.#row(row, length);
    this.#draw();
    if (!fresh && this.#chosen !== null) this.#mark();
  }

  /** Chooses the row with this key and tells about it; null lets go. */
  choose(key) {
    this.#chosen = key;
    this.#mark();
    this.#onChoose(this.#rows.find((row) => row.key === key) ?? null);
    if (key === null) this.#shown[this.#current]?.element.focus();
  }

  #drawAxis(length) {
    const marks = ticks(length, innerWidth < 720 ? 3 : 6);
    this.element.style.setProperty("--step", `${marks.length > 1 ? (100 * marks[1]) / length : 100}%`);
    this.#axis.replaceChildren(h("span", { class: "visually-hidden" }, "Time"), ...marks.map((mark) => {
      const left = (100 * mark) / length;
      return h("span", { class: `tick ${left > 94 ? "last" : ""}`, style: { left: `${left}%` } }, mark === 0 ? "0" : duration(mark));
    }));
  }

  #row(row, length) {
    const left = (100 * row.offset_us) / length;
    const width = (100 * row.duration_us) / length;
    const side = left + width < 82 ? "after" : left > 18 ? "before" : "inside";
    const fold = h("span", { class: `fold ${row.children ? "" : "leaf"}`, "aria-hidden": "true", onclick: (event) => { event.stopPropagation(); this.#fold(row); } });
    return h("div", {
      role: "row", class: `wf-row ${colourOf(row.service)} ${row.direction ?? "internal"} ${row.error ? "failed" : ""} ${row.flag ? "flagged" : ""}`,
      "aria-level": row.depth + 1, "aria-expanded": row.children ? "true" : null, "aria-selected": "false", tabindex: -1,
      style: { "--depth": String(Math.min(row.depth, DEEPEST_INDENT)) },
      onclick: () => this.#go(this.#shown.indexOf(row), true),
    },
      h("div", { role: "gridcell", class: "wf-what" }, fold, h("span", { class: "swatch" }),
        h("span", { class: "wf-service" }, row.service), direction(row.direction),
        row.error && h("span", { class: "wf-error" }, icon("error"), h("span", { class: "visually-hidden" }, "failed")),
        row.flag && h("span", { class: "sign broken" }, icon("broken"), row.flag),
        h("span", { class: "wf-op" }, row.name)),
      h("div", { role: "gridcell", class: "wf-time" },
        h("span", { class: "bar", style: { left: `${left}%`, width: `${width}%` } },
          h("span", { class: `bar-label ${side}` }, duration(row.duration_us)))));
  }

  #draw() {
    const hidden = new Set();
    this.#shown = this.#rows.filter((row) => {
      const under = row.parent >= 0 && (hidden.has(row.parent) || this.#folded.has(this.#rows[row.parent].key));
      if (under) hidden.add(row.index);
      return !under;
    });
    const hadFocus = this.#body.contains(document.activeElement);
    for (const row of this.#shown) if (row.children) row.element.setAttribute("aria-expanded", String(!this.#folded.has(row.key)));
    this.#body.replaceChildren(...this.#shown.map((row) => row.element));
    this.#current = Math.min(this.#current, Math.max(0, this.#shown.length - 1));
    this.#shown.forEach((row, at) => { row.element.tabIndex = at === this.#current ? 0 : -1; });
    if (hadFocus) this.#shown[this.#current]?.element.focus();
  }

  #mark() {
    for (const row of this.#rows) row.element.setAttribute("aria-selected", String(row.key === this.#chosen));
  }

  #fold(row, wanted = !this.#folded.has(row.key)) {
    if (wanted) this.#folded.add(row.key);
    else this.#folded.delete(row.key);
    this.#draw();
  }

  #go(at, choose = false) {
    const row = this.#shown[at];
    if (!row) return;
    this.#shown[this.#current].element.tabIndex = -1;
    this.#current = at;
    row.element.tabIndex = 0;
    if (choose) this.choose(row.key === this.#chosen ? null : row.key);
    else if (this.#chosen !== null) this.choose(row.key);
    row.element.focus({ preventScroll: true });
    row.element.scrollIntoView({ block: "nearest" });
  }

  #key(event) {
    const row = this.#shown[this.#current];
    if (!row || event.altKey || event.ctrlKey || event.metaKey) return;
    const open = row.children > 0 && !this.#folded.has(row.key);
    const actions = {
      ArrowDown: () => this.#go(this.#current + 1),
      ArrowUp: () => this.#go(this.#current - 1),
      Home: () => this.#go(0),
      End: () => this.#go(this.#shown.length - 1),
      ArrowRight: () => { if (open) this.#go(this.#current + 1); else if (row.children) this.#fold(row, false); },
      ArrowLeft: () => { if (open) this.#fold(row, true); else this.#go(this.#shown.findIndex((each) => each.index === row.parent)); },
      Enter: () => this.#go(this.#current, true),
      " ": () => this.#go(this.#current, true),
      Escape: () => this.choose(null),
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }
}

function direction(name) {
  if (!name) return null;
  return h("span", { class: `wf-direction ${name}` }, icon(name), name);
}
