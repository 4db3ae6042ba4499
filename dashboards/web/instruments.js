// Every instrument: what it is now and why, how good that is, its day, its hours of a month and its sessions.

import { allInstruments, get } from './api.js';
import { axes, Chart } from './chart.js';
import { byId, clearUnless, make, Rows, set, setCell, setHeadLink } from './dom.js';
import { dateAndTime, offset, percent } from './format.js';
import { hasText, languageName, loadLanguage, nameOf, text } from './i18n.js';
import { followLive } from './live.js';
import { addDays, date, dayBegin, iso, shiftDate } from './parktime.js';
import { Read } from './reads.js';
import { drawDay, drawLegend, drawNoDay } from './timeline.js';

const shownMax = 200; // rows; who looks for one among more searches
const detailEveryMs = 60000; // a day's bar, and the one that is looked at
const hourMs = 3600000;
const statuses = ['IN_USE', 'AVAILABLE', 'AVAILABLE_SHORT', 'AVAILABLE_DEGRADED', 'RESERVED', 'CLOSED', 'OUT_OF_SERVICE', 'UNKNOWN', 'NOT_SHARED'];
const icons = { IN_USE: '▶', AVAILABLE: '✓', AVAILABLE_SHORT: '✓', AVAILABLE_DEGRADED: '▲', RESERVED: '◷', CLOSED: '○', OUT_OF_SERVICE: '✕', UNKNOWN: '?', NOT_SHARED: '○' };
const kinds = { AVAILABLE: 'good', AVAILABLE_SHORT: 'good', AVAILABLE_DEGRADED: 'good', OUT_OF_SERVICE: 'bad', UNKNOWN: 'warn' };
const forgotten = ['forgotten', 'next_opened', 'never_opened'];

await loadLanguage();
const rows = new Rows(byId('instruments'));
const hoursChart = new Chart(byId('hours'), text('hours_of_month'));
let sites = [];
let now = 0; // the park's
let asOf = ''; // that of the last event
let days = ''; // that today is, by each site's clocks
let all = [];
let chosen = new URLSearchParams(location.search).get('id');
let month = null; // null: the present one

// ---- the board ----

function fits(instrument) {
  const status = byId('status').value;
  if (status && instrument.status !== status) return false;
  const told = [instrument.id, instrument.name, instrument.name_en, instrument.model, instrument.building?.name, instrument.building?.name_en].join(' ').toLowerCase();
  return byId('q').value.toLowerCase().split(/\s+/).every((word) => told.includes(word));
}

function sourcesText(sources) {
  const told = Object.entries(sources).filter(([, source]) => source !== null);
  const silent = told.filter(([, source]) => source.quality !== 'good');
  if (told.length > 0 && silent.length === 0) return `● ${text('sources_good')}`;
  return silent.map(([name, source]) => `▲ ${text(`short_${name}`)} ${text(`fresh_${source.quality}`)}`).join('\n');
}

function addressOf(id) {
  const asked = new URLSearchParams(location.search);
  asked.set('id', id);
  return `${location.pathname}?${asked}`;
}

function drawRow(instrument) {
  const row = rows.get(instrument);
  setHeadLink(row, nameOf(instrument), addressOf(instrument.id), () => {
    history.pushState(null, '', addressOf(instrument.id));
    choose(instrument.id);
  });
  set(row.cells[0].lastElementChild, [instrument.id, instrument.model].filter(Boolean).join(' · '));
  setCell(row, 1, `${icons[instrument.status]} ${text(`state_${instrument.status}`)}`, `mark-${kinds[instrument.status] ?? 'quiet'}`);
  row.dataset.status = instrument.status;
  setCell(row, 2, hasText(`why_${instrument.reason}`) ? text(`why_${instrument.reason}`) : instrument.reason);
  setCell(row, 3, instrument.activity ? text(`activity_${instrument.activity}`) : '–');
  setCell(row, 4, sourcesText(instrument.sources), 'lines');
  setCell(row, 5, instrument.next_free ? dateAndTime(instrument.next_free).slice(5, 16) + offset(instrument.next_free) : '–', 'nowrap');
  sight.observe(row);
}

