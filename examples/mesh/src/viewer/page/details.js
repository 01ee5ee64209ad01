// The panel with everything that one span says. Its texts come from the network and are shown as text only.

import { colourOf } from "./colours.js";
import { h, icon } from "./dom.js";
import { duration, plural } from "./format.js";

export class Details {
  #onClose;
  element = h("aside", { class: "details card", "aria-label": "Span details", hidden: true, onkeydown: (event) => {
    if (event.key === "Escape") this.#onClose();
  } });

  constructor(onClose) {
    this.#onClose = onClose;
  }

  /** Shows a span; null hides the panel. */
  show(span) {
    this.element.hidden = span === null;
    if (span === null) return;
    const tags = Object.entries(span.tags);
    this.element.className = `details card ${colourOf(span.service)}`;
    this.element.replaceChildren(...[
      h("div", { class: "details-head" },
        h("div", {}, h("h2", {}, h("span", { class: "swatch" }), span.service), h("p", { class: "op" }, span.name)),
        h("button", { class: "icon-button", type: "button", title: "Close", onclick: () => this.#onClose() }, icon("close"), h("span", { class: "visually-hidden" }, "Close span details"))),
      span.flag && h("p", { class: "details-flag" }, icon("broken"), flagText(span)),
      table("Span", [
        ["direction", span.direction ?? "inside the service"],
        ["starts at", duration(span.offset_us)],
        ["duration", duration(span.duration_us)],
        ["span id", span.id],
        ["parent id", span.parent_id ?? "none: this is a root"],
        ["reported by", span.address],
        ["other side", span.remote],
      ]),
      tags.length > 0 ? table(plural(tags.length, "tag"), tags) : h("p", { class: "none" }, "No tags."),
      span.annotations.length > 0 && table("Annotations", span.annotations.map(({ offset_us: at, value }) => [`at ${duration(at)}`, value])),
    ].filter(Boolean));
    this.element.scrollTop = 0;
  }
}

function flagText(span) {
  if (span.flag === "became a root") return `${span.service} did not forward its trace headers, so this call has become a root.`;
  return `The parent span ${span.parent_id} was not reported.`;
}

function table(title, entries) {
  const known = entries.filter(([, value]) => value !== undefined && value !== null);
  return h("section", {}, h("h3", {}, title),
    h("dl", {}, ...known.map(([key, value]) => h("div", { class: "pair" }, h("dt", {}, key), h("dd", {}, value)))));
}
