// The gateways: heard when, how far behind, what waits in them and what they have lost.

import { get } from './api.js';
import { byId, Rows, set, setCell, setCellMark } from './dom.js';
import { dateAndTime, duration, wallLater } from './format.js';
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
    if (gateway.online === null) setCellMark(row, 1, 'warn', text('online_unknown'));
    else if (!gateway.online) setCellMark(row, 1, 'bad', text('offline'));
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

// ---- what was lost, and what is kept aside; the newest of each, and older ones when somebody wants them ----

const listedMax = 1000; // of the API
const lists = { losses: new Rows(byId('losses')), quarantine: new Rows(byId('quarantine')) };
const when = (time) => (time ? dateAndTime(time) : '–');

function drawList(name, said, cellsOf) {
  const items = said[name];
  for (const item of items) {
    const row = lists[name].get(item);
    cellsOf(item).forEach((content, i) => setCell(row, i, content));
    byId(name).tBodies[0].append(row);
  }
  lists[name].keepOnly(items);
  byId(`no-${name}`).hidden = items.length > 0;
  byId(name).hidden = items.length === 0;
  const more = byId(`more-${name}`);
  more.hidden = said.next_before === null;
  set(more.firstElementChild, text('list_newest', { n: items.length }));
  more.lastElementChild.hidden = items.length >= listedMax;
}

function drawLosses(said) {
  drawList('losses', said, (l) => [when(l.recorded), l.gateway, when(l.from), when(l.to), l.readings === null ? '–' : String(l.readings), l.reason]);
}

function drawQuarantine(said) {
  drawList('quarantine', said, (q) => [when(q.recorded), q.gateway, q.reason]);
}

const draws = { losses: drawLosses, quarantine: drawQuarantine };
let now = null;
const reads = Object.keys(draws).map((name) => {
  let limit = 50;
  const read = new Read(30000, async () => {
    const said = await get(`/api/v1/${name}`, { limit });
    return () => draws[name](said);
  }, { age: name });
  byId(`more-${name}`).lastElementChild.onclick = () => {
    limit = Math.min(2 * limit, listedMax);
    read.again(now);
  };
  return read;
});

followLive(draw, (live, sinceMs) => {
  drawAges(live, sinceMs);
  now = wallLater(live.as_of, sinceMs);
  for (const read of reads) read.tick(now);
});