function drawBoard() {
  const found = all.filter(fits);
  const shown = found.slice(0, shownMax);
  shown.forEach(drawRow);
  rows.keepOnly(shown);
  set(byId('more'), found.length > shown.length ? text('instruments_more', { shown: shown.length, n: found.length }) : found.length ? '' : text(all.length ? 'public_no_match' : 'instruments_none'));
  byId('states').replaceChildren(...statuses.map((status) => [status, all.filter((i) => i.status === status).length]).filter(([, n]) => n).map(([status, n]) => make('li', `mark-${kinds[status] ?? 'quiet'}`, null, `${icons[status]} ${n} ${text(`state_${status}`)}`)));
}

async function askBoard() {
  const instruments = await allInstruments();
  return () => {
    all = instruments;
    drawBoard();
    byId('shown').hidden = false;
    drawDetail();
  };
}

// By whose clocks its days and months begin.
function zoneOf(id) {
  const instrument = all.find((one) => one.id === id);
  return (sites.find((site) => site.id === instrument?.site.id) ?? sites[0]).zone;
}

// A day's bar is asked for when its row comes into sight, and again while it stands there.
const bars = new WeakMap();
const inSight = new Set();
const sight = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    inSight[isIntersecting ? 'add' : 'delete'](target);
    if (isIntersecting) barOf(target).tick(asOf);
  }
});

function barOf(row) {
  if (bars.has(row)) return bars.get(row);
  const bar = row.cells[6].firstElementChild;
  const ask = async () => {
    const zone = zoneOf(row.dataset.id);
    const from = dayBegin(zone, now);
    const until = addDays(zone, from, 1);
    const { spans } = await get(`/api/v1/instruments/${row.dataset.id}/timeline`, { from: iso(from), until: iso(until) });
    return () => drawDay(bar, spans, from, until, now);
  };
  const read = new Read(detailEveryMs, ask, { tell: (problem) => problem && (read.shown === null || read.isOld) && drawNoDay(bar, problem) });
  bars.set(row, read);
  return read;
}

// ---- one of them ----

const monthOf = (ms) => date(zoneOf(chosen), ms).slice(0, 7);
const monthShown = () => month ?? monthOf(now);

async function askWeek() {
  const zone = zoneOf(chosen);
  const begin = dayBegin(zone, now);
  const days = Array.from({ length: 8 }, (_, i) => addDays(zone, begin, i));
  const { spans } = await get(`/api/v1/instruments/${chosen}/timeline`, { from: iso(days[0]), until: iso(days[7]) });
  return () => {
    byId('week').replaceChildren();
    for (let i = 0; i < 7; i++) {
      make('span', 'day-name', byId('week'), date(zone, days[i]).slice(5));
      drawDay(make('div', '', byId('week')), spans, days[i], days[i + 1], now);
    }
  };
}

const hours = (ms) => (ms / hourMs).toFixed(2);

async function askHours() {
  const [id, ofMonth] = [chosen, monthShown()];
  const said = await get(`/api/v1/instruments/${id}/hours`, { period: ofMonth });
  return () => drawHours(id, ofMonth, said);
}

async function drawHours(id, ofMonth, said) {
  set(byId('effective'), said.effective_ms === null ? '–' : hours(said.effective_ms));
  set(byId('rates'), text('rates', { utilisation: said.utilisation === null ? '–' : percent(said.utilisation), sharing: said.sharing_rate === null ? '–' : percent(said.sharing_rate), sessions: said.sum.sessions }));
  const parts = said.parts.filter((part) => part.ms > 0);
  await hoursChart.draw({
    name: `hours-${id}-${ofMonth}`,
    data: { columns: [text('part'), text('hours_unit')], rows: said.parts.map((part) => [text(`part_${part.part}`), hours(part.ms)]) },
    option: (colours) => ({
      ...axes(colours, { categories: [], unit: '', hasLegend: false }),
      tooltip: { renderMode: 'richText', confine: true, trigger: 'item', formatter: ({ name, value }) => `${name}\n${value} h` },
      grid: { left: 8, right: 56, top: 8, bottom: 8, containLabel: true },
      xAxis: { type: 'value', axisLabel: { color: colours.quiet, fontSize: colours.size }, splitLine: { lineStyle: { color: colours.line } } },
      yAxis: { type: 'category', inverse: true, data: parts.map((part) => text(`part_${part.part}`)), axisLabel: { color: colours.ink, fontSize: colours.size }, axisTick: { show: false }, axisLine: { show: false } },
      series: [{ type: 'bar', barMaxWidth: 22, data: parts.map((part) => Number(hours(part.ms))), label: { show: true, position: 'right', color: colours.quiet } }],
    }),
  });
}

