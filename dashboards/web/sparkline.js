// A small curve of the last minutes, kept in the page.

const svg = 'http://www.w3.org/2000/svg';
const keptMs = 10 * 60 * 1000;
const gapMs = 60 * 1000; // longer without a sample: nobody looked
const width = 300;
const height = 44;
const stepMs = keptMs / width;
const pixelOf = (timeMs) => Math.floor(timeMs / stepMs); // whose values replace each other, however many events there are

export class Sparkline {
  constructor(label) {
    this.samples = [];
    this.element = document.createElementNS(svg, 'svg');
    this.element.setAttribute('class', 'spark');
    this.element.setAttribute('viewBox', `0 0 ${width} ${height}`);
    this.element.setAttribute('preserveAspectRatio', 'none');
    this.element.setAttribute('role', 'img');
    this.element.setAttribute('aria-label', label);
  }

  // Times only grow. A value that is not known makes a gap, never a zero.
  add(timeMs, value) {
    const last = this.samples.at(-1);
    if (last && timeMs - last.timeMs > gapMs) this.samples.push({ timeMs: last.timeMs + stepMs, value: null });
    if (last && pixelOf(last.timeMs) === pixelOf(timeMs)) {
      last.timeMs = timeMs;
      if (last.value !== null) last.value = value; // where it was not known for a moment is one of the gap
    } else {
      this.samples.push({ timeMs, value });
    }
    while (this.samples[0].timeMs < timeMs - keptMs) this.samples.shift();
    this.draw();
  }

  draw() {
    const known = this.samples.filter((s) => s.value !== null).map((s) => s.value);
    this.element.replaceChildren();
    if (known.length < 2) return;
    const first = this.samples[0].timeMs;
    const span = Math.max(this.samples[this.samples.length - 1].timeMs - first, 1);
    // The scale leaves air around the curve, so that a steady load looks steady.
    const top = Math.max(...known);
    const bottom = Math.min(...known);
    const room = Math.max(top - bottom, 0.1 * Math.max(Math.abs(top), Math.abs(bottom)), 1);
    const middle = (top + bottom) / 2;
    const place = (s) => [
      ((s.timeMs - first) / span) * width,
      height / 2 - ((s.value - middle) / room) * (height - 8),
    ];
    for (const run of this.runs()) {
      const points = run.map(place);
      const line = points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ');
      const start = points[0][0].toFixed(1);
      const end = points[points.length - 1][0].toFixed(1);
      this.append('polygon', `${start},${height} ${line} ${end},${height}`);
      this.append('polyline', line);
    }
  }

  *runs() {
    let run = [];
    for (const sample of this.samples) {
      if (sample.value !== null) {
        run.push(sample);
      } else if (run.length > 0) {
        yield run;
        run = [];
      }
    }
    if (run.length > 0) yield run;
  }

  append(kind, points) {
    const shape = document.createElementNS(svg, kind);
    shape.setAttribute('points', points);
    this.element.append(shape);
  }
}
