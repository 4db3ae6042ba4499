// Draws one state of the park. Elements are kept and updated in place: focus, selection and curves survive.

import { clockTime, dateAndTime, duration, kilowatts, register } from './format.js';
import { hasText, nameOf, text } from './i18n.js';
import { Sparkline } from './sparkline.js';

const byId = (id) => document.getElementById(id);
const cards = new Map(); // building id -> its card's parts
const rows = { meters: new Map(), gateways: new Map() };

function set(element, content) {
  if (element.textContent !== content) element.textContent = content;
}

function make(tag, className, parent) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (parent) parent.append(element);
  return element;
}

function powerNote(power) {
  if (power.meters === 0) return text('no_meters');
  if (power.fresh === 0) return text('no_power', power);
  return text(power.fresh === power.meters ? 'known_all' : 'known_part', power);
}

function powerFigure(power) {
  return power.known_w === null ? '–' : kilowatts(power.known_w);
}

function drawTotals(live) {
  set(byId('total-power'), powerFigure(live.power));
  set(byId('total-coverage'), powerNote(live.power));
  const { fresh, meters: expected } = live.coverage;
  set(byId('fresh'), String(fresh));
  set(byId('expected'), text('coverage_figure', { expected }));
  set(byId('coverage-text'), text('coverage_text', { fresh, expected }));
  byId('coverage-bar').style.width = `${expected ? (100 * fresh) / expected : 0}%`;
  set(byId('online'), String(live.gateways.filter((g) => g.online).length));
  set(byId('gateway-count'), text('gateway_figure', { count: live.gateways.length }));
  const lost = live.gateways.reduce((sum, g) => sum + g.lost, 0);
  set(byId('gateway-text'), lost ? text('gateway_text_lost', { lost }) : text('gateway_text_ok'));
  byId('gateway-text').className = lost ? 'mark-bad' : 'quiet';
}

function makeCard(building) {
  const root = make('div', 'card', byId('buildings'));
  root.dataset.building = building.id;
  const title = make('h3', 'where', root);
  const line = make('p', 'figure', root);
  const figure = make('span', '', line);
  line.append(' ');
  make('span', 'unit', line).textContent = 'kW';
  const note = make('p', 'quiet', root);
  const fill = make('div', 'fill', make('div', 'track', root));
  fill.parentElement.setAttribute('aria-hidden', 'true');
  const spark = new Sparkline(text('sparkline'));
  root.append(spark.element);
  return { root, title, figure, note, fill, spark };
}

function drawBuildings(live) {
  const highest = Math.max(1, ...live.buildings.map((b) => b.power.known_w ?? 0));
  const now = Date.parse(live.as_of);
  for (const building of live.buildings) {
    if (!cards.has(building.id)) cards.set(building.id, makeCard(building));
    const card = cards.get(building.id);
    set(card.title, nameOf(building));
    set(card.figure, powerFigure(building.power));
    set(card.note, powerNote(building.power));
    card.fill.style.width = `${(100 * Math.max(0, building.power.known_w ?? 0)) / highest}%`;
    card.spark.add(now, building.power.known_w);
  }
  dropGone(cards, live.buildings, (card) => card.root);
}

function dropGone(known, present, rootOf) {
  const ids = new Set(present.map((p) => p.id));
  for (const [id, thing] of known)
    if (!ids.has(id)) {
      rootOf(thing).remove();
      known.delete(id);
    }
}

// A row whose cells carry their column's title for the narrow layout.
function rowOf(table, id) {
  const known = rows[table];
  if (known.has(id)) return known.get(id);
  const row = make('tr', '', byId(table).tBodies[0]);
  row.dataset.id = id;
  [...byId(table).tHead.rows[0].cells].forEach((head, i) => {
    const cell = make(i === 0 ? 'th' : 'td', head.className, row);
    if (i === 0) cell.scope = 'row';
    else cell.dataset.title = head.textContent;
    make('span', '', cell);
  });
  make('span', 'id', row.cells[0]);
  known.set(id, row);
  return row;
}

function setCell(row, index, content, className = '') {
  const span = row.cells[index].firstElementChild;
  set(span, content);
  if (span.className !== className) span.className = className;
}

function setMark(row, index, kind, word) {
  const icons = { good: '●', warn: '▲', bad: '✕', quiet: '○' };
  setCell(row, index, `${icons[kind]} ${word}`, `mark-${kind}`);
}

function meterQuality(meter) {
  if (!meter.expected) return ['quiet', 'quality_manual'];
  const readings = [meter.register, meter.power].filter((r) => r !== null);
  if (readings.length === 0) return ['bad', 'quality_none'];
  if (!meter.fresh) return readings.some((r) => r.fresh) ? ['warn', 'quality_partly'] : ['bad', 'quality_stale'];
  if (readings.some((r) => r.quality === 'clock')) return ['warn', 'quality_clock'];
  return ['good', 'quality_good'];
}

