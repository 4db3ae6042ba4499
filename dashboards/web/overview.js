// The park at a glance: power now, today's energy against other days, people, instruments, and what asks for somebody's eyes.

import { get } from './api.js';
import { axes, Chart, dots } from './chart.js';
import { byId, Keyed, make, set } from './dom.js';
import { amount, kilowatts, percent } from './format.js';
import { languageName, loadLanguage, nameOf, text } from './i18n.js';
import { followLive, lostLately } from './live.js';
import { addDays, dayBegin, dayMs, iso, quarterMs, time } from './parktime.js';
import { Read } from './reads.js';
import { Sparkline } from './sparkline.js';

await loadLanguage();

// ---- power ----

function powerNote(power) {
  if (power.meters === 0) return text('no_meters');
  if (power.fresh === 0) return text('no_power', power);
  return text(power.fresh === power.meters ? 'known_all' : 'known_part', power);
}

const isPart = (power) => power.known_w !== null && power.fresh < power.meters;

function drawPower(element, power) {
  set(element, power.known_w === null ? '–' : `${isPart(power) ? '≥ ' : ''}${kilowatts(power.known_w)}`);
  element.classList.toggle('part', isPart(power));
}

const cards = new Keyed(
  (building) => {
    const root = make('div', 'card', byId('buildings'));
    root.dataset.building = building.id;
    const title = make('h3', 'where', root);
    const line = make('p', 'figure', root);
    const figure = make('span', '', line);
    line.append(' ');
    make('span', 'unit', line, 'kW');
    const note = make('p', 'quiet', root);
    const fill = make('div', 'fill', make('div', 'track', root));
    fill.parentElement.setAttribute('aria-hidden', 'true');
    const spark = new Sparkline(text('sparkline'));
    root.append(spark.element);
    return { root, title, figure, note, fill, spark };
  },
  (card) => card.root,
);

function drawBuildings(live) {
  const highest = Math.max(1, ...live.buildings.map((b) => b.power.known_w ?? 0));
  for (const building of live.buildings) {
    const card = cards.get(building);
    set(card.title, nameOf(building));
    drawPower(card.figure, building.power);
    set(card.note, powerNote(building.power));
    card.fill.style.width = `${(100 * Math.max(0, building.power.known_w ?? 0)) / highest}%`;
    card.spark.add(performance.now(), building.power.known_w);
  }
  cards.keepOnly(live.buildings);
}

function drawTotals(live) {
  drawPower(byId('total-power'), live.power);
  set(byId('total-coverage'), powerNote(live.power));
  const { fresh, meters: expected } = live.coverage;
  set(byId('fresh'), String(fresh));
  set(byId('expected'), text('coverage_figure', { expected }));
  byId('coverage-bar').style.width = `${expected ? (100 * fresh) / expected : 0}%`;
  drawGateways(live);
}

function drawGateways(live) {
  const { length: count } = live.gateways;
  const [online, unknown] = [true, null].map((state) => live.gateways.filter((g) => g.online === state).length);
  const lost = live.gateways.reduce((sum, g) => sum + g.lost, 0);
  const line = text(unknown ? 'gateways_unknown' : lost ? 'gateways_lost' : 'gateways_online', { online, unknown, count, lost });
  set(byId('gateway-text'), unknown ? `▲ ${line}` : line);
  const isBad = live.gateways.some((g) => lostLately(g, live)) || online + unknown < count;
  byId('gateway-text').className = isBad ? 'mark-bad' : unknown ? 'mark-warn' : 'quiet';
}

// ---- today's electricity ----

const loadChart = new Chart(byId('load'), text('load_today'));

// Of all sites. A site that has no meter of it (undefined) adds nothing; null: of one that has, it is not known.
function sum(amounts) {
  const all = amounts.filter((amount) => amount !== undefined);
  if (all.length <= 1) return all[0] ?? null;
  return all.includes(null) ? null : all.reduce((sum, amount) => sum + Number(amount), 0).toFixed(3);
}

// By step; undefined where the site has no meter of it.
async function electricity(site, from, to, step) {
  const said = await get('/api/v1/energy', { site: site.id, by: 'carrier', from: iso(from), to: iso(to), step });
  return said.rows.find((row) => row.carrier === 'electricity')?.values;
}

const quarterOf = (now) => Math.floor(now / quarterMs) * quarterMs;

const nothing = { amount: null, known: null, covered: 0 };

// Of a day of each site, as much as is over of today at `now`: `whole`, or null and what is known of it. At midnight nothing of it is over,
// and nothing is known.
async function amountByNow(sites, now, days) {
  const ofSite = async (site) => {
    const begin = dayBegin(site.zone, now);
    if (quarterOf(now) === begin) return nothing;
    const values = await electricity(site, addDays(site.zone, begin, days), addDays(site.zone, quarterOf(now), days), 'all');
    return values?.[0];
  };
  const said = (await Promise.all(sites.map(ofSite))).filter((value) => value !== undefined);
  return { isMetered: said.length > 0, whole: sum(said.map((value) => value.amount)), known: sum(said.filter((value) => value.covered > 0).map((value) => value.known)) };
}

