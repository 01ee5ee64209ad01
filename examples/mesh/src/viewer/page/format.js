// Numbers and times as people read them.

/** Microseconds as text with three significant digits: `850 µs`, `12.4 ms`, `1.23 s`, `2 min 5 s`. */
export function duration(us) {
  if (us < 1_000) return `${Math.round(us)} µs`;
  if (us < 999_500) return `${significant(us / 1_000)} ms`;
  if (us < 60_000_000) return `${significant(us / 1_000_000)} s`;
  const seconds = Math.round(us / 1_000_000);
  return `${count(Math.floor(seconds / 60))} min ${seconds % 60} s`;
}

function significant(value) {
  const digits = value < 10 ? 2 : value < 100 ? 1 : 0;
  return String(Number(value.toFixed(digits)));
}

/** A whole number with thin spaces between thousands. */
export function count(number) {
  return String(number).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

/** `1 span`, `2 spans`. */
export function plural(number, word) {
  return `${count(number)} ${word}${number === 1 ? "" : "s"}`;
}

/** The time of day of a moment in microseconds since 1970: `14:03:22.104`. */
export function clock(us) {
  const at = new Date(us / 1000);
  if (us === 0 || Number.isNaN(at.getTime())) return "unknown";
  const two = (number) => String(number).padStart(2, "0");
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, "0")}`;
}

/** The day of a moment in microseconds since 1970: `2026-11-01`; empty if it is unknown. */
export function day(us) {
  const at = new Date(us / 1000);
  if (us === 0 || Number.isNaN(at.getTime())) return "";
  const two = (number) => String(number).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/** Round steps for a time axis of `length` microseconds, at most `most` of them: 1, 2 or 5 times a power of ten. */
export function ticks(length, most) {
  if (!(length > 0)) return [0];
  const rough = length / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough);
  const marks = [];
  for (let index = 0; index * step <= length * 1.0001; index += 1) marks.push(index * step);
  return marks;
}

/** The first eight characters of a trace id that tell it from others. */
export function shortId(id) {
  return id.replace(/^0{16}/, "").slice(0, 8);
}
