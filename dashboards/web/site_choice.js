// Which site is looked at, where the park has several: as the address says, else the first.

import { byId } from './dom.js';
import { nameOf } from './i18n.js';

export function chosenSite(sites) {
  const asked = new URLSearchParams(location.search).get('site');
  return sites.find(({ id }) => id === asked) ?? sites[0];
}

// Its control; `things` are parameters of the address that are things of one site.
export function makeSiteChoice(sites, things) {
  const select = byId('site');
  for (const site of sites) select.add(new Option(nameOf(site), site.id));
  select.value = chosenSite(sites)?.id ?? '';
  byId('site-choice').hidden = sites.length < 2;
  select.addEventListener('change', () => {
    const asked = new URLSearchParams(location.search);
    for (const name of things) asked.delete(name);
    asked.set('site', select.value);
    location.search = asked;
  });
}
