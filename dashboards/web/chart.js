// Charts by ECharts, which is fetched where a page has one; below each its figures as a table, and as CSV. Without the library the
// table stands alone. Drawn on a canvas, tips as well: a strict content security policy takes no style in markup.

import { make } from './dom.js';
import { figure } from './format.js';
import { text } from './i18n.js';

const fonts = 'system-ui, "Segoe UI", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans SC", sans-serif';
let library = null;

function loadLibrary() {
  library ??= import('/assets/echarts.js').catch(() => null);
  return library;
}

// The colours of the page, light or dark.
export function palette() {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  const size = 0.75 * parseFloat(style.fontSize); // of labels: a wall has larger ones
  return { size, ink: colour('ink'), quiet: colour('quiet'), line: colour('line'), card: colour('card'), series: [1, 2, 3, 4, 5, 6, 7, 8].map((i) => colour(`series-${i}`)) };
}

const pen = document.createElement('canvas').getContext('2d');

// Of texts as labels of that size, the widest, in pixels.
export function widest(texts, size) {
  pen.font = `${size}px ${fonts}`;
  return Math.ceil(Math.max(...texts.map((one) => pen.measureText(one).width)));
}

// A text as a label of that size, in lines of at most `max` pixels, broken between words where they fit; of more than `most` the rest is "…".
export function inLines(one, size, max, most) {
  pen.font = `${size}px ${fonts}`;
  const fits = (line) => pen.measureText(line.trimEnd()).width <= max;
  const lines = [''];
  for (const word of one.match(/\p{Script=Han}\s*|[^\s\p{Script=Han}]+\s*|\s+/gu) ?? []) {
    if (!fits(lines.at(-1) + word) && fits(word)) lines.push('');
    for (const part of fits(word) ? [word] : word) {
      if (lines.at(-1) !== '' && !fits(lines.at(-1) + part)) lines.push('');
      lines.push(lines.pop() + part);
    }
  }
  const shown = lines.slice(0, most).map((line) => line.trimEnd());
  if (lines.length <= most) return shown;
  const letters = [...shown.pop()];
  const ended = () => `${letters.join('').trimEnd()}…`;
  while (letters.length > 0 && !fits(ended())) letters.pop();
  return [...shown, ended()];
}

const quoted = (value) => (/[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);

function csvOf({ columns, rows }) {
  const lines = [columns, ...rows].map((row) => row.map((value) => quoted(String(value ?? ''))).join(','));
  return new Blob([`\ufeff${lines.join('\r\n')}\r\n`], { type: 'text/csv;charset=utf-8' });
}

function drawTable(table, { columns, rows }) {
  table.replaceChildren();
  const head = make('tr', '', make('thead', '', table));
  columns.forEach((column, i) => (make('th', i ? 'number' : '', head, column).scope = 'col'));
  const body = make('tbody', '', table);
  for (const values of rows) {
    const row = make('tr', '', body);
    values.forEach((value, i) => {
      const cell = make(i ? 'td' : 'th', i ? 'number' : '', row, i ? figure(value ?? '–') : value ?? '–');
      if (i) cell.dataset.title = columns[i];
      else cell.scope = 'row';
    });
  }
}

// `element` becomes the chart. draw({ option, data, name, height }): `option(palette, width)` is what ECharts is given, data = { columns, rows } of
// texts what its table and its CSV hold, null where nothing is known; `name` is the file's; `height(palette, width)` in pixels, where what it has asks
// for one: it is drawn anew where its width is another.
export class Chart {
  constructor(element, label) {
    this.canvas = make('div', 'canvas', element);
    this.canvas.setAttribute('role', 'img');
    this.canvas.setAttribute('aria-label', label);
    this.canvas.hidden = true;
    const details = make('details', 'figures', element);
    make('summary', '', details, text('figures'));
    this.link = make('a', 'csv', details, text('csv'));
    this.table = make('table', 'list', make('div', 'scroll', details));
    this.details = details;
    this.details.addEventListener('toggle', () => this.fillTable());
    this.last = null;
    this.width = 0; // that it is drawn for
    this.picture = null;
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.paint());
    narrow.addEventListener('change', () => this.paint());
    printed.addEventListener('change', () => this.paint());
    for (const event of ['beforeprint', 'afterprint']) addEventListener(event, () => this.paint());
    new ResizeObserver(() => (this.last?.height && this.width !== this.canvas.clientWidth ? this.paint() : this.resize())).observe(this.canvas);
  }

  async draw(drawn) {
    this.last = drawn;
    URL.revokeObjectURL(this.link.href);
    this.link.href = URL.createObjectURL(csvOf(drawn.data));
    this.link.download = `${drawn.name}.csv`;
    this.fillTable();
    const echarts = await loadLibrary();
    if (!echarts) return;
    this.canvas.hidden = false;
    this.chart ??= echarts.init(this.canvas, null, { renderer: 'canvas' });
    this.paint();
  }

  // Until it is drawn again: what it shows is no more what is asked for.
  clear() {
    this.last = null;
    this.canvas.style.visibility = 'hidden'; // it keeps its place
    this.table.replaceChildren();
    URL.revokeObjectURL(this.link.href);
    this.link.removeAttribute('href');
  }

  fillTable() {
    if (this.details.open && this.last) drawTable(this.table, this.last.data);
  }

  resize() {
    if (!isOnPaper()) this.chart?.resize();
  }

  // On paper, where no frame comes in which a canvas would be drawn, a picture of all its layers stands for it. ECharts draws one anew that is
  // sharper than the screen, and copies what is there else.
  drawPicture() {
    this.picture?.remove();
    this.picture = isOnPaper() ? this.chart.renderToCanvas({ pixelRatio: Math.max(2, devicePixelRatio + 0.01) }) : null;
    if (!this.picture) return;
    this.picture.removeAttribute('style');
    this.picture.style.width = `${this.chart.getWidth()}px`;
    this.canvas.append(this.picture);
  }

  paint() {
    if (!this.chart || !this.last) return;
    const colours = palette();
    this.canvas.style.visibility = '';
    if (!isOnPaper()) this.width = this.canvas.clientWidth;
    this.canvas.style.height = this.last.height ? `${this.last.height(colours, this.width)}px` : '';
    this.resize();
    const selected = this.chart.getOption()?.legend?.[0]?.selected; // what was left out stays so
    const option = this.last.option(colours, this.width);
    this.chart.setOption(
      {
        animation: false,
        textStyle: { fontFamily: fonts, fontSize: colours.size, color: colours.ink },
        color: colours.series,
        tooltip: { renderMode: 'richText', trigger: 'axis', confine: true, backgroundColor: colours.card, borderColor: colours.line, textStyle: { color: colours.ink } },
        ...option,
        ...(option.legend ? { legend: { ...option.legend, selected } } : {}),
      },
      { notMerge: true },
    );
    this.drawPicture();
  }
}

