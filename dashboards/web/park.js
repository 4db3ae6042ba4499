// The names of the park's things, and how its meters hang together.

import { get } from './api.js';
import { nameOf, text } from './i18n.js';

export async function loadPark() {
  const park = await get('/api/v1/park');
  const byId = (things) => new Map(things.map((thing) => [thing.id, thing]));
  return { ...park, byId: { building: byId(park.buildings), tenant: byId(park.tenants), item: byId(park.items), space: byId(park.spaces), meter: byId([...park.meters, ...park.virtual_meters]) } };
}

// What a row of /api/v1/energy is of, in words.
export function nameOfRow(park, by, row) {
  if (by === 'carrier') return text(`carrier_${row.id}`);
  if (row.id === null) return text(`no_${by}`);
  const thing = park.byId[by].get(row.id);
  const name = thing ? nameOf(thing) : row.id;
  return row.kind === 'gap' ? text('gap_of', { name }) : name;
}

// Which question brings it again.
export const ofRow = (row) => (row.kind === 'part' ? 'parts' : 'groups');

export function placeOfRow(park, by, row) {
  if (by !== 'meter') return [row.id, row.takes_off && text('takes_off')].filter(Boolean).join(' · ');
  const building = park.byId.building.get(park.byId.meter.get(row.id)?.building);
  return building ? `${nameOf(building)} · ${row.id}` : row.id;
}
