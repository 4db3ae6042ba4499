// What the API says. Whoever is not signed in any more is sent to do so.

import { languageName, text } from './i18n.js';

export class ApiError extends Error {}

// Longer than any answer takes: on a connection that is gone, and nobody said so, none comes.
export const answerMs = 120000;

const longestWayBack = 256;

// To sign in, in this page's language, and back here, with as much of the address as a way back may have: no search in Chinese, say.
export function signIn() {
  const asked = [...new URLSearchParams(location.search)].filter((pair) => pair.every((word) => /^[\w.-]+$/.test(word)));
  const whole = asked.length > 0 ? `${location.pathname}?${new URLSearchParams(asked)}` : location.pathname;
  const next = whole.length <= longestWayBack ? whole : location.pathname;
  location.assign(`/login?${new URLSearchParams({ next, lang: languageName() })}`);
}

export async function get(path, parameters = {}) {
  const url = new URL(path, location.origin);
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined && value !== null) url.searchParams.set(name, value);
  let answer;
  try {
    answer = await fetch(url, { headers: { accept: 'application/json' }, signal: AbortSignal.timeout(answerMs) });
  } catch (error) {
    console.info(`${url.pathname}: ${error.message}`);
    throw new ApiError(text('no_answer')); // the browser's words are of its language
  }
  if (answer.status === 401) signIn();
  const said = await answer.json().catch(() => null);
  if (!answer.ok || said === null) throw new ApiError(said?.error?.message ?? `${url.pathname}: ${answer.status}`);
  return said;
}

// Every instrument, in the order of the park model.
export async function allInstruments() {
  const instruments = [];
  for (let after; ; ) {
    const said = await get('/api/v1/instruments', { limit: 500, after });
    instruments.push(...said.instruments);
    if (!said.next) return instruments;
    after = said.next;
  }
}
