// The viewer in a real headless Chromium, on spans posted over real HTTP.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { findChromium, MISSING, startChromium } from "./chromium.js";
import { post, startCollector } from "./collector.js";
import {
  broken, FRONT, HOSTILE, hostile, MARKUP, ORPHANED, orphaned, span, TAIL, WHOLE, whole, WHOLE_ROWS,
} from "./spans.js";

const skip = findChromium() === undefined && MISSING;

describe("the viewer", { skip }, () => {
  let collector;
  let browser;
  let context;
  let page;
  /** What the page complained about, and the requests that went to another origin. */
  let complaints;
  let strayed;

  before(async () => {
    collector = await startCollector();
    browser = await startChromium(findChromium());
    await post(collector.address, [...whole, ...broken, ...orphaned, ...hostile]);
  });

  after(async () => {
    await browser?.close();
    await collector?.stop();
  });

  beforeEach(() => open());

  afterEach(async () => {
    assert.deepEqual(complaints, [], "the page complained");
    assert.deepEqual(strayed, [], "a request left the page's origin");
    assert.equal(await page.evaluate(() => globalThis.__owned), undefined, "a span's text was executed");
    await context.close();
  });

  async function open(options = {}) {
    await context?.close();
    complaints = [];
    strayed = [];
    context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    page = await context.newPage();
    page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("request", (request) => new URL(request.url()).origin !== collector.address && strayed.push(request.url()));
  }

  async function visit(route) {
    await page.goto(`${collector.address}/${route}`);
    await page.locator("main h1").waitFor();
  }

  const listed = (id) => page.locator(`.trace-row[data-id="${id}"]`);
  const rows = () => page.locator(".wf-row");
  const focusedText = () => page.evaluate(() => document.activeElement.innerText.replace(/\s+/g, " ").trim());

  const drawnRows = () => rows().evaluateAll((elements) => elements.map((row) => [
    Number(row.getAttribute("aria-level")),
    row.querySelector(".wf-service").textContent,
    row.querySelector(".wf-direction").textContent,
    row.querySelector(".wf-op").textContent,
    row.querySelector(".bar-label").textContent,
  ]));

  describe("the list", () => {
    it("shows the whole trace and the broken ones, with a sign on the broken ones only", async () => {
      await visit("#/traces");
      assert.equal(await listed(WHOLE).count(), 1);
      assert.equal(await listed(WHOLE).locator(".sign.broken").count(), 0);
      assert.match(await listed(WHOLE).innerText(), /gateway\s+productpage:9080.*40 ms.*8 spans/s);
      for (const id of [FRONT, TAIL, ORPHANED]) {
        assert.equal(await listed(id).locator(".sign.broken").innerText(), "Broken");
      }
    });

    it("says in a sentence which service did not forward its headers", async () => {
      await visit("#/traces");
      assert.equal(
        await listed(TAIL).locator(".why").innerText(),
        "reviews did not forward its trace headers: its outbound call started this new trace instead of joining the request that it was handling.",
      );
      assert.match(await listed(FRONT).locator(".why").innerText(), /^reviews did not forward its trace headers/);
      assert.match(await listed(ORPHANED).locator(".why").innerText(), /^details called on with the span id deadbeefdeadbeef/);
    });

    it("puts the broken traces first", async () => {
      await visit("#/traces");
      const ids = await page.locator(".trace-row").evaluateAll((all) => all.map((each) => each.dataset.id));
      assert.deepEqual(ids, [ORPHANED, TAIL, FRONT, HOSTILE, WHOLE]);
    });

    it("filters by text, by service and by brokenness, and keeps the filter in the address", async () => {
      await visit("#/traces");
      const ids = () => page.locator(".trace-row").evaluateAll((all) => all.map((each) => each.dataset.id));
      await page.getByRole("searchbox").fill("productpage");
      assert.deepEqual(await ids(), [WHOLE]);
      await page.getByRole("searchbox").fill("");
      await page.getByRole("combobox", { name: "Service" }).selectOption("ratings");
      assert.deepEqual(await ids(), [TAIL, WHOLE]);
      await page.getByRole("button", { name: "Broken only (3)" }).click();
      assert.deepEqual(await ids(), [TAIL]);
      assert.equal(new URL(page.url()).hash, "#/traces?service=ratings&broken=1");
      await page.getByRole("searchbox").fill("nothing is called this");
      await page.getByText("No trace matches").waitFor();
    });

    it("shows a trace that arrives while one looks", async () => {
      await visit("#/traces");
      const id = "5e000000000000000000000000000001";
      assert.equal(await listed(id).count(), 0);
      await post(collector.address, [span(id, "e000000000000001", undefined, "CLIENT", "latecomer", "late:80", -500_000, 900)]);
      await listed(id).waitFor();
    });
  });

  describe("the waterfall", () => {
    it("has one row a span, parents before children, with service, direction, operation and duration", async () => {
      await visit(`#/trace/${WHOLE}`);
      assert.deepEqual(await drawnRows(), WHOLE_ROWS);
      assert.equal(await page.locator(".banner, .sign.broken").count(), 0);
    });

    it("draws each bar where its span lies in time", async () => {
      await visit(`#/trace/${WHOLE}`);
      const bars = await page.locator(".bar").evaluateAll((all) => all.map(({ style }) => [style.left, style.width]));
      assert.deepEqual(bars, [
        ["0%", "100%"], ["2.5%", "95%"], ["7.5%", "20%"], ["10%", "15%"],
        ["35%", "55%"], ["37.5%", "50%"], ["50%", "22.5%"], ["52.5%", "17.5%"],
      ]);
      assert.deepEqual(await page.locator(".tick").allInnerTexts(), ["0", "10 ms", "20 ms", "30 ms", "40 ms"]);
    });

    it("gives each service one colour of its own", async () => {
      await visit(`#/trace/${WHOLE}`);
      const pairs = await rows().evaluateAll((all) => all.map((row) =>
        [row.querySelector(".wf-service").textContent, getComputedStyle(row.querySelector(".swatch")).backgroundColor]));
      const colours = new Map(pairs);
      assert.equal(colours.size, 5);
      assert.equal(new Set(colours.values()).size, 5);
      for (const [service, colour] of pairs) assert.equal(colour, colours.get(service));
    });

    it("tells ingress bars from egress bars by more than colour", async () => {
      await visit(`#/trace/${WHOLE}`);
      const border = (row) => row.locator(".bar").evaluate((bar) => getComputedStyle(bar).boxShadow);
      assert.notEqual(await border(rows().nth(0)), "none");
      assert.equal(await border(rows().nth(1)), "none");
    });

    it("shows a span's tags on a click, and hides them on a second one", async () => {
      await visit(`#/trace/${WHOLE}`);
      const details = page.getByRole("complementary", { name: "Span details" });
      assert.equal(await details.isVisible(), false);
      await rows().nth(7).click();
      assert.equal(await rows().nth(7).getAttribute("aria-selected"), "true");
      const pairs = await details.locator(".pair").evaluateAll((all) => all.map((pair) => [...pair.children].map((each) => each.textContent)));
      assert.deepEqual(pairs, [
        ["direction", "ingress"], ["starts at", "21 ms"], ["duration", "7 ms"], ["span id", "a000000000000008"],
        ["parent id", "a000000000000007"], ["reported by", "127.0.0.1:15001"],
        ["component", "proxy"], ["http.method", "GET"], ["http.status_code", "200"], ["peer.note", "leaf"],
      ]);
      await rows().nth(7).click();
      assert.equal(await details.isVisible(), false);
    });

    it("says that a trace is not there rather than showing nothing", async () => {
      await visit("#/trace/00000000000000000000000000000001");
      await page.getByRole("heading", { name: "No such trace" }).waitFor();
      // The browser itself reports every 404 in its console.
      complaints = complaints.filter((text) => !text.includes("404"));
    });
  });

  describe("a broken trace", () => {
    it("explains itself, marks the call that became a root, and leads to the other part", async () => {
      await visit(`#/trace/${TAIL}`);
      const banner = page.getByRole("region", { name: "Broken trace" });
      assert.match(await banner.innerText(), /This trace is broken\s+reviews did not forward its trace headers: its outbound call started this new trace/);
      assert.match(await rows().nth(0).innerText(), /reviews.*egress.*became a root/s);
      assert.equal(await rows().nth(1).locator(".sign").count(), 0);
      await banner.getByRole("link", { name: "Show the other part" }).click();
      await page.waitForURL(`**/#/trace/${FRONT}`);
      await page.getByText("the trace ends there, and the rest of this request is in another one.").waitFor();
    });

    it("marks a span whose parent nobody reported", async () => {
      await visit(`#/trace/${ORPHANED}`);
      assert.match(await rows().nth(2).innerText(), /details.*egress.*parent not reported/s);
      assert.equal(await page.locator(".wf-row .sign").count(), 1);
    });
  });

  describe("the keyboard", () => {
    it("skips to the content first", async () => {
      await visit("#/traces");
      await page.keyboard.press("Tab");
      assert.equal(await focusedText(), "Skip to content");
      await page.keyboard.press("Enter");
      assert.equal(await page.evaluate(() => document.activeElement.id), "main");
      assert.equal(new URL(page.url()).hash, "#/traces");
    });

    it("walks the list with arrows and opens a trace with Enter", async () => {
      await visit("#/traces");
      await listed(ORPHANED).focus();
      await page.keyboard.press("ArrowDown");
      assert.equal(await page.evaluate(() => document.activeElement.dataset.id), TAIL);
      await page.keyboard.press("Enter");
      await page.waitForURL(`**/#/trace/${TAIL}`);
      await page.waitForFunction(() => document.activeElement.tagName === "H1");
    });

    it("walks, folds and opens the spans of a waterfall, and shows where it is", async () => {
      await visit(`#/trace/${WHOLE}`);
      await rows().first().focus();
      await page.keyboard.press("ArrowDown");
      assert.match(await focusedText(), /^productpage ingress/);
      assert.notEqual(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), "none");
      await page.keyboard.press("ArrowLeft");
      assert.equal(await rows().count(), 2);
      assert.equal(await rows().nth(1).getAttribute("aria-expanded"), "false");
      await page.keyboard.press("ArrowRight");
      assert.equal(await rows().count(), 8);
      await page.keyboard.press("End");
      assert.match(await focusedText(), /^ratings ingress/);
      await page.keyboard.press("Enter");
      const details = page.getByRole("complementary", { name: "Span details" });
      assert.match(await details.innerText(), /peer\.note\s+leaf/);
      await page.keyboard.press("ArrowUp");
      assert.match(await details.innerText(), /reviews\s+ratings:9080/);
      await page.keyboard.press("Escape");
      assert.equal(await details.isVisible(), false);
      assert.match(await focusedText(), /^reviews egress/);
    });

    it("keeps its place while fresh spans arrive", async () => {
      await visit(`#/trace/${TAIL}`);
      await rows().nth(1).click();
      await post(collector.address, [span(TAIL, "b000000000000005", "b000000000000004", "CLIENT", "ratings", "store:5432", 2_007_000, 1_000)]);
      await rows().nth(2).waitFor();
      assert.match(await focusedText(), /^ratings ingress/);
      assert.equal(await rows().nth(1).getAttribute("aria-selected"), "true");
    });
  });

  describe("the service graph", () => {
    it("has exactly the calls that the spans show, drawn and as a table", async () => {
      await visit("#/graph");
      await page.locator(".edge").first().waitFor({ state: "attached" });
      const drawn = await page.locator(".edge").evaluateAll((all) => all.map(({ dataset }) => `${dataset.from} -> ${dataset.to}`));
      assert.deepEqual(drawn.filter((edge) => !edge.includes("<")), [
        "gateway -> details", "gateway -> productpage", "gateway -> reviews", "productpage -> details",
        "productpage -> reviews", "reviews -> ratings",
      ]);
      const table = await page.locator("tbody tr").evaluateAll((all) => all.map((row) => [...row.cells].map((cell) => cell.textContent)));
      assert.deepEqual(table.filter(([caller]) => !caller.includes("<")).at(-1), ["reviews", "ratings", "2", "0"]);
    });

    it("leads from a service to its traces", async () => {
      await visit("#/graph");
      await page.locator('[data-node="productpage"]').click();
      await page.waitForURL("**/#/traces?service=productpage");
      assert.equal(await page.locator(".trace-row").count(), 1);
    });
  });

  describe("hostile spans", () => {
    it("are shown as the text they are, everywhere, and never executed", async () => {
      await visit("#/traces");
      await listed(HOSTILE).click();
      await rows().first().click();
      const details = page.getByRole("complementary", { name: "Span details" });
      assert.ok((await details.innerText()).includes(MARKUP));
      await visit("#/graph");
      await page.locator(".node").first().waitFor();
      assert.equal(await page.locator("main img, main script, main iframe").count(), 0);
    });

    it("would be stopped by the page's policy even if they were written as markup", async () => {
      await visit("#/traces");
      const outcome = await page.evaluate((markup) => {
        try {
          document.body.insertAdjacentHTML("beforeend", markup);
          return "written";
        } catch (error) {
          return error.name;
        }
      }, MARKUP);
      assert.equal(outcome, "TypeError");
      // The browser reports the refusal in its console.
      complaints = complaints.filter((text) => !text.includes("TrustedHTML"));
    });
  });

  describe("its looks", () => {
    const surface = () => page.evaluate(() => getComputedStyle(document.body.parentElement).backgroundColor);

    it("follow the system's choice of light or dark", async () => {
      await open({ colorScheme: "light" });
      await visit("#/traces");
      assert.equal(await surface(), "rgb(244, 245, 248)");
      await open({ colorScheme: "dark" });
      await visit("#/traces");
      assert.equal(await surface(), "rgb(15, 17, 22)");
    });

    for (const colorScheme of ["light", "dark"]) {
      it(`leave no text below the contrast of WCAG AA (${colorScheme})`, async () => {
        await open({ colorScheme });
        for (const route of ["#/traces", `#/trace/${WHOLE}`, `#/trace/${TAIL}`]) {
          await visit(route);
          if (route.startsWith("#/trace/")) await rows().first().click();
          assert.deepEqual(await page.evaluate(lowContrast), []);
        }
      });
    }

    it("are measured by a check that does find a text of low contrast", async () => {
      await visit("#/traces");
      const found = await page.evaluate(`(() => {
        const text = document.createElement("p");
        text.textContent = "faint";
        text.style.color = "#c8c8c8";
        document.getElementById("main").append(text);
        return (${lowContrast})();
      })()`);
      assert.deepEqual(found, [": faint 1.53"]);
    });

    it("fit a window of 400 pixels", async () => {
      await open({ viewport: { width: 400, height: 800 } });
      for (const route of ["#/traces", `#/trace/${WHOLE}`, `#/trace/${TAIL}`, `#/trace/${HOSTILE}`, "#/graph"]) {
        await visit(route);
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 400, route);
      }
    });
  });
});

/** Runs in the page: the visible texts whose contrast to the nearest opaque background is below 4.5. */
function lowContrast() {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = (css) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = css;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = (colour) => {
    const [r, g, b] = colour.slice(0, 3).map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const background = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255, 255];
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const bad = [];
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.textContent.trim() || element.closest("svg, .visually-hidden, option, noscript") || !element.checkVisibility()) continue;
    // A label beside its bar stands on the row, though it is the bar's child.
    const beside = element.matches(".bar-label.after, .bar-label.before");
    const [a, b] = [luminance(rgba(getComputedStyle(element).color)), luminance(background(beside ? element.closest(".wf-row") : element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) bad.push(`${element.className}: ${element.textContent} ${ratio.toFixed(2)}`);
  }
  return bad;
}
