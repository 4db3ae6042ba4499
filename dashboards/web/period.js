// A period of the calendar that is looked at, and the one that it is held against.

import { addDays, date, dateBegin, dateFloor, iso, quarterMs, shiftDate } from './parktime.js';

export const lengths = ['day', 'week', 'month', 'year', 'custom'];
const shifts = { day: { days: 1 }, week: { days: 7 }, month: { months: 1 }, year: { months: 12 } };
const steps = { day: '1h', week: '1d', month: '1d', year: '1mo' };
const back = ({ days = 0, months = 0 }) => ({ days: -days, months: -months });

export const daysBetween = (from, to) => Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / 86400000);

// `from` is any day in it; of a custom one its first, and `to` its last.
export function periodOf(length, from, to = from) {
  if (length === 'custom') return { length, from, end: shiftDate(to < from ? from : to, { days: 1 }) };
  const first = dateFloor(from, length);
  return { length, from: first, end: shiftDate(first, shifts[length]) };
}

export function stepOf({ length, from, end }) {
  if (length !== 'custom') return steps[length];
  const days = daysBetween(from, end);
  return days <= 2 ? '1h' : days <= 92 ? '1d' : '1mo';
}

export function moved(period, direction) {
  const { length, from, end } = period;
  if (length === 'custom') {
    const days = direction * daysBetween(from, end);
    return periodOf(length, shiftDate(from, { days }), shiftDate(end, { days: days - 1 }));
  }
  return periodOf(length, shiftDate(from, direction > 0 ? shifts[length] : back(shifts[length])));
}

// From and to as the API takes them, as far as the period is over at `now`; null: it has not begun.
export function spanOf(zone, period, now) {
  const from = dateBegin(zone, period.from);
  const to = Math.min(dateBegin(zone, period.end), Math.floor(now / quarterMs) * quarterMs);
  return to > from ? { from, to } : null;
}

// As much of the period before, or of the year before, as `span` has of this one: its days and its time of day.
export function comparedSpan(zone, period, span, against) {
  const other = against === 'year' ? yearBefore(period) : moved(period, -1);
  const from = dateBegin(zone, other.from);
  const whole = dateBegin(zone, other.end);
  if (span.to === dateBegin(zone, period.end)) return { from, to: whole };
  const offsetDays = daysBetween(period.from, other.from);
  return { from, to: Math.min(whole, addDays(zone, span.to, offsetDays)) };
}

// A week is held against that of the same weekdays, 52 weeks before.
function yearBefore({ length, from, end }) {
  const shift = length === 'week' || length === 'day' ? { days: -364 } : { months: -12 };
  return { length, from: shiftDate(from, shift), end: shiftDate(end, shift) };
}

// As the reports name it; null: they have none of that kind.
export function nameOf({ length, from }) {
  return { day: from, month: from.slice(0, 7), year: from.slice(0, 4) }[length] ?? null;
}

export const parameters = ({ from, to }) => ({ from: iso(from), to: iso(to) });
// The newest day of which something is over.
export const newestDay = (zone, now) => date(zone, Math.floor(now / quarterMs) * quarterMs - 1);
