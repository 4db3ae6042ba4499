// The park as it is now, by events: what every page of operators says of its connection, its age and the health of the collector.

import { signIn } from './api.js';
import { byId, make, set } from './dom.js';
import { clockTime, dateAndTime, duration, knowSites, wallLater } from './format.js';
import { hasText, text } from './i18n.js';
import { openStream } from './stream.js';

// Nothing new from any gateway for this long: the page says so, though the connection stands.
const quietMs = 120000;

// A connection that is back within this was hardly lost.
const lostMs = 10000;

// As long as the health of the collector says so, too.
const lossesMs = 7 * 86400000;
export const lostLately = (gateway, live) => gateway.lost_newest !== null && Date.parse(gateway.lost_newest) > Date.parse(live.as_of) - lossesMs;

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
  if (lines.join('\n') !== byId('reasons').dataset.lines) {
    byId('reasons').dataset.lines = lines.join('\n');
    byId('reasons').replaceChildren(...lines.map((line) => make('li', '', null, line)));
  }
  health.reasons.forEach((reason, i) => {
    byId('reasons').children[i].title = reason.message;
  });
}

// `state`: wait, open, deaf (nothing can arrive), quiet or lost.
function drawConnection(state, live) {
  const time = live ? clockTime(state === 'quiet' ? live.made : live.as_of) : '';
  const kinds = { wait: 'wait', open: 'good', deaf: 'warn', quiet: 'warn', lost: 'bad' };
  const words = {
    wait: 'connecting',
    open: 'connected',
    deaf: 'connected_deaf',
    quiet: 'connection_quiet',
    lost: live ? 'connection_lost' : 'connection_lost_no_data',
  };
  const pill = byId('connection');
  pill.className = `pill pill-${kinds[state]}`;
  pill.dataset.state = state;
  set(byId('connection-text'), text(words[state], { time }));
}

// What stands there is of then, not of now: unmistakable, also across a room.
function drawStale(state, live, sinceMs) {
  const isStale = live !== null && (state === 'quiet' || (state === 'lost' && sinceMs >= lostMs));
  document.body.classList.toggle('stale', isStale);
  byId('stale').hidden = !isStale;
  if (!isStale) return;
  const time = state === 'quiet' ? live.made : live.as_of;
  const ageMs = Date.parse(live.as_of) - Date.parse(time) + sinceMs;
  const isToday = wallLater(time, ageMs).slice(0, 10) === time.slice(0, 10);
  set(byId('stale'), `▲ ${text(`as_of_${state}`, { time: isToday ? clockTime(time) : dateAndTime(time), age: duration(ageMs) })}`);
}

function stateOf(connection, live, sinceMs) {
  if (connection !== 'open' || live === null) return connection;
  if (Date.parse(live.as_of) - Date.parse(live.made) + sinceMs > quietMs) return 'quiet';
  return live.health.reasons.some((r) => r.code === 'broker_disconnected') ? 'deaf' : 'open';
}

// `draw(live)` at each event; `drawAges(live, sinceMs)` each second between: ages grow also while the connection is lost.
export function followLive(draw, drawAges = () => {}) {
  let live = null;
  let receivedAt = 0; // performance.now(): the browser's clock may be wrong
  let connection = 'wait';

  function show() {
    const sinceMs = performance.now() - receivedAt;
    const state = stateOf(connection, live, sinceMs);
    drawConnection(state, live);
    drawStale(state, live, sinceMs);
    if (live) drawAges(live, sinceMs);
  }

  openStream('/api/v1/stream', {
    onData(data) {
      live = data;
      receivedAt = performance.now();
      connection = 'open';
      knowSites(live.sites);
      set(byId('as-of'), dateAndTime(live.as_of));
      byId('as-of').dateTime = live.as_of;
      drawHealth(live.health);
      draw(live);
      show();
    },
    onState(state) {
      connection = state;
      show();
    },
    onSignedOut: signIn,
  });
  byId('state').hidden = false;
  show();
  setInterval(show, 1000);
}
