// Lists that the collector wrote into the page: they are read again while the page stands, and the header says of when.

import { answerMs } from './api.js';
import { byId } from './dom.js';
import { loadLanguage } from './i18n.js';
import { followLive } from './live.js';

const everyMs = 5000;

await loadLanguage();
let readAt = performance.now();

// Somebody is at work in it: what is typed or in focus stays as it is.
function isInUse(lists) {
  return lists.contains(document.activeElement) || [...lists.querySelectorAll('input:not([type=hidden])')].some((input) => input.value !== '');
}

async function readAgain() {
  const answer = await fetch(location.href, { cache: 'no-store', signal: AbortSignal.timeout(answerMs) }).catch(() => null);
  const page = answer?.ok ? await answer.text().catch(() => null) : null;
  if (page === null) return; // the pill says what the connection is like
  const said = new DOMParser().parseFromString(page, 'text/html').getElementById('lists');
  const lists = byId('lists');
  if (said && said.innerHTML !== lists.innerHTML && !isInUse(lists)) lists.replaceWith(document.adoptNode(said));
}

followLive(() => {
  if (performance.now() - readAt < everyMs) return;
  readAt = performance.now();
  readAgain();
});
