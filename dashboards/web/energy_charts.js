// What the charts of the energy page are given: pure.

import { axes, heatColours, inLines, tip, widest } from './chart.js';
import { amount } from './format.js';
import { text } from './i18n.js';
import { date, time } from './parktime.js';

const number = (decimal) => (decimal === null ? null : Number(decimal));

// "2026-10-25 14:00", "2026-10-25" or "2026-10", as long as the step is.
export function stepLabel(value, step) {
  const length = { '1mo': 7, '1d': 10 }[step];
  return length ? value.start.slice(0, length) : value.start.slice(5, 16).replace('T', ' ');
}

// Columns by step, one colour for each of the rows; what nobody knows is a gap.
export function course(rows, names, step, unit) {
  const labels = rows[0].values.map((value) => stepLabel(value, step));
  return {
    name: 'energy',
    data: { columns: [text('time'), ...names.map((name) => `${name} (${unit})`)], rows: labels.map((label, i) => [label, ...rows.map((row) => row.values[i].amount)]) },
    option: (colours) => ({
      ...axes(colours, { categories: labels, unit }),
      xAxis: { ...axes(colours, { categories: labels, unit }).xAxis, boundaryGap: true },
      series: rows.map((row, i) => ({ name: names[i], type: 'bar', stack: 'all', barMaxWidth: 36, data: row.values.map((value) => number(value.amount)) })),
    }),
  };
}

// The hour that is not over yet would look like an idle one.
const whole = (values) => values.filter((value) => Date.parse(value.end) - Date.parse(value.start) === 3600000);

// A day in a row, an hour in a column.
export function heatMap(zone, hourly, unit) {
  const values = whole(hourly);
  const days = [...new Set(values.map((value) => date(zone, Date.parse(value.start))))];
  const hours = Array.from({ length: 24 }, (_, hour) => `${String(hour).padStart(2, '0')}:00`);
  const cells = values.filter((value) => value.amount !== null).map((value) => {
    const at = Date.parse(value.start);
    return [Number(time(zone, at).slice(0, 2)), days.indexOf(date(zone, at)), Number(value.amount)];
  });
  const highest = Math.max(...cells.map((cell) => cell[2]), 0);
  return {
    name: 'hours',
    data: { columns: [text('time'), unit], rows: values.map((value) => [value.start.slice(0, 16).replace('T', ' '), value.amount]) },
    option: (colours) => ({
      tooltip: tip(colours, ({ value }) => `${days[value[1]]} ${hours[value[0]]}\n${amount(value[2].toFixed(3))} ${unit}`),
      grid: { left: 12, right: 16, top: 8, bottom: 56, containLabel: true },
      xAxis: { type: 'category', data: hours, splitArea: { show: false }, axisLabel: { color: colours.quiet }, axisTick: { show: false }, axisLine: { show: false } },
      yAxis: { type: 'category', data: days, inverse: true, axisLabel: { color: colours.quiet }, axisTick: { show: false }, axisLine: { show: false } },
      visualMap: heatColours(colours, 0, highest, [amount(highest.toFixed(3)), '0']),
      series: [{ type: 'heatmap', data: cells, itemStyle: { borderColor: colours.card, borderWidth: 1 } }],
    }),
  };
}

// The load of each hour, the highest first: how long it was at least so high.
export function loadDuration(hourly, unit) {
  const loads = whole(hourly).filter((value) => value.amount !== null).map((value) => value.amount).sort((a, b) => Number(b) - Number(a));
  return {
    name: 'load-duration',
    data: { columns: [text('hours_at_least'), unit], rows: loads.map((load, i) => [String(i + 1), load]) },
    option: (colours) => {
      const { xAxis, ...common } = axes(colours, { categories: [], unit, hasLegend: false });
      const { size, quiet } = colours;
      return {
        ...common,
        tooltip: { ...tip(colours, ([{ value: [hours] }]) => `${text('hours_at_least')} ${hours}\n${amount(loads[Math.max(0, hours - 1)])} ${unit}`), trigger: 'axis' },
        xAxis: { type: 'value', min: 0, max: loads.length, axisLabel: { color: quiet, fontSize: size, showMaxLabel: false }, axisLine: xAxis.axisLine, splitLine: { show: false } },
        series: [{ type: 'line', step: 'start', data: [0, ...loads.keys()].map((hour, i) => [i, Number(loads[hour])]), showSymbol: false, areaStyle: { opacity: 0.12 } }],
      };
    },
  };
}

