// Energy of any period: by carrier, building, tenant, item or meter; against another; where it goes; and one of its parts by the hour.

import { ApiError, get } from './api.js';
import { Chart } from './chart.js';
import { byId, clearUnless, hideUnless, Rows, set, setCell, setCellMark, setHeadLink } from './dom.js';
import { YearCalendar } from './energy_calendar.js';
import { course, flow, heatMap, loadDuration } from './energy_charts.js';
import { amount, percent } from './format.js';
import { loadLanguage, text } from './i18n.js';
import { followLive } from './live.js';
import { loadPark, nameOfRow, ofRow, placeOfRow } from './park.js';
import { comparedSpan, lengths, nameOf as nameOfPeriod, newestDay, parameters, spanOf, stepOf } from './period.js';
import { addressOfPeriod, makePeriodControls, periodOfAddress } from './period_controls.js';
import { date, shiftDate } from './parktime.js';
import { chosenSite, makeSiteChoice } from './site_choice.js';

const carriers = ['electricity', 'heat', 'cooling', 'water', 'gas'];
const ways = ['building', 'tenant', 'item', 'meter', 'carrier'];
const againsts = ['before', 'year', 'nothing'];
const units = { electricity: 'kWh', heat: 'MJ', cooling: 'MJ', water: 'm³', gas: 'm³' };
const hourlyDaysMax = 366;
const settleMs = 60000; // the quarter hour that is just over is complete some seconds later
const retryMs = 60000;

const [park] = await Promise.all([loadPark(), loadLanguage()]);
const rows = new Rows(byId('parts'));
const charts = { course: new Chart(byId('course'), text('course')), flow: new Chart(byId('flow'), text('flow')), heat: new Chart(byId('heat'), text('heat_map')), duration: new Chart(byId('load-duration'), text('load_duration')) };
const year = new YearCalendar();
let wanted = null; // what is asked for: as in the address
let drawing = 0; // only the newest question is answered
let costs = null; // of what is shown; null: they are asked for
let read = { of: '', at: 0, isAnswered: false }; // how much of its period the newest question is of, and when it was asked

// ---- what is asked for, which is also the address ----

const one = (value, known) => (known.includes(value) ? value : known[0]);
// Of what the site has meters.
const carriersOf = (site) => carriers.filter((carrier) => park.meters.some((meter) => meter.site === site.id && meter.carrier === carrier));

function readAddress(now) {
  const asked = new URLSearchParams(location.search);
  const site = chosenSite(park.sites);
  return { site, period: periodOfAddress(asked, lengths, 'month', newestDay(site.zone, now)), carrier: one(asked.get('carrier'), carriersOf(site)), by: one(asked.get('by'), ways), against: one(asked.get('against'), againsts), id: asked.get('id') };
}

function address({ site, period, carrier, by, against, id }) {
  const asked = new URLSearchParams(location.search);
  const values = { site: park.sites.length > 1 ? site.id : null, ...addressOfPeriod(period), carrier, by, against, id };
  for (const [name, value] of Object.entries(values)) if (value === null) asked.delete(name); else asked.set(name, value);
  return `${location.pathname}?${asked}`;
}

function ask(change) {
  wanted = { ...wanted, ...change };
  history.pushState(null, '', address(wanted));
  show();
}

// ---- the controls ----

function fillSelect(id, names, prefix) {
  for (const name of names) byId(id).add(new Option(text(`${prefix}_${name}`), name));
  byId(id).addEventListener('change', () => ask({ [id]: byId(id).value, ...(id === 'by' ? { id: null } : {}) }));
}

function makeControls() {
  fillSelect('carrier', carriersOf(chosenSite(park.sites)), 'carrier');
  makeSiteChoice(park.sites, ['id']);
  fillSelect('by', ways, 'by');
  fillSelect('against', againsts, 'against');
  return makePeriodControls(lengths, () => wanted.period, (period) => ask({ period }));
}

const drawPeriod = makeControls();

function drawControls() {
  drawPeriod();
  for (const id of ['carrier', 'by', 'against']) byId(id).value = wanted[id];
}

// ---- the answer ----

const ofCarrier = (said) => said.rows.filter((row) => row.carrier === wanted.carrier && row.kind !== 'gap');
// Each of what adds up to the whole, once. Meters are as their registers say: what flows through one flows through those behind it, too.
const ofWhat = (by) => (by === 'meter' ? 'groups' : 'parts');
const keyOf = (by, row) => `${by} ${row.id ?? ''} ${row.carrier}`;

// Whether the share of a row and those of the others are parts of one whole.
function isPart(row, gaps) {
  if (row.kind === 'part') return wanted.by !== 'carrier';
  const feedsIn = park.meters.some((meter) => meter.export_of && [meter.id, meter.export_of].includes(row.id));
  return row.kind === 'meter' && !gaps.has(row.id) && !feedsIn;
}

