// The gateways: heard when, how far behind, what waits in them and what they have lost.

import { get } from './api.js';
import { byId, Rows, set, setCell, setCellMark } from './dom.js';
import { dateAndTime, duration } from './format.js';
import { loadLanguage, nameOf, text } from './i18n.js';
import { followLive, lostLately } from './live.js';
import { Read } from './reads.js';

await loadLanguage();
const rows = new Rows(byId('gateways'));

function draw(live) {
  for (const gateway of live.gateways) {
    const row = rows.get(gateway);
    setCell(row, 0, nameOf(gateway));
    set(row.cells[0].lastElementChild, gateway.in_park_model ? gateway.id : `${gateway.id} · ${text('not_in_model')}`);
    if (!gateway.online) setCellMark(row, 1, 'bad', text('offline'));
    else if (!gateway.clock_synchronised) setCellMark(row, 1, 'warn', `${text('online')}, ${text('clock_unsynchronised')}`);
    else setCellMark(row, 1, 'good', text('online'));
    setCell(row, 4, String(gateway.spooled.batches));
    setCell(row, 5, String(gateway.lost), lostLately(gateway, live) ? 'mark-bad' : '');
    setCell(row, 6, gateway.version ?? '–');
  }
  rows.keepOnly(live.gateways);
  byId('shown').hidden = false;
}

function drawAges(live, sinceMs) {
  const age = (ms) => (ms === null ? text('never') : duration(ms + sinceMs));
  for (const gateway of live.gateways) {
    const row = rows.get(gateway);
    setCell(row, 2, age(gateway.age_ms), 'nowrap');
    setCell(row, 3, gateway.lag_ms === null ? '–' : age(gateway.lag_ms), 'nowrap');
  }
}

// ---- what was lost, and what is kept aside; the newest of each ----

const listed = 50;
const lists = { losses: new Rows(byId('losses')), quarantine: new Rows(byId('quarantine')) };
const when = (time) => (time ? dateAndTime(time) : '–');

function drawList(name, items, cellsOf) {
  for (const item of items) {
    const row = lists[name].get(item);
    cellsOf(item).forEach((content, i) => setCell(row, i, content));
    byId(name).tBodies[0].append(row);
  }
  lists[name].keepOnly(items);
  byId(`no-${name}`).hidden = items.length > 0;
  byId(name).hidden = items.length === 0;
}

function drawLosses(losses) {
  drawList('losses', losses, (l) => [when(l.recorded), l.gateway, when(l.from), when(l.to), l.readings === null ? '–' : String(l.readings), l.reason]);
}

function drawQuarantine(quarantine) {
  drawList('quarantine', quarantine, (q) => [when(q.recorded), q.gateway, q.reason]);
}

const draws = { losses: drawLosses, quarantine: drawQuarantine };
const reads = Object.keys(draws).map((name) => new Read(30000, async () => {
  const said = await get(`/api/v1/${name}`, { limit: listed });
  return () => draws[name](said[name]);
}, { age: name }));

followLive(draw, (live, sinceMs) => {
  drawAges(live, sinceMs);
  for (const read of reads) read.tick(live.as_of, sinceMs);
});
