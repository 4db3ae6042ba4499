// Elements are kept and updated in place: focus, selection and curves survive.

export const byId = (id) => document.getElementById(id);

export function set(element, content) {
  if (element.textContent !== content) element.textContent = content;
}

export function make(tag, className, parent, content) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (content !== undefined) element.textContent = content;
  if (parent) parent.append(element);
  return element;
}

// What is of something else than `of`, which is asked for now, is taken away by `clear` until it is drawn again; `element` keeps what it is of.
export function clearUnless(element, of, clear) {
  if (element.dataset.of !== of) clear();
  element.dataset.of = of;
}

export function hideUnless(element, of) {
  clearUnless(element, of, () => {
    element.hidden = true;
  });
}

const icons = { good: '●', warn: '▲', bad: '✕', quiet: '○' };

// A state by icon and word as well as by colour.
export function setMark(element, kind, word) {
  set(element, `${icons[kind]} ${word}`);
  element.className = `mark-${kind}`;
}

// Things by their id, made where they are new and removed where they are gone.
export class Keyed {
  constructor(makeOne, rootOf = (thing) => thing) {
    this.known = new Map();
    this.makeOne = makeOne;
    this.rootOf = rootOf;
  }

  get(item) {
    if (!this.known.has(item.id)) this.known.set(item.id, this.makeOne(item));
    return this.known.get(item.id);
  }

  keepOnly(items) {
    const ids = new Set(items.map((item) => item.id));
    for (const [id, thing] of this.known)
      if (!ids.has(id)) {
        this.rootOf(thing).remove();
        this.known.delete(id);
      }
  }
}

// The rows of a table; each cell carries its column's title for the narrow layout.
export class Rows extends Keyed {
  constructor(table) {
    super((item) => {
      const row = make('tr', '', table.tBodies[0]);
      row.dataset.id = item.id;
      [...table.tHead.rows[0].cells].forEach((head, i) => {
        const cell = make(i === 0 ? 'th' : 'td', head.className, row);
        if (i === 0) cell.scope = 'row';
        else cell.dataset.title = head.textContent;
        make('span', '', cell);
      });
      make('span', 'id', row.cells[0]);
      return row;
    });
  }
}

export function setCell(row, index, content, className = '') {
  const span = row.cells[index].firstElementChild;
  set(span, content);
  if (span.className !== className) span.className = className;
}

export function setCellMark(row, index, kind, word) {
  setMark(row.cells[index].firstElementChild, kind, word);
}

// The head of a row as a link to what it is of; `choose`, where it is given, follows it here.
export function setHeadLink(row, name, href, choose) {
  const head = row.cells[0];
  if (head.firstElementChild.tagName !== 'A') head.firstElementChild.replaceWith(document.createElement('a'));
  const link = head.firstElementChild;
  set(link, name);
  if (link.getAttribute('href') !== href) link.href = href;
  if (!choose) return;
  link.onclick = (event) => {
    event.preventDefault();
    choose();
  };
}
