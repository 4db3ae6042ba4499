// Days and hours of the park, whatever zone the browser is in.

export const quarterMs = 900000;
export const dayMs = 86400000;

const formats = new Map();

function fields(zone, ms) {
  if (!formats.has(zone))
    formats.set(zone, new Intl.DateTimeFormat('en-GB', { timeZone: zone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' }));
  return Object.fromEntries(formats.get(zone).formatToParts(ms).map((part) => [part.type, part.value]));
}

// The wall clock of the zone, as if it were UTC.
function wallMs(zone, ms) {
  const f = fields(zone, ms);
  return Date.UTC(f.year, f.month - 1, f.day, f.hour, f.minute, f.second);
}

// The instant at which the zone's clock shows `wall` (as of wallMs): the first that does, and where it is skipped the one after.
function instantOf(zone, wall) {
  const guess = wall - (wallMs(zone, wall) - wall);
  return guess - (wallMs(zone, guess) - wall);
}

export function date(zone, ms) {
  const f = fields(zone, ms);
  return `${f.year}-${f.month}-${f.day}`;
}

export function time(zone, ms) {
  const f = fields(zone, ms);
  return `${f.hour}:${f.minute}`;
}

export function dayBegin(zone, ms) {
  return instantOf(zone, Math.floor(wallMs(zone, ms) / dayMs) * dayMs);
}

// The same time of the clock, so many days later or earlier.
export function addDays(zone, ms, days) {
  return instantOf(zone, wallMs(zone, ms) + days * dayMs);
}

export function iso(ms) {
  return new Date(ms).toISOString();
}
