// The service graph: who calls whom, as a picture and as a table.

import { colourOf } from "./colours.js";
import { h, svg } from "./dom.js";
import { count, plural } from "./format.js";
import { layout } from "./layers.js";

// Sizes in pixels. On a narrow screen the graph runs downwards, with smaller boxes.
const WIDE = { tall: false, width: 176, height: 58, along: 104, across: 34, margin: 28, name: 19 };
const TALL = { tall: true, width: 140, height: 52, along: 58, across: 16, margin: 16, name: 14 };
/** How much room a link needs that passes through a layer. */
const PASSING = 18;

export class GraphView {
  title = "Service graph";
  #graph = null;
  #drawn = "";
  #count = h("span", { class: "count" });
  #picture = h("div", { class: "graph card" });
  #table = h("div", { class: "graph-table card" });
  element = h("section", {}, h("div", { class: "heading" }, h("h1", { tabindex: -1 }, "Service graph"), this.#count), this.#picture, this.#table);

  constructor() {
    matchMedia("(max-width: 720px)").addEventListener("change", () => this.#graph && this.#draw());
  }

  update(graph) {
    const drawn = JSON.stringify([graph.nodes, graph.links]);
    this.#graph = graph;
    if (drawn !== this.#drawn) this.#draw();
    this.#drawn = drawn;
  }

  #draw() {
    const { nodes, links } = this.#graph;
    this.#count.textContent = `${plural(nodes.length, "service")}, ${plural(links.length, "link")}`;
    if (nodes.length === 0) {
      this.#picture.replaceChildren(h("p", { class: "empty" }, h("strong", {}, "No services yet"), "The graph draws itself from the spans that arrive."));
      this.#table.replaceChildren();
      this.#table.hidden = true;
      return;
    }
    const focused = document.activeElement?.getAttribute?.("data-node");
    const tall = matchMedia("(max-width: 720px)").matches;
    this.#picture.replaceChildren(picture(nodes, links, tall ? TALL : WIDE));
    if (focused !== null && focused !== undefined) {
      [...this.#picture.querySelectorAll("[data-node]")].find((each) => each.getAttribute("data-node") === focused)?.focus();
    }
    this.#table.hidden = false;
    this.#table.replaceChildren(table(links));
  }
}

function picture(nodes, links, style) {
  const { layers, paths, back } = layout(nodes.map((node) => node.name), links);
  const [along, across] = style.tall ? [style.height, style.width] : [style.width, style.height];
  const room = (slot) => (slot.name === null ? PASSING : across);
  const sizes = layers.map((layer) => layer.reduce((sum, slot) => sum + room(slot) + style.across, -style.across));
  const extent = Math.max(...sizes);
  // The middle of a slot; a layer that needs less room than others is centred.
  const middle = (slot) => {
    const before = layers[slot.layer].slice(0, slot.order).reduce((sum, each) => sum + room(each) + style.across, 0);
    const a = style.margin + slot.layer * (along + style.along) + along / 2;
    const b = style.margin + (extent - sizes[slot.layer]) / 2 + before + room(slot) / 2;
    return style.tall ? { x: b, y: a } : { x: a, y: b };
  };
  const length = 2 * style.margin + layers.length * (along + style.along) - style.along;
  const breadth = extent + 2 * style.margin;
  const size = style.tall ? { width: breadth, height: length } : { width: length, height: breadth };

  const busiest = Math.max(1, ...links.map((link) => link.callCount));
  const edges = links.map((link) => {
    if (link.parent === link.child) return selfEdge(link, middle(layers.flat().find((slot) => slot.name === link.parent)), style, busiest);
    const points = paths.get(link).map(middle);
    return edge(link, back.has(link) ? points.reverse() : points, style, busiest);
  });
  const boxes = layers.flat().filter((slot) => slot.name !== null)
    .map((slot) => box(nodes.find((node) => node.name === slot.name), middle(slot), style));
  return svg("svg", { viewBox: `0 0 ${size.width} ${size.height}`, width: size.width, height: size.height, role: "group", "aria-label": "Service graph" },
    svg("defs", {}, arrowhead("arrow"), arrowhead("arrow-failed")), ...edges.map((each) => each.line), ...boxes, ...edges.map((each) => each.label));
}

function arrowhead(id) {
  return svg("marker", { id, viewBox: "0 0 10 10", refX: 9, refY: 5, markerWidth: 9, markerHeight: 9, orient: "auto-start-reverse", markerUnits: "userSpaceOnUse" },
    svg("path", { d: "M0 1 L10 5 L0 9 z" }));
}

function box(node, at, style) {
  const short = node.name.length > style.name ? `${node.name.slice(0, style.name - 1)}…` : node.name;
  const words = node.spans ? plural(node.spans, "span") : "reports no spans";
  const errors = node.errors ? `, ${plural(node.errors, "error")}` : "";
  return svg("a", {
    href: `#/traces?${new URLSearchParams({ service: node.name })}`, class: `node ${colourOf(node.name)} ${node.spans ? "" : "silent"}`,
    "data-node": node.name, "aria-label": `${node.name}: ${words}${errors}. Show its traces`,
    transform: `translate(${at.x - style.width / 2} ${at.y - style.height / 2})`,
  },
    svg("title", {}, node.name),
    svg("rect", { class: "node-box", width: style.width, height: style.height, rx: 8 }),
    svg("rect", { class: "node-stripe", width: 5, height: style.height - 16, x: 9, y: 8, rx: 2.5 }),
    // An inner viewport cuts off what is too long for the box.
    svg("svg", { width: style.width - 6, height: style.height },
      svg("text", { class: "node-name", x: 22, y: style.height / 2 - 4 }, short),
      svg("text", { class: node.errors ? "node-note failed" : "node-note", x: 22, y: style.height / 2 + 14 }, `${words}${errors}`)));
}

function edge(link, points, style, busiest) {
  const { tall } = style;
  const half = tall ? { x: 0, y: style.height / 2 } : { x: style.width / 2, y: 0 };
  const first = points[0];
  const last = points.at(-1);
  const direction = tall ? Math.sign(last.y - first.y) || 1 : Math.sign(last.x - first.x) || 1;
  points[0] = { x: first.x + direction * half.x, y: first.y + direction * half.y };
  points[points.length - 1] = { x: last.x - direction * half.x, y: last.y - direction * half.y };
  let d = `M${points[0].x} ${points[0].y}`;
  for (let at = 1; at < points.length; at += 1) {
    const [a, b] = [points[at - 1], points[at]];
    const bend = tall ? { x: 0, y: (b.y - a.y) / 2 } : { x: (b.x - a.x) / 2, y: 0 };
    d += ` C${a.x + bend.x} ${a.y + bend.y} ${b.x - bend.x} ${b.y - bend.y} ${b.x} ${b.y}`;
  }
  const [a, b] = points.length > 2 ? [points[1], points[1]] : points;
  return drawn(link, d, { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 }, busiest);
}

function selfEdge(link, at, style, busiest) {
  const top = at.y - style.height / 2;
  return drawn(link, `M${at.x + 20} ${top} C${at.x + 30} ${top - 30} ${at.x + 70} ${top - 30} ${at.x + 60} ${top}`, { x: at.x + 45, y: top - 22 }, busiest);
}

function drawn(link, d, at, busiest) {
  const failed = link.errorCount > 0;
  const weight = 1.4 + 2.2 * (Math.log1p(link.callCount) / Math.log1p(busiest));
  const text = failed ? `${count(link.callCount)} · ${plural(link.errorCount, "error")}` : count(link.callCount);
  return {
    line: svg("path", { class: `edge ${failed ? "failed" : ""}`, d, "stroke-width": weight.toFixed(2), "marker-end": `url(#arrow${failed ? "-failed" : ""})`, "data-from": link.parent, "data-to": link.child }),
    label: svg("text", { class: `edge-label ${failed ? "failed" : ""}`, x: at.x, y: at.y, "text-anchor": "middle", "dominant-baseline": "central" }, text),
  };
}

function table(links) {
  const row = (link) => h("tr", {},
    h("td", {}, h("span", { class: `chip ${colourOf(link.parent)}` }, h("span", { class: "swatch" }), h("b", {}, link.parent))),
    h("td", {}, h("span", { class: `chip ${colourOf(link.child)}` }, h("span", { class: "swatch" }), h("b", {}, link.child))),
    h("td", { class: "number" }, count(link.callCount)),
    h("td", { class: link.errorCount ? "number failed" : "number" }, count(link.errorCount)));
  const head = h("tr", {}, ...["Caller", "Called service", "Calls", "Errors"].map((name, at) => h("th", { scope: "col", class: at > 1 ? "number" : null }, name)));
  return h("table", {}, h("caption", { class: "visually-hidden" }, "Calls between services"), h("thead", {}, head), h("tbody", {}, ...links.map(row)));
}
