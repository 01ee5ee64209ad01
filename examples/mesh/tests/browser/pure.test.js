// The parts of the page that need no browser.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { clock, count, duration, plural, shortId, ticks } from "../../src/viewer/page/format.js";
import { layout } from "../../src/viewer/page/layers.js";

describe("durations", () => {
  for (const [us, text] of [
    [0, "0 µs"], [850, "850 µs"], [999, "999 µs"], [1_000, "1 ms"], [12_440, "12.4 ms"], [999_499, "999 ms"],
    [999_500, "1 s"], [1_234_000, "1.23 s"], [125_000_000, "2 min 5 s"],
  ]) it(`write ${us} µs as ${text}`, () => assert.equal(duration(us), text));
});

describe("numbers and ids", () => {
  it("separate thousands", () => assert.equal(count(1234567), "1\u202f234\u202f567"));
  it("agree with their noun", () => assert.deepEqual([plural(1, "span"), plural(0, "span")], ["1 span", "0 spans"]));
  it("show the telling part of a padded id", () => assert.equal(shortId("0000000000000000463ac35c9f6413ad"), "463ac35c"));
  it("do not choke on a time that no clock has", () => assert.deepEqual([clock(0), clock(2 ** 64)], ["unknown", "unknown"]));
});

describe("the time axis", () => {
  it("has round steps", () => assert.deepEqual(ticks(40_000, 6), [0, 10_000, 20_000, 30_000, 40_000]));
  it("goes up to the last step that fits", () => assert.deepEqual(ticks(9_000, 6), [0, 2_000, 4_000, 6_000, 8_000]));
  it("is a single mark for an empty trace", () => assert.deepEqual(ticks(0, 6), [0]));
});

describe("the layers of the service graph", () => {
  const link = (parent, child) => ({ parent, child });
  const names = (result) => result.layers.map((layer) => layer.map((slot) => slot.name));

  it("put callers before the services they call", () => {
    const links = [link("gateway", "page"), link("page", "details"), link("page", "reviews"), link("reviews", "ratings")];
    assert.deepEqual(names(layout(["details", "gateway", "page", "ratings", "reviews"], links)), [["gateway"], ["page"], ["details", "reviews"], ["ratings"]]);
  });

  it("lead a long link through the layers between", () => {
    const long = link("a", "c");
    const { paths, layers } = layout(["a", "b", "c"], [link("a", "b"), link("b", "c"), long]);
    assert.deepEqual(paths.get(long).map((slot) => slot.name), ["a", null, "c"]);
    assert.equal(layers[1].length, 2);
  });

  it("survive cycles and calls to oneself", () => {
    const links = [link("a", "b"), link("b", "a"), link("a", "a")];
    const { layers, back, paths } = layout(["a", "b"], links);
    assert.deepEqual(layers.map((layer) => layer.map((slot) => slot.name)), [["a"], ["b"]]);
    assert.deepEqual([...back], [links[1]]);
    assert.equal(paths.has(links[2]), false);
  });

  it("place services that nobody calls", () => assert.deepEqual(names(layout(["x", "y"], [])), [["x", "y"]]));

  it("uncross links that need not cross", () => {
    const links = [link("a", "y"), link("b", "x")];
    const result = layout(["a", "b", "x", "y"], links);
    const order = (name) => result.layers.flat().find((slot) => slot.name === name).order;
    assert.equal(Math.sign(order("a") - order("b")), Math.sign(order("y") - order("x")));
  });
});
