// The wall: beside the overview, every instrument with its state. It stands for days; the newest answer replaces the one before.

import { allInstruments } from './api.js';
import { byId, Keyed, make, set } from './dom.js';
import { loadLanguage, nameOf, text } from './i18n.js';
import { reads } from './overview.js';
import { Read } from './reads.js';

const shownMax = 24;
// What asks for somebody's eyes comes first.
const order = ['OUT_OF_SERVICE', 'UNKNOWN', 'IN_USE', 'AVAILABLE_DEGRADED', 'RESERVED', 'AVAILABLE_SHORT', 'AVAILABLE', 'CLOSED'];
const icons = { OUT_OF_SERVICE: '✕', UNKNOWN: '?', IN_USE: '▶', AVAILABLE_DEGRADED: '▲', RESERVED: '◷', AVAILABLE_SHORT: '✓', AVAILABLE: '✓', CLOSED: '○' };

performance.setResourceTimingBufferSize(0); // the browser would keep 250 of its requests, for nobody
await loadLanguage();

const items = new Keyed(
  () => {
    const root = make('li', '', byId('board'));
    return { root, name: make('span', 'name', root), state: make('span', 'state-word', root) };
  },
  (item) => item.root,
);

// Whole lines only: what does not fit is left out, from the end, and counted.
let shown = [];
let total = 0;

function fit() {
  const board = byId('board');
  for (const item of shown) item.root.hidden = false;
  let count = shown.length;
  const say = () => set(byId('board-rest'), total > count ? text('board_rest', { n: total - count }) : '');
  for (say(); count > 0 && board.scrollHeight > board.clientHeight; say()) shown[--count].root.hidden = true;
}

new ResizeObserver(fit).observe(byId('board'));

function draw(instruments) {
  const first = instruments.sort((a, b) => order.indexOf(a.status) - order.indexOf(b.status)).slice(0, shownMax);
  for (const instrument of first) {
    const item = items.get(instrument);
    set(item.name, nameOf(instrument));
    set(item.state, `${icons[instrument.status]} ${text(`state_${instrument.status}`)}`);
    item.root.dataset.status = instrument.status;
    byId('board').append(item.root);
  }
  items.keepOnly(first);
  shown = first.map((instrument) => items.get(instrument));
  total = instruments.length;
  fit();
}

async function ask() {
  const instruments = await allInstruments();
  return () => draw(instruments);
}

reads.push(new Read(15000, ask, { age: 'board' }));