// A phone's width, as in ops.css.
const narrow = matchMedia('(max-width: 760px)');
const printed = matchMedia('print');
const root = document.documentElement;
addEventListener('beforeprint', () => root.classList.add('paper'));
addEventListener('afterprint', () => root.classList.remove('paper'));
const isOnPaper = () => printed.matches || root.classList.contains('paper');
let wasNarrow = narrow.matches;
narrow.addEventListener('change', () => {
  if (!isOnPaper()) wasNarrow = narrow.matches;
});
// On paper as on the screen, from which a chart keeps its width.
export const isNarrow = () => wasNarrow;

// A tip of one cell or line; formatter as of ECharts.
export function tip(colours, formatter) {
  return { renderMode: 'richText', confine: true, backgroundColor: colours.card, borderColor: colours.line, textStyle: { color: colours.ink }, formatter };
}

// The scale of a heat map: from what is hardly seen to the first colour of series, with the texts of its ends, the highest first.
export function heatColours(colours, min, max, ends) {
  return { show: max > min, min, max: max > min ? max : min + 1, calculable: false, text: ends, orient: 'horizontal', left: 'center', bottom: 0, itemHeight: 160, textStyle: { color: colours.quiet }, inRange: { color: [colours.line, colours.series[0]] } };
}

// Draws a cell of a custom series of which nobody knows its value: a frame and a stroke across it, which no colour of the scale is.
export function unknownCell(colours) {
  return (params, api) => {
    const [x, y] = api.coord([api.value(0), api.value(1)]);
    const { cellWidth, cellHeight } = params.coordSys;
    const [width, height] = (cellWidth === undefined ? api.size([1, 1]) : [cellWidth, cellHeight]).map((side) => Math.max(1, side - 2));
    const left = x - width / 2;
    const top = y - height / 2;
    return {
      type: 'group',
      children: [
        { type: 'rect', shape: { x: left, y: top, width, height }, style: { fill: colours.card, stroke: colours.quiet, lineWidth: 1, opacity: 0.5 } },
        { type: 'line', shape: { x1: left, y1: top + height, x2: left + width, y2: top }, style: { stroke: colours.quiet, lineWidth: 1, opacity: 0.5 } },
      ],
    };
  };
}

// Which steps of a course are named below it: of a day every third hour, of more days by the hour each midnight; else as many as fit.
function namedSteps(categories) {
  const clock = /^(\d\d-\d\d )?\d\d:\d\d$/;
  if (!clock.test(categories[0] ?? '')) return {};
  const days = new Set(categories.map((label) => label.slice(0, -5))).size;
  const isNamed = days > 2 ? (label) => label.endsWith('00:00') : (label) => label.endsWith(':00') && Number(label.slice(-5, -3)) % 3 === 0;
  return { interval: (_, label) => isNamed(label), hideOverlap: true, formatter: (label) => (days > 2 ? label.slice(0, 5) : label.slice(-5)) };
}

// A known value between two unknown ones is a dot: no line leads there.
export function dots(values) {
  return { showAllSymbol: true, symbol: 'circle', symbolSize: (_, { dataIndex: i }) => (values[i] != null && values[i - 1] == null && values[i + 1] == null ? 6 : 0) };
}

// Axes that every chart over time has.
export function axes(colours, { categories, unit, hasLegend = true }) {
  const label = { color: colours.quiet, fontSize: colours.size };
  const named = namedSteps(categories);
  const half = (letters) => Math.ceil(0.32 * colours.size * letters);
  const halfOfLast = named.interval ? 0 : half(String(categories.at(-1) ?? '').length); // it stands below the end of the axis
  const halfOfFirst = named.interval ? half(5) : 0; // with no figures at the axis beside it
  return {
    grid: { left: Math.max(12, halfOfFirst), right: Math.max(16, halfOfLast), top: hasLegend ? 60 : 32, bottom: 8, containLabel: true },
    legend: { show: hasLegend, type: 'scroll', top: 0, right: 12, textStyle: label, icon: 'roundRect', itemHeight: 4, itemWidth: 16 },
    xAxis: { type: 'category', data: categories, boundaryGap: false, axisLabel: { ...label, ...named }, axisLine: { lineStyle: { color: colours.line } }, axisTick: { show: false } },
    yAxis: { type: 'value', name: unit, nameTextStyle: { ...label, align: 'left' }, nameGap: 12, axisLabel: label, splitLine: { lineStyle: { color: colours.line } } },
  };
}
