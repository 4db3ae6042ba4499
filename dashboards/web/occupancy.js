// How full the spaces are: now, over a period, and by hour and weekday.

import { ApiError, get } from './api.js';
import { axes, Chart, dots, heatColours, tip } from './chart.js';
import { byId, clearUnless, hideUnless, make, Rows, set, setCell, setHeadLink } from './dom.js';
import { percent } from './format.js';
import { loadLanguage, nameOf, text } from './i18n.js';
import { followLive } from './live.js';
import { loadPark } from './park.js';
import { newestDay, parameters, spanOf } from './period.js';
import { addressOfPeriod, makePeriodControls, periodOfAddress } from './period_controls.js';
import { iso, quarterMs, shiftDate, time } from './parktime.js';
import { chosenSite, makeSiteChoice } from './site_choice.js';
import { spaceHeat } from './space_heat.js';

const lengths = ['day', 'week', 'month', 'custom'];
const settleMs = 60000; // the quarter hour that is just over is complete some seconds later
const retryMs = 60000;
const hourlyDaysMax = 92;
const dayNames = [1, 2, 3, 4, 5, 6, 0];

const [park] = await Promise.all([loadPark(), loadLanguage()]);
const site = chosenSite(park.sites);
const spaces = park.spaces.filter((space) => park.byId.building.get(space.building)?.site === site.id);
const rows = new Rows(byId('spaces'));
const charts = { across: new Chart(byId('across'), text('heat_spaces')), course: new Chart(byId('course'), text('course_people')), heat: new Chart(byId('heat'), text('heat_weekday')) };
let now = Date.parse(park.as_of);
let period = null;
let chosen = null;
let measure = 'utilisation';
let drawing = 0; // only the newest question is answered
let read = { of: '', latest: '', at: 0, isAnswered: false }; // how much of its period, and which quarter hour, the newest question is of, and when it was asked

// What tells most of a space: people counted (at its doors, by a sensor), else whether somebody is there. What doors told is in `doors`.
const ranks = ['doors', 'count:', 'binary:', 'co2:', 'wifi:'];
const rank = (source) => ranks.findIndex((name) => source.source.startsWith(name));

function bestSource(sources) {
  return sources.filter((source) => rank(source) >= 0 && source.values.some((value) => value.observed_s > 0)).sort((a, b) => rank(a) - rank(b))[0] ?? null;
}

const countsPeople = (source) => rank(source) <= ranks.indexOf('count:');
const isUncorrected = (value) => value.uncorrected_s > 0;
const minute = (rfc3339) => rfc3339.slice(0, 16).replace('T', ' ');

// What a value is of; of doors also how much of it is corrected.
function sourceText({ source }, value) {
  if (source !== 'doors') return text(`occupancy_${source.split(':')[0]}`);
  if (!isUncorrected(value)) return text('occupancy_corrected');
  if (value.uncorrected_s === value.observed_s) return text('occupancy_uncorrected');
  return value.uncorrected_from === null ? text('occupancy_partly') : text('occupancy_until', { until: minute(value.uncorrected_from) });
}

const people = (mean) => (mean === null ? '–' : mean.toFixed(1));
const share = (value) => (value === null ? '–' : percent(value));

function address(changed) {
  const asked = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries({ ...addressOfPeriod(period), space: chosen, measure, ...changed })) if (value === null) asked.delete(name); else asked.set(name, value);
  return `${location.pathname}?${asked}`;
}

function drawLatest(latest) {
  for (const space of latest.spaces) {
    const source = bestSource(space.sources);
    const mean = source && countsPeople(source) ? source.values[0].mean : null;
    setCell(rows.get({ id: space.space }), 2, mean === null ? '–' : String(Math.round(mean)));
  }
}

