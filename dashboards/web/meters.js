// Every meter as it is now.

import { byId, Rows, set, setCell, setCellMark, setHeadLink } from './dom.js';
import { dateAndTime, duration, kilowatts, register } from './format.js';
import { languageName, loadLanguage, nameOf, text } from './i18n.js';
import { followLive } from './live.js';

await loadLanguage();
const rows = new Rows(byId('meters'));

function quality(meter, offline) {
  if (!meter.expected) return ['quiet', 'quality_manual'];
  const readings = [meter.register, meter.power].filter((r) => r !== null);
  if (readings.length === 0) return ['bad', 'quality_none'];
  if (readings.some((r) => offline.has(r.gateway))) return ['bad', 'quality_offline'];
  if (!meter.fresh) return readings.some((r) => r.fresh) ? ['warn', 'quality_partly'] : ['bad', 'quality_stale'];
  if (readings.some((r) => r.quality === 'clock')) return ['warn', 'quality_clock'];
  return ['good', 'quality_good'];
}

// The age of the older of a meter's readings: what the row can be relied on for.
function age(meter) {
  const ages = [meter.register, meter.power].filter((r) => r !== null).map((r) => r.age_ms);
  return ages.length ? Math.max(...ages) : null;
}

// Its energy of today, and that by the hour.
const energyOf = ({ id, site, carrier }) => `/ops/energy?${new URLSearchParams({ length: 'day', ...(site && { site }), carrier, by: 'meter', id, lang: languageName() })}`;

function drawMeter(meter, buildings, offline) {
  const row = rows.get(meter);
  setHeadLink(row, nameOf(meter), energyOf(meter));
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
  const [kind, key] = quality(meter, offline);
  setCellMark(row, 6, kind, text(key));
}

// Many rows take a while: a screen full is shown at once, the others by portions between which the page answers, and a state that comes
// meanwhile waits for the next.
const firstRows = 40;
const portionMs = 12;
let isDrawing = false;

async function draw(live) {
  if (isDrawing) return;
  isDrawing = true;
  const buildings = new Map(live.buildings.map((b) => [b.id, b]));
  const offline = new Set(live.gateways.filter((g) => g.online === false).map((g) => g.id));
  let until = 0; // of the first rows as soon as they are there
  for (const [i, meter] of live.meters.entries()) {
    drawMeter(meter, buildings, offline);
    if (i + 1 < firstRows || performance.now() < until) continue;
    byId('shown').hidden = false;
    await new Promise((resume) => setTimeout(resume));
    until = performance.now() + portionMs;
  }
  rows.keepOnly(live.meters);
  byId('no-meters').hidden = live.meters.length > 0;
  set(byId('unmapped'), live.unmapped ? text('unmapped', { n: live.unmapped }) : '');
  byId('shown').hidden = false;
  isDrawing = false;
}

function drawAges(live, sinceMs) {
  for (const meter of live.meters.filter((m) => rows.known.has(m.id))) {
    const ms = age(meter);
    setCell(rows.get(meter), 5, ms === null ? '–' : duration(ms + sinceMs), 'nowrap');
  }
}

followLive(draw, drawAges);
