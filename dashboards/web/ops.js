// The live overview: events in, the page out.

import { loadLanguage, translatePage } from './i18n.js';
import { openStream } from './stream.js';
import { draw, drawAges, drawConnection } from './view.js';

// Nothing new from any gateway for this long: the page says so, though the connection stands.
const quietMs = 120000;

await loadLanguage();
translatePage();

let live = null;
let receivedAt = 0; // performance.now(): the browser's clock may be wrong
let connection = 'wait';

function show() {
  const sinceMs = performance.now() - receivedAt;
  const isQuiet = connection === 'open' && live !== null && Date.parse(live.as_of) - Date.parse(live.made) + sinceMs > quietMs;
  drawConnection(isQuiet ? 'quiet' : connection, live);
  if (live) drawAges(live, sinceMs);
}

openStream('/api/v1/stream', {
  onData(data) {
    live = data;
    receivedAt = performance.now();
    connection = 'open';
    draw(live);
    show();
  },
  onState(state) {
    connection = state;
    show();
  },
  onSignedOut() {
    location.assign(`/login?next=${encodeURIComponent(location.pathname)}`);
  },
});
show();
setInterval(show, 1000);