async function askSessions() {
  const { sessions } = await get('/api/v1/sessions', { instrument: chosen, limit: 20 });
  return () => drawSessions(sessions);
}

function drawSessions(sessions) {
  const body = byId('sessions').tBodies[0];
  body.replaceChildren();
  for (const session of sessions) {
    const row = make('tr', '', body);
    const titles = [...byId('sessions').tHead.rows[0].cells].map((cell) => cell.textContent);
    const values = [session.opened, session.closed].map((time) => (time ? dateAndTime(time).slice(0, 16) + offset(time) : '–'));
    values.push(text(`user_${session.user}`), session.organisation ?? '–');
    values.forEach((value, i) => (make('td', i < 2 ? 'nowrap' : '', row, value).dataset.title = titles[i]));
    const state = make('td', forgotten.includes(session.state) ? 'mark-warn' : '', row, `${forgotten.includes(session.state) ? '▲ ' : ''}${text(`session_${session.state}`)}`);
    state.dataset.title = titles[4];
  }
  byId('no-sessions').hidden = sessions.length > 0;
}

const say = (id) => (problem) => set(byId(id), problem);
const parts = { week: askWeek, hours: askHours, sessions: askSessions };
const drawn = new Set();
const reads = Object.entries(parts).map(([name, ask]) => new Read(detailEveryMs, async () => {
  const draw = await ask();
  return async () => {
    await draw();
    drawn.add(name);
    if (drawn.size === reads.length) byId('detail').dataset.drawn = byId('detail').dataset.of;
  };
}, { tell: say(`${name}-problem`) }));

function beginDetail() {
  drawn.clear();
  delete byId('detail').dataset.drawn;
  for (const read of reads) read.forget();
  set(byId('effective'), '–');
  set(byId('rates'), '');
  hoursChart.clear();
  byId('week').replaceChildren();
  byId('sessions').tBodies[0].replaceChildren();
  byId('no-sessions').hidden = true;
  byId('links').replaceChildren(
    ...[[`/instruments/${chosen}`, 'view_public'], [`/instruments/${chosen}/label`, 'link_label'], [`/api/v1/instruments/${chosen}.ics`, 'link_feed']].map(([path, key]) => {
      const link = make('a', '', null, text(key));
      link.href = path.endsWith('.ics') ? path : `${path}?lang=${languageName()}`;
      return link;
    }),
  );
}

function drawDetail() {
  const instrument = all.find((i) => i.id === chosen);
  byId('detail').hidden = !instrument;
  if (!instrument) return;
  const ofMonth = monthShown();
  clearUnless(byId('detail'), `${chosen} ${ofMonth}`, beginDetail);
  set(byId('detail-title'), nameOf(instrument));
  set(byId('month'), ofMonth);
  byId('later').disabled = ofMonth >= monthOf(now);
  for (const read of reads) read.tick(asOf);
}

function choose(id) {
  chosen = id;
  drawDetail();
  byId('detail').scrollIntoView({ block: 'start' });
}

function moveMonth(by) {
  const moved = shiftDate(`${monthShown()}-01`, { months: by }).slice(0, 7);
  month = moved === monthOf(now) ? null : moved;
  drawDetail();
}

// ---- all of it ----

const board = new Read(5000, askBoard, { age: 'board', tell: say('problem') });

// At a new day of any site, that one.
function turnDay() {
  const today = sites.map(({ zone }) => date(zone, now)).join(' ');
  if (today === days) return;
  days = today;
  for (const read of [...reads, ...[...rows.known.values()].map(barOf)]) read.forget();
}

byId('status').add(new Option(text('filter_any'), ''));
for (const status of statuses) byId('status').add(new Option(text(`state_${status}`), status));
byId('status').addEventListener('change', drawBoard);
byId('q').addEventListener('input', drawBoard);
byId('controls').addEventListener('submit', (event) => event.preventDefault());
byId('earlier').addEventListener('click', () => moveMonth(-1));
byId('later').addEventListener('click', () => moveMonth(1));
addEventListener('popstate', () => choose(new URLSearchParams(location.search).get('id')));
drawLegend(byId('legend'));

followLive(
  () => {},
  (live, sinceMs) => {
    if (live.sites.length === 0) return;
    ({ sites } = live);
    now = Date.parse(live.as_of) + sinceMs;
    asOf = live.as_of;
    turnDay();
    board.tick(asOf, sinceMs);
    drawDetail();
    for (const row of inSight) barOf(row).tick(asOf);
  },
);
