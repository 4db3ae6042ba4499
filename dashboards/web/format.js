// Figures as people read them. Registers stay integers to the last digit: no floating point touches them.

import { text } from './i18n.js';

const units = {
  Wh: { unit: 'kWh', decimals: 3, shown: 3 },
  J: { unit: 'MJ', decimals: 6, shown: 3 },
  L: { unit: 'm³', decimals: 3, shown: 3 },
};

function group(digits) {
  return digits.replace(/\B(?=(\d{3})+$)/g, ',');
}

// An integer count of base units, exactly: 123456789 Wh -> "123,456.789". At least `shown` decimals, more where they are not zero.
export function register(count, base) {
  const { unit, decimals, shown } = units[base];
  const digits = BigInt(count).toString().replace('-', '').padStart(decimals + 1, '0');
  let fraction = digits.slice(-decimals);
  while (fraction.length > shown && fraction.endsWith('0')) fraction = fraction.slice(0, -1);
  return { value: `${count < 0 ? '−' : ''}${group(digits.slice(0, -decimals))}.${fraction}`, unit };
}

// Watts as kW with two decimals.
export function kilowatts(watts) {
  const [whole, fraction] = (Math.abs(watts) / 1000).toFixed(2).split('.');
  const isZero = Number(whole) === 0 && Number(fraction) === 0;
  return `${watts < 0 && !isZero ? '−' : ''}${group(whole)}.${fraction}`;
}

export function duration(ms) {
  const s = Math.floor(ms / 1000);
  if (s < 120) return text('seconds', { n: s });
  if (s < 2 * 3600) return text('minutes', { n: Math.floor(s / 60) });
  if (s < 48 * 3600) return text('hours', { n: Math.floor(s / 3600) });
  return text('days', { n: Math.floor(s / 86400) });
}

// The wall time written in an RFC 3339 text: the park's, whatever zone the browser is in.
export function clockTime(rfc3339) {
  return rfc3339.slice(11, 19);
}

// The same clock, so much later.
export function wallLater(rfc3339, ms) {
  return new Date(Date.parse(`${rfc3339.slice(0, 19)}Z`) + ms).toISOString().slice(0, 19) + rfc3339.slice(19);
}

let hasZones = false;

// Where the sites of a park have clocks of their own, a time says its offset: without, it may be that of another.
export function knowSites(sites) {
  hasZones = new Set(sites.map((site) => site.zone)).size > 1;
}

export function offset(rfc3339) {
  return hasZones ? ` ${rfc3339.slice(19).replace(/^[.\d]+/, '').replace('Z', 'UTC')}` : '';
}

export function dateAndTime(rfc3339) {
  return `${rfc3339.slice(0, 10)} ${clockTime(rfc3339)}${offset(rfc3339)}`;
}

// An amount of the API, a decimal text, rounded half up and with its thousands grouped: "1286.65" -> "1,286.7"; what is less than one
// to the thousandth, a litre or watt-hour: "0.0425" -> "0.043".
export function amount(decimal, places = Math.abs(Number(decimal)) < 1 && Number(decimal) !== 0 ? 3 : 1) {
  const [whole, fraction = ''] = decimal.replace('-', '').split('.');
  const kept = BigInt(whole + fraction.padEnd(places, '0').slice(0, places)) + (fraction[places] >= '5' ? 1n : 0n);
  const digits = kept.toString().padStart(places + 1, '0');
  return `${decimal.startsWith('-') && kept !== 0n ? '−' : ''}${group(digits.slice(0, digits.length - places))}${places ? `.${digits.slice(-places)}` : ''}`;
}

export function percent(share, places = 1) {
  const [whole, fraction] = (100 * share).toFixed(places).split('.');
  return `${group(whole)}${fraction ? `.${fraction}` : ''} %`;
}

// A decimal of the API in a table: its thousands grouped, at most three decimals. What is no number stays.
export function figure(value) {
  const decimal = /^-?\d+(?:\.(\d+))?$/.exec(value);
  return decimal ? amount(value, Math.min(3, decimal[1]?.length ?? 0)) : value;
}
