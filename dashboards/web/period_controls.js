// The controls of a period: its length, its days, earlier and later. Their elements are in the page.

import { byId } from './dom.js';
import { text } from './i18n.js';
import { daysBetween, moved, periodOf } from './period.js';
import { shiftDate } from './parktime.js';

export const isDate = (value) => /^\d{4}-\d{2}-\d{2}$/.test(value ?? '') && !Number.isNaN(Date.parse(value));

const lastDay = (period) => shiftDate(period.end, { days: -1 });

// The period that an address names; `fallback` is the length of one that names none, `day` a day in it.
export function periodOfAddress(asked, known, fallback, day) {
  const length = known.includes(asked.get('length')) ? asked.get('length') : fallback;
  const from = isDate(asked.get('from')) ? asked.get('from') : day;
  return periodOf(length, from, isDate(asked.get('to')) ? asked.get('to') : from);
}

// What an address says of it; null: nothing.
export function addressOfPeriod(period) {
  return { length: period.length, from: period.from, to: period.length === 'custom' ? lastDay(period) : null };
}

// `get` is the period that is looked at, `choose(period)` is called for another, which the server takes in an address. Returns what
// draws them.
export function makePeriodControls(known, get, choose) {
  const { min, max } = byId('from');
  const daysMax = Number(byId('lengths').dataset.daysMax);
  const isShort = (period) => daysBetween(period.from, period.end) < daysMax; // clocks may add an hour
  const go = (period) => period.from >= min && lastDay(period) <= max && isShort(period) && choose(period);
  for (const length of known) {
    const button = document.createElement('button');
    button.type = 'button';
    button.value = length;
    button.textContent = text(`length_${length}`);
    button.addEventListener('click', () => go(periodOf(length, get().from, lastDay(get()))));
    byId('lengths').append(button);
  }
  // A date that is being typed passes through years long ago.
  const pick = ({ target }) => {
    for (const id of ['from', 'to']) byId(id).setCustomValidity('');
    if (!target.checkValidity() || !isDate(target.value)) return;
    const period = periodOf(get().length, byId('from').value, byId('to').value || byId('from').value);
    if (!isShort(period)) target.setCustomValidity(text('period_too_long', { days: daysMax - 1 }));
    if (target.reportValidity()) go(period);
  };
  byId('from').addEventListener('change', pick);
  byId('to').addEventListener('change', pick);
  byId('earlier').addEventListener('click', () => go(moved(get(), -1)));
  byId('later').addEventListener('click', () => go(moved(get(), 1)));
  byId('controls').addEventListener('submit', (event) => event.preventDefault());
  return () => {
    for (const button of byId('lengths').children) button.setAttribute('aria-pressed', String(button.value === get().length));
    byId('from').value = get().from;
    byId('to').value = lastDay(get());
    byId('to').hidden = get().length !== 'custom';
  };
}
