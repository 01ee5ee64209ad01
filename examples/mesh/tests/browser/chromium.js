// Finds and starts a real Chromium.

import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

/** What to say where there is none. */
export const MISSING = "No Chromium here, so the viewer was not tested: install one (Debian: apt-get install chromium) or name it in ONWARD_CHROMIUM.";

/** The path of a Chromium: `ONWARD_CHROMIUM`, or found on PATH; undefined if there is none. */
export function findChromium() {
  const named = process.env.ONWARD_CHROMIUM;
  if (named) return isProgram(named) ? named : undefined;
  const folders = (process.env.PATH ?? "").split(delimiter).filter(Boolean);
  return folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find(isProgram);
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Starts it headless and quiet: it looks nothing up on the network by itself. */
export function startChromium(executablePath) {
  return chromium.launch({
    executablePath,
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync",
    ],
  });
}