const [left, margin, nodeWidth, labelGap, linesMax] = [8, 16, 14, 5, 4]; // of a flow

// From each meter to those behind it, and what their registers leave unexplained. `known` are rows of meters and gaps whose amount is
// known; a meter whose parent is not among them stands at the left.
export function flow(rows, nameOf, unit) {
  const meters = new Map(rows.filter((row) => row.kind === 'meter').map((row) => [row.id, row]));
  const links = [];
  for (const row of rows) {
    const parent = row.kind === 'gap' ? row.id : row.parent;
    const value = Number(row.values[0].amount);
    if (parent && meters.has(parent) && value > 0) links.push({ source: `meter ${parent}`, target: `${row.kind} ${row.id}`, value, amount: row.values[0].amount });
  }
  const used = new Set(links.flatMap((link) => [link.source, link.target]));
  const named = new Map(rows.map((row) => [`${row.kind} ${row.id}`, nameOf(row)]));
  const sources = new Set(links.map((link) => link.source));
  const last = [...used].filter((name) => !sources.has(name)); // named at the right, beyond the chart
  const parents = new Map(links.map((link) => [link.target, link.source]));
  const depth = (name) => (parents.has(name) ? 1 + depth(parents.get(name)) : 0);
  const steps = Math.max(...last.map(depth));
  // Names stand in lines: those at the right as wide as their share of the chart, the others as what is left up to the next meters.
  const place = ({ size }, width) => {
    const beside = (span, parts) => (span - left - margin - nodeWidth) / parts - nodeWidth - 2 * labelGap;
    const max = Math.min(300, Math.max(80, beside(width, steps + 1)));
    const atRight = last.map((name) => [name, inLines(named.get(name), size, max, linesMax)]);
    const wide = widest(atRight.flatMap(([, lines]) => lines), size);
    const between = Math.min(300, beside(width - wide, steps));
    const lines = new Map([...atRight, ...[...sources].map((name) => [name, inLines(named.get(name), size, between, linesMax)])]);
    const high = Math.max(...[...lines.values()].map((shown) => shown.length)) * Math.ceil(1.2 * size);
    return { right: margin + wide, lines, high, edge: Math.max(8, high / 2) }; // the name of a thin one stands out at its ends
  };
  return {
    count: links.length,
    name: 'flow',
    data: { columns: [text('from_meter'), text('to_meter'), unit], rows: links.map((link) => [named.get(link.source), named.get(link.target), link.amount]) },
    height: (colours, width) => Math.max(560, 1.5 * last.length * (2 + place(colours, width).high)),
    option: (colours, width) => {
      const { right, lines, high, edge } = place(colours, width);
      return {
        tooltip: tip(colours, ({ dataType, data }) => (dataType === 'edge' ? `${named.get(data.source)} → ${named.get(data.target)}\n${amount(data.amount)} ${unit}` : named.get(data.name))),
        series: [{
          type: 'sankey', left, right, top: edge, bottom: edge, nodeGap: 2 + high, nodeWidth, draggable: false, layoutIterations: 32,
          data: [...used].map((name) => ({ name, itemStyle: name.startsWith('gap ') ? { color: colours.quiet } : undefined })),
          links, label: { color: colours.ink, fontSize: colours.size, distance: labelGap, formatter: ({ name }) => lines.get(name).join('\n') }, lineStyle: { color: 'source', opacity: 0.28 },
        }],
      };
    },
  };
}
