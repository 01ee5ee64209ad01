// The data behind the page, and the clock that refreshes it.

const EVERY_MS = 1_500;
const OFFLINE_MS = 4_000;

async function get(path) {
  const answer = await fetch(path, { headers: { accept: "application/json" } });
  if (answer.status === 204 || answer.status === 404) return null;
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
  return answer.json();
}

/** One trace as a waterfall; null if it is not there (any more). */
export const fetchTrace = (id) => get(`/api/view/trace/${encodeURIComponent(id)}`);

/** The service graph. */
export const fetchGraph = () => get("/api/view/graph");

/** Asks for the list again and again. `onList` gets each new list, `onState` one of `live`, `paused`, `offline`. */
export class Feed {
  #revision;
  #timer;
  #paused = false;
  #onList;
  #onState;

  constructor(onList, onState) {
    this.#onList = onList;
    this.#onState = onState;
    document.addEventListener("visibilitychange", () => document.hidden || this.#soon(0));
    this.#soon(0);
  }

  /** Stops or resumes refreshing; tells whether it is running now. */
  toggle() {
    this.#paused = !this.#paused;
    this.#onState(this.#paused ? "paused" : "live");
    if (!this.#paused) this.#soon(0);
    return !this.#paused;
  }

  #soon(milliseconds) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(), milliseconds);
  }

  async #ask() {
    if (this.#paused || document.hidden) return;
    try {
      const after = this.#revision === undefined ? "" : `?after=${this.#revision}`;
      const list = await get(`/api/view/traces${after}`);
      if (this.#paused) return;
      this.#onState("live");
      if (list) {
        this.#revision = list.revision;
        await this.#onList(list);
      }
      this.#soon(EVERY_MS);
    } catch {
      // Whoever answers next may be another collector, whose revisions mean something else.
      this.#revision = undefined;
      this.#onState(this.#paused ? "paused" : "offline");
      this.#soon(OFFLINE_MS);
    }
  }
}
