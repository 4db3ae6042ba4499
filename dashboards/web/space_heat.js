// How well each space is used, by hour or day: a space in a row, and of which hours nobody knows it.

import { heatColours, isNarrow, tip, unknownCell } from './chart.js';
import { percent } from './format.js';
import { text } from './i18n.js';

// What a step of a source says: `share` where it is known, else why it is not. What is closed is neither used nor unknown.
function cellOf(value, measure) {
  const { open_s: open, observed_s: observed, frequency } = value.open;
  const share = value.open[measure];
  const state = open === 0 ? 'closed' : frequency === null ? 'unknown' : share === null ? 'uncounted' : 'known';
  return { start: value.start, value, share, state, observed: open > 0 ? observed / open : null };
}

const label = (start, step) => (step === '1h' ? start.slice(11, 16) : start.slice(5, 10));

// `spaces` are { name, values, sourceOf }: what their best source says by step of 1h or 1d, and what is said of it by value; values is null
// where none told anything. `starts` are
// the steps; `measure` is frequency or utilisation, of opening hours.
export function spaceHeat(spaces, starts, step, measure, name) {
  const rows = spaces.map(({ values }) => (values ? values.map((value) => cellOf(value, measure)) : starts.map((start) => ({ start, value: null, share: null, state: 'unknown', observed: 0 }))));
  const all = rows.flatMap((cells, y) => cells.map((cell, x) => ({ ...cell, x, y })));
  const word = (cell) => (cell.state === 'known' ? percent(cell.share) : text(`used_${cell.state}`));
  const source = (cell) => (cell.value?.observed_s > 0 ? spaces[cell.y].sourceOf(cell.value) : null);
  const shown = (cell) => [spaces[cell.y].name, cell.start.slice(0, 16).replace('T', ' '), word(cell), `${text('observed')} ${cell.observed === null ? '–' : percent(cell.observed)}`, source(cell)].filter((line) => line !== null).join('\n');
  const highest = Math.max(0.01, ...all.map((cell) => cell.share ?? 0));
  const data = (isOf) => all.filter(isOf).map((cell) => ({ value: [cell.x, cell.y, cell.share ?? 0], cell }));
  return {
    name,
    data: {
      columns: [text('space'), text('time'), text(measure), text('observed'), text('source')],
      rows: all.map((cell) => [spaces[cell.y].name, cell.start.slice(0, 16).replace('T', ' '), word(cell), cell.observed === null ? null : percent(cell.observed), source(cell)]),
    },
    option: (colours) => {
      const axis = { type: 'category', axisLabel: { color: colours.quiet, fontSize: colours.size }, axisTick: { show: false }, axisLine: { show: false } };
      return {
        tooltip: tip(colours, ({ data: { cell } }) => shown(cell)),
        grid: { left: 12, right: 16, top: 8, bottom: 56, containLabel: true },
        xAxis: { ...axis, data: starts.map((start) => label(start, step)) },
        yAxis: { ...axis, data: spaces.map((space) => space.name), inverse: true, axisLabel: { ...axis.axisLabel, width: isNarrow() ? 110 : 260, overflow: 'truncate', interval: 0 } },
        visualMap: { ...heatColours(colours, 0, highest, [percent(highest), '0']), seriesIndex: 0 },
        series: [
          { type: 'heatmap', data: data((cell) => cell.state === 'known'), itemStyle: { borderColor: colours.card, borderWidth: 1 } },
          { type: 'custom', renderItem: unknownCell(colours), data: data((cell) => cell.state === 'unknown' || cell.state === 'uncounted') },
        ],
      };
    },
  };
}
