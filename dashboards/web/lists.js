// Lists that the collector wrote into the page: they are read again while the page stands. They and the header say of when they are,
// which is a while ago where they cannot be read, or somebody is at work in them.

import { answerMs, ApiError } from './api.js';
import { byId, set } from './dom.js';
import { clockTime, dateAndTime, offset } from './format.js';
import { languageName, loadLanguage, text } from './i18n.js';
import { followLive } from './live.js';
import { Read, sayOld } from './reads.js';

await loadLanguage();

// What is typed, or about to be, stays; and nothing is taken away below a finger.
function isInUse(lists) {
  const fields = [...lists.querySelectorAll('input:not([type=hidden])')];
  return lists.matches(':active') || fields.some((field) => field.value !== '' || field === document.activeElement);
}

// Who gives a note up leaves its field, and the list goes on.
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || event.isComposing || !event.target.matches('#lists input')) return;
  event.target.value = '';
  event.target.form.querySelector('button').focus();
});

// Rows may lead to the same page; each has its number.
const nameOf = (control) => [control.closest('tr')?.cells[0].textContent, control.getAttribute('href') ?? control.getAttribute('aria-label')].join(' ');

function replace(lists, said) {
  const focused = lists.contains(document.activeElement) ? nameOf(document.activeElement) : null;
  lists.replaceWith(document.adoptNode(said));
  if (focused !== null) [...said.querySelectorAll('a, button')].find((control) => nameOf(control) === focused)?.focus({ preventScroll: true });
}

// In the language of the page: what a form answered has none in its address.
function here() {
  const url = new URL(location.href);
  url.searchParams.set('lang', languageName());
  return url;
}

async function ask() {
  const answer = await fetch(here(), { cache: 'no-store', signal: AbortSignal.timeout(answerMs) }).catch(() => null);
  const page = answer?.ok ? await answer.text().catch(() => '') : '';
  const said = new DOMParser().parseFromString(page, 'text/html').getElementById('lists');
  if (!said) throw new ApiError(`${location.pathname}: ${answer?.status}`);
  const lists = byId('lists');
  if (said.innerHTML !== lists.innerHTML) return isInUse(lists) ? null : () => replace(lists, said);
  return () => {
    lists.dataset.asOf = said.dataset.asOf;
  };
}

const read = new Read(5000, ask, { asOf: byId('lists').dataset.asOf });

// Also over the time of the event, which live.js has written into the header.
function sayAge() {
  const at = byId('lists').dataset.asOf;
  set(byId('as-of'), dateAndTime(at));
  byId('as-of').dateTime = at;
  const line = byId('lists-age');
  if (read.isOld) {
    sayOld(line, at);
    return;
  }
  set(line, `${text('as_of')} ${clockTime(at)}${offset(at)}`);
  line.className = 'quiet';
}

followLive(sayAge, (live) => {
  read.tick(live.as_of);
  sayAge();
});