function shareOf(part, whole) {
  return part !== null && whole !== null && Number(whole) > 0 ? Number(part) / Number(whole) : null;
}

// An amount, or what is known of it: "≥". null: nothing is.
function amountText(value) {
  if (!value) return null;
  if (value.amount !== null) return amount(value.amount);
  return value.known !== null && (value.covered > 0 || Number(value.known) !== 0) ? `≥ ${amount(value.known)}` : null;
}

function changeText(now, before, unknown = '–') {
  const change = before !== null && now !== null && Number(before) !== 0 ? Number(now) / Number(before) - 1 : null;
  return change === null ? unknown : `${change > 0.0005 ? '▲' : change < -0.0005 ? '▼' : '='} ${percent(Math.abs(change))}`;
}

const qualities = { measured: 'good', estimated: 'warn', manual: 'warn', absent: 'quiet' };

// What is known of it; "≥" where that is not all. `costs` is null while they are asked for.
function resultText(costs, key, kind, unit) {
  if (costs === null) return '…';
  const result = costs.get(key)?.[kind];
  if (!result || result.known === null) return '–';
  return `${result.amount === null ? '≥ ' : ''}${amount(result.known, unit === 'yuan' ? 2 : undefined)} ${text(`unit_${unit}`)}`;
}

const listOf = new Intl.ListFormat(document.documentElement.lang, { type: 'conjunction', style: 'narrow' });

// Why there is no cost or CO2 of some day, each reason once, with the carriers that are shown and have it.
function reasons(costs, rows) {
  const shown = [...new Set(rows.map((row) => row.carrier))].filter((carrier) => costs.has(`carrier ${carrier} ${carrier}`));
  const said = [['cost', 'why_no_tariff'], ['kgco2', 'why_no_factors']].flatMap(([kind, none]) => {
    const ofReason = new Map();
    for (const carrier of shown) {
      const result = costs.get(`carrier ${carrier} ${carrier}`)[kind];
      const why = result === null ? none : result.reason && `why_${result.reason}\n${result.without}`;
      if (why) ofReason.set(why, [...(ofReason.get(why) ?? []), text(`carrier_${carrier}`)]);
    }
    return [...ofReason].map(([why, names]) => text(why.split('\n')[0], { carrier: listOf.format(names), day: why.split('\n')[1] }));
  });
  return said.join(' ');
}

function drawParts(now, before, gaps, total, costs) {
  const earlier = new Map(before.map((row) => [keyOf(row.kind, row), row.values[0]]));
  const items = now.map((row) => ({ row, id: keyOf(row.kind, row) }));
  const { by } = wanted; // a row stays of its kind while another is asked for
  for (const { id, row } of items) {
    const line = rows.get({ id });
    const [value] = row.values;
    if (row.id === null) setCell(line, 0, nameOfRow(park, wanted.by, row));
    else setHeadLink(line, nameOfRow(park, wanted.by, row), address({ ...wanted, id: row.id }), () => {
      ask({ by, id: row.id });
      byId('detail').scrollIntoView({ block: 'start' });
    });
    set(line.cells[0].lastElementChild, placeOfRow(park, wanted.by, row));
    const share = shareOf(value.amount, total);
    const was = earlier.get(id);
    const shown = (one) => (amountText(one) === null ? '–' : `${amountText(one)} ${units[row.carrier]}`);
    setCell(line, 1, shown(value));
    setCell(line, 2, share === null || !isPart(row, gaps) ? '–' : percent(share));
    setCell(line, 3, shown(was));
    setCell(line, 4, changeText(value.amount, was?.amount ?? null), 'nowrap');
    const key = keyOf(wanted.by, row);
    setCell(line, 5, resultText(costs, key, 'cost', 'yuan'));
    setCell(line, 6, resultText(costs, key, 'kgco2', 'kgco2'));
    setCellMark(line, 7, qualities[value.quality] ?? 'bad', text(`energy_${value.quality}`));
  }
  rows.keepOnly(items);
  set(byId('costs-why'), costs === null ? '' : reasons(costs, now));
}

// What the amount is held against, with the days of it.
function comparisonText(now, before, other) {
  if (!other) return text('not_compared');
  const dayOf = (ms) => date(wanted.site.zone, ms);
  const [first, last] = [dayOf(other.from), dayOf(other.to - 1)];
  const days = first === last ? first : `${first} – ${last}`;
  if (!before || before.quality === 'absent') return text('before_absent', { days });
  if (amountText(before) === null) return text('before_unknown', { days });
  return text(`compared_${wanted.against}`, { change: changeText(now?.amount ?? null, before.amount, text('change_unknown')), days, amount: amountText(before), unit: units[wanted.carrier] });
}

