// Builds elements. The only way in this page to put text on the screen: children that are strings become text
// nodes, so nothing that a span says is ever read as markup.

const SVG = "http://www.w3.org/2000/svg";

/** An HTML element. `props`: attributes; `on…` functions are listeners; `style` is an object of CSS properties. */
export function h(tag, props, ...children) {
  return fill(document.createElement(tag), props, children);
}

/** An SVG element. */
export function svg(tag, props, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}

function fill(element, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [key, css] of Object.entries(value)) element.style.setProperty(key, css);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== false));
  return element;
}

const ICONS = {
  broken: ["M6.5 4.5 5 3a2.1 2.1 0 0 0-3 3l1.5 1.5", "M9.5 11.5 11 13a2.1 2.1 0 0 0 3-3l-1.5-1.5", "M5 9.500 3.500 11", "M11 6.500 12.500 5", "M8 2.200V4", "M8 12V13.800"],
  waiting: ["M8 2.500a5.500 5.500 0 1 0 5.500 5.500", "M8 5v3l2 1.500"],
  error: ["M8 2.500 14 13H2Z", "M8 6.500v3", "M8 11.400v.1"],
  ingress: ["M2 8h7", "M6 5l3 3-3 3", "M13 3v10"],
  egress: ["M3 3v10", "M6 8h8", "M11 5l3 3-3 3"],
  back: ["M13 8H3", "M7 4 3 8l4 4"],
  copy: ["M6 6h7v7H6z", "M10 6V3H3v7h3"],
  close: ["M4 4l8 8", "M12 4l-8 8"],
};

/** A decorative line icon, 16 by 16; its meaning must also stand in text. */
export function icon(name) {
  const paths = ICONS[name].map((d) => svg("path", { d }));
  return svg("svg", {
    viewBox: "0 0 16 16", width: 16, height: 16, fill: "none", stroke: "currentColor", "stroke-width": 1.6,
    "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true",
  }, ...paths);
}

/** The plain sign on a trace that is not whole; nothing for one that is. */
export function stateSign(state) {
  if (state === "broken") return h("span", { class: "sign broken" }, icon("broken"), "Broken");
  if (state === "arriving") return h("span", { class: "sign arriving" }, icon("waiting"), "Arriving");
  return null;
}
