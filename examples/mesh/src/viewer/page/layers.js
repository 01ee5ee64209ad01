// A layered layout for a small directed graph: callers to one side, called services to the other.
// Pure: takes names and links, gives places. No sizes, no drawing.

const SWEEPS = 6;

/**
 * Places nodes. `names`: strings; `links`: `{parent, child}`.
 * Gives `{layers: [[slot…]…], paths: Map(link → [slot…])}`; a slot is `{name|null, layer, order}`. A link that skips
 * layers passes through nameless slots; one that points backwards (a cycle) has its path reversed and `back` set.
 */
export function layout(names, links) {
  const proper = links.filter((link) => link.parent !== link.child);
  const back = backLinks(names, proper);
  const forward = proper.map((link) => back.has(link)
    ? { link, from: link.child, to: link.parent }
    : { link, from: link.parent, to: link.child });
  const depth = longestPaths(names, forward);
  const layers = Array.from({ length: 1 + Math.max(0, ...depth.values()) }, () => []);
  const slots = new Map(names.map((name) => [name, place(layers, depth.get(name), name)]));
  const paths = new Map();
  for (const { link, from, to } of forward) {
    const path = [slots.get(from)];
    for (let layer = depth.get(from) + 1; layer < depth.get(to); layer += 1) path.push(place(layers, layer, null));
    path.push(slots.get(to));
    paths.set(link, path);
  }
  order(layers, [...paths.values()]);
  return { layers, paths, back };
}

function place(layers, layer, name) {
  const slot = { name, layer, order: layers[layer].length };
  layers[layer].push(slot);
  return slot;
}

/** Links that close a cycle, found depth-first without recursion. */
function backLinks(names, links) {
  const from = new Map(names.map((name) => [name, []]));
  for (const link of links) from.get(link.parent).push(link);
  const called = new Set(links.map((link) => link.child));
  const starts = [...names.filter((name) => !called.has(name)), ...names];
  const state = new Map();
  const back = new Set();
  for (const start of starts) {
    if (state.has(start)) continue;
    state.set(start, "open");
    const stack = [{ name: start, next: 0 }];
    while (stack.length > 0) {
      const top = stack.at(-1);
      const link = from.get(top.name)[top.next];
      top.next += 1;
      if (!link) {
        state.set(top.name, "done");
        stack.pop();
      } else if (state.get(link.child) === "open") back.add(link);
      else if (!state.has(link.child)) {
        state.set(link.child, "open");
        stack.push({ name: link.child, next: 0 });
      }
    }
  }
  return back;
}

/** The layer of each node: how many links the longest way to it has. `forward` has no cycles. */
function longestPaths(names, forward) {
  const depth = new Map(names.map((name) => [name, 0]));
  const waiting = new Map(names.map((name) => [name, 0]));
  const out = new Map(names.map((name) => [name, []]));
  for (const { from, to } of forward) {
    out.get(from).push(to);
    waiting.set(to, waiting.get(to) + 1);
  }
  const ready = names.filter((name) => waiting.get(name) === 0);
  for (let name = ready.shift(); name !== undefined; name = ready.shift()) {
    for (const to of out.get(name)) {
      depth.set(to, Math.max(depth.get(to), depth.get(name) + 1));
      waiting.set(to, waiting.get(to) - 1);
      if (waiting.get(to) === 0) ready.push(to);
    }
  }
  return depth;
}

/** Reorders each layer by the middle of its neighbours, back and forth, so that few links cross. */
function order(layers, paths) {
  const before = new Map();
  const after = new Map();
  const push = (map, key, value) => map.set(key, [...(map.get(key) ?? []), value]);
  for (const path of paths) {
    for (let at = 1; at < path.length; at += 1) {
      push(before, path[at], path[at - 1]);
      push(after, path[at - 1], path[at]);
    }
  }
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const down = sweep % 2 === 0;
    const neighbours = down ? before : after;
    for (const layer of down ? layers : [...layers].reverse()) {
      const middle = new Map(layer.map((slot) => {
        const near = neighbours.get(slot) ?? [];
        return [slot, near.length ? near.reduce((sum, each) => sum + each.order, 0) / near.length : slot.order];
      }));
      layer.sort((a, b) => middle.get(a) - middle.get(b) || a.order - b.order);
      layer.forEach((slot, at) => { slot.order = at; });
    }
  }
}