// How much of it is known.
function coverageText(value) {
  if (!value || value.quality === 'absent') return text('energy_none');
  if (value.coverage === null) return text(`energy_${value.quality}`);
  return Number(value.coverage) < 1 ? text('energy_part', { share: percent(Number(value.coverage)), known: amount(value.known ?? '0'), unit: units[wanted.carrier] }) : text('energy_whole');
}

function drawHeadline(now, before, other, costs) {
  const value = now?.values[0] ?? null;
  set(byId('span'), text('span', { from: wanted.period.from, to: shiftDate(wanted.period.end, { days: -1 }), carrier: text(`carrier_${wanted.carrier}`) }));
  set(byId('total'), amountText(value) ?? '–');
  set(byId('total-unit'), units[wanted.carrier]);
  set(byId('comparison'), comparisonText(value, before?.values[0], other));
  const key = `carrier ${wanted.carrier} ${wanted.carrier}`;
  const results = [['cost', 'yuan'], ['kgco2', 'kgco2'], ['kgce_equivalent', 'kgce']].map(([kind, unit]) => resultText(costs, key, kind, unit));
  set(byId('costs'), costs === null ? '…' : results.filter((shown) => shown !== '–').join(' · '));
  set(byId('costs-note'), text(nameOfPeriod(wanted.period) ? 'costs_note' : 'costs_none'));
  set(byId('coverage'), coverageText(value));
}

async function drawFlow(mine, site, asked) {
  clearUnless(byId('flow'), [wanted.carrier, asked.from, asked.to].join(' '), () => charts.flow.clear());
  const said = await get('/api/v1/energy', { site: site.id, by: 'meter', step: 'all', ...asked });
  if (mine !== drawing) return;
  const known = said.rows.filter((row) => row.carrier === wanted.carrier && row.values[0].amount !== null).map((row) => ({ ...row, parent: park.byId.meter.get(row.id)?.parent }));
  const place = (row) => (row.parent || row.kind === 'gap' ? '' : ` · ${placeOfRow(park, 'meter', row).split(' · ')[0]}`);
  const drawn = flow(known, (row) => nameOfRow(park, 'meter', row) + place(row), units[wanted.carrier]);
  byId('flow-card').hidden = drawn.count === 0;
  if (drawn.count > 0) await charts.flow.draw(drawn);
}

async function drawDetail(mine, site, span, row, by) {
  const days = (span.to - span.from) / 86400000;
  byId('detail').hidden = !row;
  byId('by-hour').hidden = days > hourlyDaysMax;
  if (!row) return;
  set(byId('detail-title'), nameOfRow(park, by, row));
  const of = [by, row.kind, row.id, row.carrier].join(' ');
  year.turn(wanted.period.from.slice(0, 4), of);
  clearUnless(byId('by-hour'), [of, wanted.period.from, wanted.period.end].join(' '), () => [charts.heat, charts.duration].forEach((chart) => chart.clear()));
  if (byId('by-hour').hidden) return;
  const said = await get('/api/v1/energy', { site: site.id, by, of: ofRow(row), id: row.id, step: '1h', ...parameters(span) });
  if (mine !== drawing) return;
  const { values } = said.rows.find((r) => r.carrier === wanted.carrier && r.kind === row.kind);
  const unit = units[wanted.carrier];
  byId('heat').style.setProperty('--rows', String(Math.ceil(days)));
  const perHour = wanted.carrier === 'electricity' ? 'kW' : `${unit}/h`;
  await Promise.all([charts.heat.draw(heatMap(site.zone, values, unit)), charts.duration.draw(loadDuration(values, perHour))]);
}

// Nothing of another question stands where this one is answered, or said to have no answer.
function leaveOthers() {
  const { period, carrier, by, against, id } = wanted;
  const of = [period.length, period.from, period.end, carrier, by, against].join(' ');
  hideUnless(byId('shown'), of);
  hideUnless(byId('detail'), `${of} ${id}`);
}

async function answer(now) {
  const { site, period, by } = wanted;
  const span = spanOf(site.zone, period, now);
  if (span === null) throw new ApiError(text('not_begun'));
  const other = wanted.against === 'nothing' ? null : comparedSpan(site.zone, period, span, wanted.against);
  const asked = { site: site.id, step: 'all' };
  const [whole, parts, steps, wholeBefore, partsBefore] = await Promise.all([
    get('/api/v1/energy', { ...asked, by: 'carrier', of: 'parts', ...parameters(span) }),
    get('/api/v1/energy', { ...asked, by, of: ofWhat(by), ...parameters(span) }),
    get('/api/v1/energy', { ...asked, by: by === 'meter' ? 'carrier' : by, of: 'parts', step: stepOf(period), ...parameters(span) }),
    other && get('/api/v1/energy', { ...asked, by: 'carrier', of: 'parts', ...parameters(other) }),
    other && get('/api/v1/energy', { ...asked, by, of: ofWhat(by), ...parameters(other) }),
  ]);
  return { span, other, whole: ofCarrier(whole)[0], parts: by === 'carrier' ? parts.rows : ofCarrier(parts), gaps: new Set(parts.rows.filter((row) => row.kind === 'gap').map((row) => row.id)), steps: ofCarrier(steps), wholeBefore: wholeBefore && ofCarrier(wholeBefore)[0], partsBefore: partsBefore ? partsBefore.rows : [], stepsBy: by === 'meter' ? 'carrier' : by };
}

