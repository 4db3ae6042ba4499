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

// Days as the calendar names them: "2026-10-25".

const dayOf = (text) => Date.parse(`${text}T00:00:00Z`);
const textOf = (ms) => new Date(ms).toISOString().slice(0, 10);

// The instant at which that day begins there.
export function dateBegin(zone, text) {
  return instantOf(zone, dayOf(text));
}

export function shiftDate(text, { days = 0, months = 0 }) {
  const at = new Date(dayOf(text));
  if (months) {
    const day = at.getUTCDate();
    at.setUTCDate(1);
    at.setUTCMonth(at.getUTCMonth() + months);
    const last = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 0)).getUTCDate();
    at.setUTCDate(Math.min(day, last));
  }
  return textOf(at.getTime() + days * dayMs);
}

// The first day of the day's week (from Monday), month or year.
export function dateFloor(text, length) {
  if (length === 'week') return textOf(dayOf(text) - ((new Date(dayOf(text)).getUTCDay() + 6) % 7) * dayMs);
  if (length === 'month') return `${text.slice(0, 7)}-01`;
  if (length === 'year') return `${text.slice(0, 4)}-01-01`;
  return text;
}