function drawToday({ isMetered, whole, known }, isBegun) {
  set(byId('today'), whole !== null ? amount(whole) : known !== null ? `≥ ${amount(known)}` : '–');
  byId('today').className = whole === null ? 'part' : '';
  const isHole = isMetered && isBegun && whole === null;
  set(byId('today-text'), whole !== null ? '' : text(!isMetered ? 'no_meters' : isBegun ? 'today_part' : 'today_begun'));
  byId('today-text').className = isHole ? 'compare mark-warn' : 'compare quiet';
}

// Where today has a hole there is nothing to compare, and the other day is said all the same.
function drawComparison(element, key, { whole: today }, { whole: other }) {
  element.className = 'compare quiet';
  if (other === null) {
    set(element, text(`${key}_unknown`));
  } else if (today === null || Number(other) === 0) {
    set(element, text(`${key}_alone`, { amount: amount(other) }));
  } else {
    const share = Number(today) / Number(other) - 1;
    set(element, text(key, { sign: share > 0.0005 ? '▲' : share < -0.0005 ? '▼' : '=', share: percent(Math.abs(share)), amount: amount(other) }));
    element.className = 'compare';
  }
}

function clearEnergy() {
  set(byId('today'), '–');
  for (const id of ['today-text', 'against-yesterday', 'against-week']) set(byId(id), '');
}

function drawEnergy(isBegun, today, lastDay, lastWeek) {
  clearEnergy();
  drawToday(today, isBegun);
  if (!today.isMetered || !isBegun) return;
  drawComparison(byId('against-yesterday'), 'against_yesterday', today, lastDay);
  drawComparison(byId('against-week'), 'against_week', today, lastWeek);
}

const meanKilowatts = (quarterKwh) => (quarterKwh === null ? null : (4 * Number(quarterKwh)).toFixed(2));

// What the clock shows at each quarter hour of a day, and which of that time it is: a clock that is set back shows an hour twice.
function clockOf(zone, starts) {
  const shown = new Map();
  return starts.map((at) => {
    const of = time(zone, at);
    shown.set(of, (shown.get(of) ?? 0) + 1);
    return `${of} ${shown.get(of)}`;
  });
}

// The course of a day of all sites, by their clocks: where a day has an hour more or less, quarters meet by their time.
async function courseOf(sites, begins, ends) {
  const ofSite = async (site, i) => (ends[i] > begins[i] ? electricity(site, begins[i], ends[i], '15m') : []);
  const bySite = (await Promise.all(sites.map(ofSite))).map((values, i) => {
    const clock = values && clockOf(sites[i].zone, values.map((v) => Date.parse(v.start)));
    return values && new Map(values.map((v, n) => [clock[n], v.amount]));
  });
  return (at) => meanKilowatts(sum(bySite.map((quarters) => quarters && (quarters.get(at) ?? null))));
}

function drawLoad({ zone }, begin, end, today, yesterday) {
  const starts = Array.from({ length: (end - begin) / quarterMs }, (_, n) => begin + n * quarterMs);
  const clock = clockOf(zone, starts);
  const times = clock.map((shown) => shown.slice(0, 5));
  const names = [text('today'), text('yesterday')];
  const rows = clock.map((at, n) => [times[n], today(at), yesterday(at)]);
  const [known, before] = [1, 2].map((i) => rows.map((row) => row[i]));
  loadChart.draw({
    name: 'load',
    data: { columns: [text('time'), ...names.map((name) => `${name} (kW)`)], rows },
    option: (colours) => ({
      ...axes(colours, { categories: times, unit: 'kW' }),
      series: [
        { name: names[0], type: 'line', data: known, ...dots(known), lineStyle: { width: 2.5 }, areaStyle: { opacity: 0.12 }, z: 3 },
        { name: names[1], type: 'line', data: before, ...dots(before), lineStyle: { width: 1.5, color: colours.quiet, type: 'dashed' }, itemStyle: { color: colours.quiet } },
      ],
    }),
  });
}

const beginsOf = (sites, now) => sites.map(({ zone }) => dayBegin(zone, now));
let day = ''; // that today is
let quarter = 0; // at whose beginning a day may begin, wherever a site is

// What is shown of another day is no more today's; today's is asked for at once.
function turnDay(sites, now) {
  if (quarterOf(now) === quarter) return;
  quarter = quarterOf(now);
  const begun = beginsOf(sites, now).join(' ');
  if (begun === day) return;
  const isFirst = day === '';
  day = begun;
  if (isFirst) return;
  clearEnergy();
  loadChart.clear();
  energy.forget();
}