// The age of the older of a meter's readings: what the row can be relied on for.
function meterAge(meter) {
  const ages = [meter.register, meter.power].filter((r) => r !== null).map((r) => r.age_ms);
  return ages.length ? Math.max(...ages) : null;
}

function drawMeters(live) {
  const buildings = new Map(live.buildings.map((b) => [b.id, b]));
  for (const meter of live.meters) {
    const row = rowOf('meters', meter.id);
    setCell(row, 0, nameOf(meter));
    set(row.cells[0].lastElementChild, meter.id);
    const building = buildings.get(meter.building);
    setCell(row, 1, building ? nameOf(building) : '–');
    setCell(row, 2, text(`carrier_${meter.carrier}`));
    if (meter.register) {
      const { value, unit } = register(meter.register.count, meter.register.unit);
      const side = meter.register.side === 'secondary' ? ` (${text('secondary')})` : '';
      setCell(row, 3, `${value} ${unit}${side}`);
      row.cells[3].title = dateAndTime(meter.register.time);
    } else {
      setCell(row, 3, '–');
    }
    setCell(row, 4, meter.power ? `${kilowatts(meter.power.value_w)} kW` : '–', meter.power && !meter.power.fresh ? 'mark-quiet' : '');
    setMark(row, 6, ...((kind, key) => [kind, text(key)])(...meterQuality(meter)));
  }
  dropGone(rows.meters, live.meters, (row) => row);
}

function drawGateways(live) {
  for (const gateway of live.gateways) {
    const row = rowOf('gateways', gateway.id);
    setCell(row, 0, nameOf(gateway));
    set(row.cells[0].lastElementChild, gateway.in_park_model ? gateway.id : `${gateway.id} · ${text('not_in_model')}`);
    if (!gateway.online) setMark(row, 1, 'bad', text('offline'));
    else if (!gateway.clock_synchronised) setMark(row, 1, 'warn', `${text('online')}, ${text('clock_unsynchronised')}`);
    else setMark(row, 1, 'good', text('online'));
    setCell(row, 4, String(gateway.spooled.batches));
    setCell(row, 5, String(gateway.lost), gateway.lost ? 'mark-bad' : '');
    setCell(row, 6, gateway.version ?? '–');
  }
  dropGone(rows.gateways, live.gateways, (row) => row);
}

function drawHealth(health) {
  const box = byId('health');
  box.hidden = health.status === 'ready';
  box.classList.toggle('failing', health.status === 'failing');
  if (box.hidden) return;
  set(byId('health-title'), text(`health_${health.status}`));
  const lines = health.reasons.map((r) => {
    if (!hasText(`reason_${r.code}`)) return r.message;
    return text(`reason_${r.code}`) + (r.detail ? text('reason_detail', r) : '');
  });
  if (lines.join('\n') === byId('reasons').dataset.lines) return;
  byId('reasons').dataset.lines = lines.join('\n');
  byId('reasons').replaceChildren(
    ...lines.map((line, i) => {
      const item = document.createElement('li');
      item.textContent = line;
      item.title = health.reasons[i].message;
      return item;
    }),
  );
}

export function draw(live) {
  const park = live.sites.map(nameOf).join(' · ') || 'Parkmon';
  set(byId('park'), park);
  document.title = text('page_title', { park });
  set(byId('as-of'), dateAndTime(live.as_of));
  byId('as-of').dateTime = live.as_of;
  drawHealth(live.health);
  drawTotals(live);
  drawBuildings(live);
  drawMeters(live);
  drawGateways(live);
  drawAges(live, 0);
  const zone = live.sites.length ? live.sites[0].zone : 'UTC';
  const unmapped = live.unmapped ? `${text('unmapped', { n: live.unmapped })} ` : '';
  set(byId('footer'), unmapped + text('footer', { zone }));
  byId('main').hidden = false;
}

// Ages grow between two states, also while the connection is lost.
export function drawAges(live, sinceMs) {
  const age = (ms) => (ms === null ? text('never') : duration(ms + sinceMs));
  for (const meter of live.meters) {
    const ms = meterAge(meter);
    setCell(rowOf('meters', meter.id), 5, ms === null ? '–' : age(ms), 'nowrap');
  }
  for (const gateway of live.gateways) {
    const row = rowOf('gateways', gateway.id);
    setCell(row, 2, age(gateway.age_ms), 'nowrap');
    setCell(row, 3, gateway.lag_ms === null ? '–' : age(gateway.lag_ms), 'nowrap');
  }
}

// `state`: wait, open, quiet or lost.
export function drawConnection(state, live) {
  const time = live ? clockTime(state === 'quiet' ? live.made : live.as_of) : '';
  const kinds = { wait: 'wait', open: 'good', quiet: 'warn', lost: 'bad' };
  const words = {
    wait: 'connecting',
    open: 'connected',
    quiet: 'connection_quiet',
    lost: live ? 'connection_lost' : 'connection_lost_no_data',
  };
  const pill = byId('connection');
  pill.className = `pill pill-${kinds[state]}`;
  pill.dataset.state = state;
  set(byId('connection-text'), text(words[state], { time }));
}