function drawSpace(space, source, seconds) {
  const row = rows.get({ id: space.space });
  setHeadLink(row, nameOf({ ...space, id: space.space }), address({ space: space.space }), () => choose({ space: space.space }));
  set(row.cells[0].lastElementChild, space.space);
  const building = park.byId.building.get(space.building);
  const value = source?.values[0] ?? null;
  setCell(row, 1, building ? nameOf(building) : '–');
  setCell(row, 3, space.capacity ? String(space.capacity) : '–');
  setCell(row, 4, value && countsPeople(source) ? people(value.mean) : '–');
  setCell(row, 5, value ? share(value.open.frequency) : '–');
  setCell(row, 6, value ? share(value.open.utilisation) : '–');
  setCell(row, 7, value ? percent(value.observed_s / seconds) : percent(0));
  setCell(row, 8, source ? sourceText(source, value) : text('occupancy_none'), source ? '' : 'mark-warn');
}

const hourOf = (value) => Number(time(site.zone, Date.parse(value.start)).slice(0, 2));
const weekdayOf = (value) => new Date(`${value.start.slice(0, 10)}T00:00:00Z`).getUTCDay();

// The mean of each hour of the week: of so many hours as were observed.
function byWeekday(values) {
  const sums = new Map();
  for (const value of values) {
    if (value.mean === null) continue;
    const key = `${weekdayOf(value)} ${hourOf(value)}`;
    const sum = sums.get(key) ?? { people: 0, seconds: 0 };
    sums.set(key, { people: sum.people + value.mean * value.observed_s, seconds: sum.seconds + value.observed_s });
  }
  return (weekday, hour) => {
    const sum = sums.get(`${weekday} ${hour}`);
    return sum?.seconds > 0 ? sum.people / sum.seconds : null;
  };
}

// All spaces of the site by hour or day, each by the source that its row in the table is of. What is refused (a long period of very many
// spaces) leaves the rest of the page.
async function drawAcross(mine, span, whole) {
  const step = period.length === 'day' ? '1h' : '1d';
  try {
    const said = await get('/api/v1/occupancy', { site: site.id, step, ...parameters(span) });
    if (mine !== drawing) return;
    const spaces = whole.spaces.map((space, i) => {
      const best = bestSource(space.sources);
      return { name: nameOf({ ...space, id: space.space }), sourceOf: (value) => sourceText(best, value), values: best && said.spaces[i].sources.find((source) => source.source === best.source).values };
    });
    set(byId('across-problem'), '');
    const starts = (said.spaces.flatMap((space) => space.sources)[0]?.values ?? []).map((value) => value.start);
    byId('across-card').hidden = starts.length === 0;
    byId('across').style.setProperty('--rows', String(spaces.length));
    if (starts.length > 0) await charts.across.draw(spaceHeat(spaces, starts, step, measure, `${measure}-${period.from}`));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (mine === drawing) set(byId('across-problem'), error.message);
  }
}

// What is not corrected yet is a line of its own, paler, from the last value before it on.
function courseOption(values, labels, unit) {
  const means = (isOf) => values.map((value, i) => (isOf(value, i) ? value.mean : null));
  const known = means((value) => !isUncorrected(value));
  const uncorrected = means((value, i) => isUncorrected(value) || (i + 1 < values.length && isUncorrected(values[i + 1])));
  const hasLegend = values.some(isUncorrected);
  const line = (name, data, { opacity, type }) => ({ name, type: 'line', step: 'end', ...dots(data), data, lineStyle: { opacity, type }, itemStyle: { opacity }, areaStyle: { opacity: 0.15 * opacity } });
  return (colours) => ({
    ...axes(colours, { categories: labels, unit, hasLegend }),
    color: [colours.series[0], colours.series[0]],
    tooltip: { ...tip(colours, ([{ dataIndex: i }]) => `${labels[i]}\n${values[i].mean === null ? '–' : values[i].mean.toFixed(2)} ${unit}${isUncorrected(values[i]) ? `\n${text('not_corrected')}` : ''}`), trigger: 'axis' },
    series: [line(unit, known, { opacity: 1, type: 'solid' }), ...(hasLegend ? [line(text('not_corrected'), uncorrected, { opacity: 0.55, type: 'dashed' })] : [])],
  });
}

