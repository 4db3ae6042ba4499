// Language: ?lang= of the address, else the browser's; nothing is stored on the visitor's machine.

const catalogues = { zh: '/assets/zh-CN.json', en: '/assets/en.json' };
const tags = { zh: 'zh-CN', en: 'en' };
let texts = {};
let language = 'zh';

export function chooseLanguage(search, preferred) {
  const asked = new URLSearchParams(search).get('lang');
  if (asked === 'zh' || asked === 'en') return asked;
  for (const tag of preferred) {
    const lower = tag.toLowerCase();
    if (lower.startsWith('zh')) return 'zh';
    if (lower.startsWith('en')) return 'en';
  }
  return 'en';
}

export async function loadLanguage() {
  language = chooseLanguage(location.search, navigator.languages);
  document.documentElement.lang = tags[language];
  const answer = await fetch(catalogues[language]);
  if (!answer.ok) throw new Error(`${catalogues[language]}: ${answer.status}`);
  texts = await answer.json();
}

// The text of a key; {name} is replaced by values.name.
export function text(key, values = {}) {
  const found = texts[key];
  if (found === undefined) return key;
  return found.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

export function hasText(key) {
  return texts[key] !== undefined;
}

// The name of a thing of the park model in the page's language.
export function nameOf(thing) {
  return (language === 'en' ? thing.name_en || thing.name : thing.name || thing.name_en) || thing.id;
}

export function translatePage() {
  for (const element of document.querySelectorAll('[data-text]')) element.textContent = text(element.dataset.text);
  for (const element of document.querySelectorAll('[data-label]'))
    element.setAttribute('aria-label', text(element.dataset.label));
  for (const link of document.querySelectorAll('[data-lang]'))
    if (link.dataset.lang === language) link.setAttribute('aria-current', 'true');
}