let liveNow = Date.parse(park.as_of); // the first event of a large park takes a while

// By "by id carrier"; a period that the reports have no name for has none.
async function readCosts() {
  const period = nameOfPeriod(wanted.period);
  const said = period && (await get('/api/v1/costs', { site: wanted.site.id, period }));
  return new Map((said?.rows ?? []).map((row) => [keyOf(row.by, row), row]));
}

// How much of the period is over, and whether all that is known of it.
function soFar(now) {
  const span = spanOf(wanted.site.zone, wanted.period, now);
  return span === null ? '' : `${span.to} ${now - span.to >= settleMs}`;
}

// The amounts come first, and the page can be used: shown. What they came to, where they flow and each hour follow: drawn. `isAgain`: it is
// shown already, and what is renewed is replaced in its place.
async function show(isAgain = false) {
  const mine = ++drawing;
  read = { of: soFar(liveNow), at: performance.now(), isAnswered: false };
  if (!isAgain) {
    drawControls();
    costs = null;
  }
  try {
    const said = await answer(liveNow).finally(() => mine === drawing && leaveOthers());
    if (mine !== drawing) return;
    set(byId('problem'), '');
    byId('shown').hidden = false;
    const drawAmounts = () => {
      drawHeadline(said.whole, said.wholeBefore, said.other, costs);
      drawParts(said.parts, said.partsBefore, said.gaps, said.whole?.values[0].amount ?? null, costs);
    };
    drawAmounts();
    document.body.dataset.shown = String(mine);
    follow();
    const chosen = said.parts.find((row) => row.id !== null && row.id === wanted.id && row.carrier === wanted.carrier);
    const row = chosen ?? said.whole;
    const by = chosen ? wanted.by : 'carrier';
    if (said.steps.length === 0) charts.course.clear();
    // Asked for at once: those who read months are answered one after another, and charts are drawn meanwhile.
    await Promise.all([
      said.steps.length > 0 && charts.course.draw(course(said.steps, said.steps.map((row) => nameOfRow(park, said.stepsBy, row)), stepOf(wanted.period), units[wanted.carrier])),
      drawDetail(mine, wanted.site, said.span, row, by),
      readCosts().then((found) => {
        if (mine !== drawing) return;
        costs = found;
        drawAmounts();
      }),
      drawFlow(mine, wanted.site, parameters(said.span)),
    ]);
    if (mine !== drawing) return;
    document.body.dataset.drawn = String(mine);
    if (row) await year.draw({ site: wanted.site, by, row, year: wanted.period.from.slice(0, 4), unit: units[row.carrier], now: liveNow, until: said.span.to });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (mine !== drawing) return;
    set(byId('problem'), error.message);
    read.of = null;
  } finally {
    if (mine === drawing) read.isAnswered = true;
  }
}

// While the page stands and somebody looks: again as more of the period is over; where the address names none, of that of now.
function renew() {
  if (document.hidden || wanted === null || !read.isAnswered) return;
  if (readAddress(liveNow).period.end !== wanted.period.end) begin();
  else if (soFar(liveNow) !== read.of && (read.of !== null || performance.now() - read.at >= retryMs)) show(true);
}

// The events of a large park are large: they wait until the amounts are there, but not for ever.
let isFollowing = false;
function follow() {
  if (isFollowing) return;
  isFollowing = true;
  followLive(() => {}, (live, sinceMs) => {
    liveNow = Date.parse(live.as_of) + sinceMs;
    renew();
  });
}

function begin() {
  wanted = readAddress(liveNow);
  show();
}

setTimeout(follow, 2000);
const hasMeters = park.sites.length > 0 && carriersOf(chosenSite(park.sites)).length > 0;
if (!hasMeters) for (const control of byId('controls').children) control.hidden ||= control.id !== 'site-choice';
byId('no-meters').hidden = hasMeters;
set(byId('no-meters'), text(park.meters.length > 0 ? 'meters_none_here' : 'meters_none'));
if (hasMeters) {
  addEventListener('popstate', begin);
  begin();
}
