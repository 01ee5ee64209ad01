// Starts the collector under test as a process of its own, and stops it by that process.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const CARGO = ["run", "--quiet", "--package", "onward-mesh", "--example", "collector", "--"];

/** Gives its address and `stop`. `ONWARD_COLLECTOR` names a built binary; otherwise cargo builds it. */
export async function startCollector() {
  const built = process.env.ONWARD_COLLECTOR;
  const own = ["--port", "0", "--settle-ms", "0"];
  const child = spawn(built ?? "cargo", built ? own : [...CARGO, ...own], {
    cwd: fileURLToPath(new URL("../../../..", import.meta.url)),
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  // Also when the tests end without reaching `stop`.
  process.once("exit", () => child.kill());
  const first = await Promise.race([once(createInterface({ input: child.stdout }), "line"), ended]);
  const address = String(first[0]);
  if (!address.startsWith("http://127.0.0.1:")) throw new Error(`the collector did not start: it ended with ${address}`);
  return {
    address,
    async stop() {
      child.kill("SIGINT");
      await ended;
    },
  };
}

/** Posts spans and makes sure that they were taken. */
export async function post(address, spans) {
  const answer = await fetch(`${address}/api/v2/spans`, {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(spans),
  });
  if (answer.status !== 202) throw new Error(`the collector answered ${answer.status}: ${await answer.text()}`);
}
