// A calendar of a year: how much each day took, and of which days nobody knows it.

import { Chart, heatColours, isNarrow, tip, unknownCell } from './chart.js';
import { ApiError, get } from './api.js';
import { byId, clearUnless, set } from './dom.js';
import { amount } from './format.js';
import { text } from './i18n.js';
import { ofRow } from './park.js';

const weekdays = () => [6, 0, 1, 2, 3, 4, 5].map((day) => text(`weekday_${day}`)); // ECharts counts from Sunday
const monthName = new Intl.DateTimeFormat(document.documentElement.lang, { month: 'short', timeZone: 'UTC' });
const months = Array.from({ length: 12 }, (_, month) => monthName.format(Date.UTC(2024, month, 1)));

// The days of /api/v1/energy by step=1d; what has not begun at `now` is left out.
export function calendar(year, daily, unit, now) {
  const begun = daily.filter((value) => Date.parse(value.start) <= now);
  const dayOf = (value) => value.start.slice(0, 10);
  const known = begun.filter((value) => value.amount !== null).map((value) => [dayOf(value), Number(value.amount)]);
  const byDay = new Map(begun.map((value) => [dayOf(value), value]));
  const lowest = Math.min(0, ...known.map((cell) => cell[1]));
  const highest = Math.max(0, ...known.map((cell) => cell[1]));
  return {
    name: `days-${year}`,
    data: {
      columns: [text('date'), unit, text('known_of_day', { unit }), text('quality')],
      rows: begun.map((value) => [dayOf(value), value.amount, value.known, text(`energy_${value.quality}`)]),
    },
    option: (colours) => ({
      tooltip: tip(colours, ({ value: [day] }) => {
        const { amount: whole, known: part, quality } = byDay.get(day);
        return `${day}\n${whole !== null ? amount(whole) : `≥ ${part === null ? '–' : amount(part)}`} ${unit}\n${text(`energy_${quality}`)}`;
      }),
      calendar: {
        range: year, orient: isNarrow() ? 'vertical' : 'horizontal', cellSize: 'auto',
        left: 48, right: 12, top: 28, bottom: 52, yearLabel: { show: false },
        itemStyle: { color: 'transparent', borderColor: colours.line, borderWidth: 1 }, splitLine: { lineStyle: { color: colours.quiet, width: 1.5 } },
        dayLabel: { firstDay: 1, nameMap: weekdays(), color: colours.quiet, fontSize: colours.size }, monthLabel: { nameMap: months, color: colours.quiet, fontSize: colours.size },
      },
      visualMap: { ...heatColours(colours, lowest, highest, [amount(highest.toFixed(3)), amount(lowest.toFixed(3), 0)]), seriesIndex: 0 },
      series: [
        { type: 'heatmap', coordinateSystem: 'calendar', data: known },
        { type: 'custom', coordinateSystem: 'calendar', renderItem: unknownCell(colours), data: begun.filter((value) => value.amount === null).map((value) => [dayOf(value), 0]) },
      ],
    }),
  };
}

// Of the part that is looked at, the calendar year in which its period begins. It comes after the rest of the page, and leaves it alone
// where it is refused: a year of very many meters is more than one answer holds.
export class YearCalendar {
  constructor() {
    this.chart = new Chart(byId('calendar'), text('calendar'));
    this.asked = '';
    this.until = 0;
  }

  clear() {
    this.asked = '';
    this.chart.clear();
    set(byId('calendar-problem'), '');
  }

  // Another year, or `of` another part: nothing, until that is drawn.
  turn(year, of) {
    clearUnless(byId('calendar'), `${year} ${of}`, () => this.clear());
    set(byId('calendar-title'), text('calendar_of', { year }));
  }

  // `until`: as far as the period is over; when more of it is, what stands is replaced.
  async draw({ site, by, row, year, unit, now, until }) {
    const asked = [site.id, by, row.kind, row.id, row.carrier, year].join('\n');
    if (asked === this.asked && until === this.until) return;
    if (asked !== this.asked) this.clear();
    this.asked = asked;
    this.until = until;
    delete byId('calendar').dataset.drawn;
    try {
      const said = await get('/api/v1/energy', { site: site.id, by, of: ofRow(row), id: row.id, step: '1d', from: year, to: String(Number(year) + 1).padStart(4, '0') });
      if (asked !== this.asked || until !== this.until) return;
      set(byId('calendar-problem'), '');
      const { values } = said.rows.find((r) => r.carrier === row.carrier && r.kind === row.kind);
      await this.chart.draw(calendar(year, values, unit, now));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.asked = '';
      set(byId('calendar-problem'), error.message);
    }
    byId('calendar').dataset.drawn = year;
  }
}