async function askEnergy({ sites, now }) {
  const begins = beginsOf(sites, now);
  const shifted = (days) => sites.map(({ zone }, i) => addDays(zone, begins[i], days));
  const [today, lastDay, lastWeek, quarters, yesterday] = await Promise.all([
    ...[0, -1, -7].map((days) => amountByNow(sites, now, days)), courseOf(sites, begins, sites.map(() => quarterOf(now))), courseOf(sites, shifted(-1), begins),
  ]);
  return () => {
    drawEnergy(begins.some((begin) => begin < quarterOf(now)), today, lastDay, lastWeek);
    drawLoad(sites[0], begins[0], shifted(1)[0], quarters, yesterday);
  };
}

// ---- people ----

// What counts people in a space: its doors, corrected where somebody counted, else a sensor that counts.
function countOf(space) {
  const known = space.sources.filter((s) => s.source === 'corrected' || s.source === 'live' || s.source.startsWith('count:'));
  return known.map((s) => s.values.at(-1)?.mean ?? null).find((mean) => mean !== null) ?? null;
}

async function askPeople({ sites, now }) {
  const span = { from: iso(quarterOf(now) - quarterMs), to: iso(quarterOf(now)), step: '15m' };
  const said = await Promise.all(sites.map((site) => get('/api/v1/occupancy', { site: site.id, ...span })));
  const spaces = said.flatMap((one) => one.spaces);
  const counts = spaces.map(countOf).filter((mean) => mean !== null);
  return () => {
    set(byId('people'), counts.length ? String(Math.round(counts.reduce((sum, mean) => sum + mean, 0))) : '–');
    set(byId('people-text'), text('people_text', { known: counts.length, spaces: spaces.length }));
  };
}

// ---- instruments, and what asks for somebody's eyes ----

const states = [
  ['AVAILABLE', 'good'], ['AVAILABLE_SHORT', 'good'], ['RESERVED', 'quiet'], ['CLOSED', 'quiet'],
  ['AVAILABLE_DEGRADED', 'good'], ['OUT_OF_SERVICE', 'bad'], ['UNKNOWN', 'warn'],
];
const icons = { good: '✓', quiet: '○', warn: '▲', bad: '✕' };

function drawTally(list, items) {
  list.replaceChildren(...items.map(([kind, word, href]) => {
    const item = make('li', `mark-${kind}`);
    if (href) make('a', '', item, `${icons[kind]} ${word}`).href = href;
    else item.textContent = `${icons[kind]} ${word}`;
    return item;
  }));
}

// What somebody has acknowledged asks for nobody's eyes.
function alarmsItem({ rules, off, standing, unacked, unacked_critical: critical }) {
  if (!rules && !standing) return ['quiet', text('alarms_unset')];
  const kind = critical ? 'bad' : unacked || off ? 'warn' : standing ? 'quiet' : 'good';
  const key = off ? 'alarms_now_off' : unacked < standing ? 'alarms_acked' : 'alarms_now';
  return [kind, text(key, { n: standing, acked: standing - unacked })];
}

async function askSummary() {
  const said = await get('/api/v1/summary');
  return () => drawSummary(said);
}

function drawSummary({ instruments, outages, alarms, open_exceptions: exceptions }) {
  const total = Object.values(instruments).reduce((sum, n) => sum + n, 0) - instruments.NOT_SHARED;
  set(byId('in-use'), String(instruments.IN_USE));
  set(byId('in-use-of'), text('in_use_of', { total }));
  drawTally(byId('instrument-states'), states.filter(([state]) => instruments[state]).map(([state, kind]) => [kind, text(`now_${state}`, { n: instruments[state] })]));
  const language = `lang=${languageName()}`;
  drawTally(byId('open'), [
    [...alarmsItem(alarms), `/ops/alarms?${language}`],
    [exceptions ? 'warn' : 'good', text('open_exceptions', { n: exceptions }), `/ops/exceptions?${language}`],
    [outages.now ? 'warn' : 'good', text('outages_now', { n: outages.now }), `/ops/outages?${language}`],
    ['quiet', text('outages_ahead', { n: outages.ahead }), `/ops/outages?${language}`],
  ]);
}

// ---- all of it ----

const park = { sites: [], now: 0 };

// What events do not bring. The quarter hour that is just over is complete some seconds later.
const energy = new Read(60000, () => askEnergy(park), { age: 'energy' });
const ofSites = [energy, new Read(60000, () => askPeople(park), { age: 'people' })];
export const reads = [new Read(15000, askSummary, { age: 'summary' })]; // the wall has one more

followLive(
  (live) => {
    drawTotals(live);
    drawBuildings(live);
    byId('shown').hidden = false;
  },
  (live, sinceMs) => {
    park.sites = live.sites;
    park.now = Date.parse(live.as_of) + sinceMs;
    for (const read of reads) read.tick(live.as_of, sinceMs);
    if (park.sites.length === 0) return;
    turnDay(park.sites, park.now);
    for (const read of ofSites) read.tick(live.as_of, sinceMs);
  },
);