async function drawDetail(mine, span, whole) {
  const known = park.byId.space.get(chosen);
  const isShort = (span.to - span.from) / 86400000 <= hourlyDaysMax;
  byId('detail').hidden = !known || !isShort;
  if (byId('detail').hidden) return;
  const step = period.length === 'day' ? '15m' : '1h';
  const said = await get('/api/v1/occupancy', { site: site.id, space: chosen, step, ...parameters(span) });
  if (mine !== drawing) return;
  const source = bestSource(said.spaces[0].sources);
  const values = source?.values ?? [];
  const unit = source && countsPeople(source) ? text('people_unit') : text('occupied_unit');
  const labels = values.map((value) => value.start.slice(5, 16).replace('T', ' '));
  const from = bestSource(whole.spaces.find((space) => space.space === chosen).sources)?.values[0].uncorrected_from;
  set(byId('uncorrected'), from ? text('not_corrected_from', { from: minute(from) }) : '');
  await charts.course.draw({
    name: `occupancy-${chosen}`,
    data: {
      columns: [text('time'), unit, text('observed'), text('source')],
      rows: values.map((value, i) => [labels[i], value.mean === null ? null : value.mean.toFixed(2), percent(value.observed_s / ((Date.parse(value.end) - Date.parse(value.start)) / 1000)), value.mean === null ? null : sourceText(source, value)]),
    },
    option: courseOption(values, labels, unit),
  });
  const mean = byWeekday(values);
  const hours = Array.from({ length: 24 }, (_, hour) => hour);
  const cells = dayNames.flatMap((weekday, y) => hours.map((hour) => [hour, y, mean(weekday, hour)])).filter((cell) => cell[2] !== null);
  const names = dayNames.map((weekday) => text(`weekday_${(weekday + 6) % 7}`));
  const highest = Math.max(0, ...cells.map((cell) => cell[2]));
  await charts.heat.draw({
    name: `occupancy-week-${chosen}`,
    data: { columns: [text('time'), unit], rows: cells.map(([hour, y, value]) => [`${names[y]} ${String(hour).padStart(2, '0')}:00`, value.toFixed(2)]) },
    option: (colours) => ({
      tooltip: tip(colours, ({ value }) => `${names[value[1]]} ${String(value[0]).padStart(2, '0')}:00\n${value[2].toFixed(1)} ${unit}`),
      grid: { left: 12, right: 16, top: 8, bottom: 56, containLabel: true },
      xAxis: { type: 'category', data: hours.map((hour) => String(hour).padStart(2, '0')), axisLabel: { color: colours.quiet, fontSize: colours.size }, axisTick: { show: false }, axisLine: { show: false } },
      yAxis: { type: 'category', data: names, inverse: true, axisLabel: { color: colours.quiet, fontSize: colours.size }, axisTick: { show: false }, axisLine: { show: false } },
      visualMap: heatColours(colours, 0, highest, [highest.toFixed(1), '0']),
      series: [{ type: 'heatmap', data: cells, itemStyle: { borderColor: colours.card, borderWidth: 1 } }],
    }),
  });
}

// Nothing of another question stands where this one is answered, or said to have no answer.
function leaveOthers() {
  const of = [period.length, period.from, period.end].join(' ');
  hideUnless(byId('shown'), of);
  clearUnless(byId('across'), `${of} ${measure}`, () => {
    charts.across.clear();
    set(byId('across-problem'), '');
  });
  clearUnless(byId('detail'), `${of} ${chosen}`, () => [charts.course, charts.heat].forEach((chart) => chart.clear()));
  drawMeasure();
  const known = park.byId.space.get(chosen);
  if (known) set(byId('detail-title'), nameOf(known));
}

const quarterNow = () => Math.floor(now / quarterMs) * quarterMs;
// What is over at `end`, and whether all that is known of it.
const knownAt = (end) => `${end} ${now - end >= settleMs}`;

function soFar() {
  const span = spanOf(site.zone, period, now);
  return span === null ? '' : knownAt(span.to);
}

