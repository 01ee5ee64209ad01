// `npm test`: runs the tests, or says in a sentence why they cannot run and exits with 77 ("skipped" to automake
// and to whoever called this).

import { spawn } from "node:child_process";
import { findChromium, MISSING } from "./chromium.js";

const SKIPPED = 77;

if (findChromium() === undefined) {
  console.error(MISSING);
  process.exitCode = SKIPPED;
} else {
  const child = spawn(process.execPath, ["--test"], { stdio: "inherit", cwd: import.meta.dirname });
  child.on("exit", (code) => { process.exitCode = code ?? 1; });
}
