// A day of an instrument as a bar: where it lies is set by script, since a strict policy takes no style in markup.

import { make, setMark } from './dom.js';
import { text } from './i18n.js';

export const timelineStates = ['in_use', 'reserved', 'free', 'closed', 'planned_outage', 'out_of_service', 'unknown'];

// `spans` of /api/v1/instruments/{id}/timeline, drawn from..until (instants); the words of it are the bar's label.
export function drawDay(bar, spans, from, until, now) {
  const words = [];
  bar.replaceChildren();
  bar.className = 'day-bar';
  bar.title = '';
  bar.setAttribute('role', 'img');
  for (const span of spans) {
    const begin = Math.max(from, Date.parse(span.from));
    const end = Math.min(until, Date.parse(span.until));
    if (end <= begin) continue;
    const part = make('span', `span-${span.state}`, bar);
    part.style.left = `${(100 * (begin - from)) / (until - from)}%`;
    part.style.width = `${(100 * (end - begin)) / (until - from)}%`;
    const word = `${span.from.slice(11, 16)}–${span.until.slice(11, 16)} ${text(`timeline_${span.state}`)}`;
    part.title = word;
    words.push(word);
  }
  if (now > from && now < until) make('span', 'now', bar).style.left = `${(100 * (now - from)) / (until - from)}%`;
  bar.setAttribute('aria-label', words.join('; '));
}

// A day of which nothing can be read, and why.
export function drawNoDay(bar, why) {
  for (const name of ['role', 'aria-label']) bar.removeAttribute(name);
  setMark(bar, 'warn', text('timeline_unknown'));
  bar.title = why;
}

export function drawLegend(list) {
  list.replaceChildren(
    ...timelineStates.map((state) => {
      const item = make('li', '');
      make('span', `swatch span-${state}`, item);
      item.append(text(`timeline_${state}`));
      return item;
    }),
  );
}
