// The texts of the page in its language, which the server chose: <html lang>. Nothing is stored on the visitor's machine.

const language = document.documentElement.lang === 'en' ? 'en' : 'zh';
const catalogues = { zh: '/assets/zh-CN.json', en: '/assets/en.json' };
let texts = {};

export async function loadLanguage() {
  const answer = await fetch(catalogues[language]);
  if (!answer.ok) throw new Error(`${catalogues[language]}: ${answer.status}`);
  texts = await answer.json();
}

// For addresses: ?lang=
export function languageName() {
  return language;
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