function askLatest() {
  return get('/api/v1/occupancy', { site: site.id, step: 'all', from: iso(quarterNow() - quarterMs), to: iso(quarterNow()) });
}

// `isAgain`: it is shown already; nothing that is chosen, or about to be, is touched.
async function show(isAgain = false) {
  const mine = ++drawing;
  read = { of: soFar(), latest: knownAt(quarterNow()), at: performance.now(), isAnswered: false };
  if (!isAgain) drawPeriod();
  try {
    const span = spanOf(site.zone, period, now);
    if (span === null) throw new ApiError(text('not_begun'));
    const [whole, latest] = await Promise.all([
      get('/api/v1/occupancy', { site: site.id, step: 'all', ...parameters(span) }),
      askLatest(),
    ]);
    if (mine !== drawing) return;
    leaveOthers();
    set(byId('problem'), '');
    byId('shown').hidden = false;
    set(byId('span'), `${period.from} – ${shiftDate(period.end, { days: -1 })}`);
    byId('no-spaces').hidden = whole.spaces.length > 0;
    byId('spaces-note').hidden = whole.spaces.length === 0;
    whole.spaces.forEach((space) => drawSpace(space, bestSource(space.sources), (span.to - span.from) / 1000));
    drawLatest(latest);
    rows.keepOnly(whole.spaces.map((space) => ({ id: space.space })));
    await drawAcross(mine, span, whole);
    if (mine !== drawing) return;
    await drawDetail(mine, span, whole);
    if (mine !== drawing) return;
    document.body.dataset.drawn = String(mine);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (mine !== drawing) return;
    leaveOthers();
    set(byId('problem'), error.message);
    read.of = null;
  } finally {
    if (mine === drawing) read.isAnswered = true;
  }
}

// Of a period that is over, what the table has of now.
async function showLatest() {
  const mine = ++drawing;
  read = { ...read, latest: knownAt(quarterNow()), at: performance.now(), isAnswered: false };
  try {
    const latest = await askLatest();
    if (mine === drawing) drawLatest(latest);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (mine !== drawing) return;
    set(byId('problem'), error.message);
    read.of = null;
  } finally {
    if (mine === drawing) read.isAnswered = true;
  }
}

const measures = ['utilisation', 'frequency'];

function drawMeasure() {
  for (const button of byId('measures').children) button.setAttribute('aria-pressed', String(button.value === measure));
}

for (const name of measures) {
  const button = make('button', '', byId('measures'), text(name));
  button.type = 'button';
  button.value = name;
  button.addEventListener('click', () => choose({ measure: name }));
}

function readAddress() {
  const asked = new URLSearchParams(location.search);
  period = periodOfAddress(asked, lengths, 'week', newestDay(site.zone, now));
  measure = measures.includes(asked.get('measure')) ? asked.get('measure') : measures[0];
  chosen = spaces.find((space) => space.id === asked.get('space'))?.id ?? spaces[0]?.id ?? null;
}

function choose(changed) {
  if (changed.period) ({ period } = changed);
  if (changed.space) chosen = changed.space;
  if (changed.measure) ({ measure } = changed);
  history.pushState(null, '', address({}));
  show();
}

makeSiteChoice(park.sites, ['space']);
const drawPeriod = makePeriodControls(lengths, () => period, (next) => choose({ period: next }));
addEventListener('popstate', () => {
  readAddress();
  show();
});
readAddress();
show();
// While the page stands and somebody looks: again as more of the period is over; where the address names none, of that of now.
function renew() {
  if (document.hidden || !read.isAnswered) return;
  const { end } = period;
  readAddress();
  if (period.end !== end) show();
  else if (read.of === null && performance.now() - read.at < retryMs) return;
  else if (soFar() !== read.of) show(true);
  else if (knownAt(quarterNow()) !== read.latest) showLatest();
}

followLive(() => {}, (live, sinceMs) => {
  now = Date.parse(live.as_of) + sinceMs;
  renew();
});
