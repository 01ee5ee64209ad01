// One colour per service, the same in every view.

const COLOURS = 10;
const given = new Map();

/** Gives colours to services in this order, unless they have one. */
export function meet(services) {
  for (const service of services) colourOf(service);
}

/** The class that sets the colour of a service. */
export function colourOf(service) {
  if (!given.has(service)) given.set(service, given.size % COLOURS);
  return `s${given.get(service)}`;
}
