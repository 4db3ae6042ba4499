// What a page asks for again and again while it is looked at. No answer replaces that to a later question. What cannot be read leaves what is
// shown, which says of when it is once it is older than two of its intervals; where nothing was read yet, that is said at once.

import { ApiError } from './api.js';
import { set, setMark } from './dom.js';
import { dateAndTime, wallLater } from './format.js';
import { text } from './i18n.js';

export function sayOld(element, asOf) {
  setMark(element, 'warn', text('old', { time: dateAndTime(asOf) }));
}

export class Read {
  // `ask()` brings what draws its answer, or null: not now. Elements with data-age="`age`" say that what is shown is old, or that nothing
  // can be read, and else nothing. `tell` is called with what is wrong where it cannot be read, and with '' where it can. `asOf`: of what stands there already.
  constructor(everyMs, ask, { age = null, tell = () => {}, asOf = null } = {}) {
    this.everyMs = everyMs;
    this.ask = ask;
    this.ages = age === null ? [] : [...document.querySelectorAll(`[data-age="${age}"]`)];
    this.tell = tell;
    this.asked = 0;
    this.drawn = 0;
    this.fails = false; // since something was read, or wanted
    // By the browser's steady clock: that of the park may be set back.
    this.askedAt = asOf === null ? -Infinity : performance.now();
    this.shown = asOf === null ? null : { asOf, at: this.askedAt };
  }

  get isOld() {
    return this.shown !== null && performance.now() - this.shown.at > 2 * this.everyMs;
  }

  // Each second; `asOf` was the park's time `sinceMs` ago.
  tick(asOf, sinceMs = 0) {
    if (!document.hidden && performance.now() - this.askedAt >= this.everyMs) this.again(wallLater(asOf, sinceMs));
    this.sayAge();
  }

  async again(asOf) {
    const at = performance.now();
    this.askedAt = at;
    const mine = ++this.asked;
    try {
      const draw = await this.ask();
      if (mine < this.drawn) return;
      this.fails = false;
      this.tell('');
      if (draw === null) return;
      this.drawn = mine;
      this.shown = { asOf, at };
      this.sayAge();
      await draw();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      console.info(error.message);
      if (mine < this.drawn) return;
      this.fails = true;
      this.tell(error.message);
      this.sayAge();
    }
  }

  // What was asked for so far is no more what is wanted: that is asked for at the next tick.
  forget() {
    this.askedAt = -Infinity;
    this.drawn = this.asked + 1;
    this.shown = null;
    this.fails = false;
    this.tell('');
    this.sayAge();
  }

  sayAge() {
    const { isOld } = this;
    for (const element of this.ages) {
      if (isOld) sayOld(element, this.shown.asOf);
      else if (this.shown === null && this.fails) setMark(element, 'warn', text('unread'));
      else set(element, '');
    }
  }
}
