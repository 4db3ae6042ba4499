// Lists that the collector wrote into the page: they are read again while the page stands. They and the header say of when they are,
// which is a while ago where they cannot be read, or somebody is at work in them.

import { answerMs } from './api.js';
import { byId, set } from './dom.js';
import { clockTime, dateAndTime } from './format.js';
import { loadLanguage, text } from './i18n.js';
import { followLive } from './live.js';

const everyMs = 5000;

await loadLanguage();
let askedAt = performance.now();
let [asked, shown] = [0, 0];
let isOld = false;

// What is typed, or about to be, stays; and nothing is taken away below a finger.
function isInUse(lists) {
  const fields = [...lists.querySelectorAll('input:not([type=hidden])')];
  return lists.matches(':active') || fields.some((field) => field.value !== '' || field === document.activeElement);
}

const nameOf = (control) => control.getAttribute('href') ?? control.getAttribute('aria-label');

function replace(lists, said) {
  const focused = lists.contains(document.activeElement) ? nameOf(document.activeElement) : null;
  lists.replaceWith(document.adoptNode(said));
  if (focused !== null) [...said.querySelectorAll('a, button')].find((control) => nameOf(control) === focused)?.focus({ preventScroll: true });
}

// Also over the time of the event, which live.js has written into the header.
function tellAge() {
  const at = byId('lists').dataset.asOf;
  set(byId('as-of'), dateAndTime(at));
  byId('as-of').dateTime = at;
  const line = byId('lists-age');
  set(line, isOld ? text('lists_old', { time: dateAndTime(at) }) : `${text('as_of')} ${clockTime(at)}`);
  line.className = isOld ? 'mark-warn' : 'quiet';
}

async function readAgain() {
  const mine = ++asked;
  const answer = await fetch(location.href, { cache: 'no-store', signal: AbortSignal.timeout(answerMs) }).catch(() => null);
  const page = answer?.ok ? await answer.text().catch(() => '') : '';
  if (mine < shown) return; // a later one came before it
  const said = new DOMParser().parseFromString(page, 'text/html').getElementById('lists');
  const lists = byId('lists');
  const isSame = said?.innerHTML === lists.innerHTML;
  isOld = !said || (!isSame && isInUse(lists));
  if (!isOld) {
    shown = mine;
    if (isSame) lists.dataset.asOf = said.dataset.asOf;
    else replace(lists, said);
  }
  tellAge();
}

followLive(() => {
  const isDue = performance.now() - askedAt >= everyMs;
  if (isDue && shown < asked) isOld = true; // no answer yet
  tellAge();
  if (!isDue) return;
  askedAt = performance.now();
  readAgain();
});
