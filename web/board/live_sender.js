import { Alarm, systemClock } from '../client/clock.js';

const EVERY_MS = 33; // 30 signals a second: the node takes 200, and others' screens need no more
const NAME_EVERY_MS = 2_000;
const INTRODUCE_MS = 600;
const POINTS_MAX = 200; // of one signal

/**
 * Tells the others on the board where the pointer is and what line is being drawn, as signals:
 * `{t:"at", x, y}` the pointer is there; `{t:"off"}` it left; `{t:"line", l, k, c, w, i, p}` points of line number `l`
 * from its `i`-th on; `{t:"up", l, o}` that line is done, and was published as the ops `o` (none: it was taken back);
 * `{t:"me"}` hello. Any of them may carry `n`, a name.
 */
export class LiveSender {
  #send;
  #clock;
  #pen;
  #name;
  #alarm;
  #introduction;
  #place;
  #placeSent = true;
  #line = 0;
  #sentPoints = 0;
  #namedAt = -Infinity;

  /**
   * @param {(data: object) => boolean} send
   * @param {import('./pen.js').Pen} pen
   * @param {() => string} name
   * @param {import('../client/clock.js').Clock} [clock]
   */
  constructor(send, pen, name, clock = systemClock) {
    this.#send = send;
    this.#pen = pen;
    this.#name = name;
    this.#clock = clock;
    this.#alarm = new Alarm(clock, () => this.#flush());
    this.#introduction = new Alarm(clock, () => this.#sendNamed({ t: 'me' }, true));
    pen.on('moved', () => this.#alarm.setAtMost(EVERY_MS));
    pen.on('cancelled', (line) => this.finished(line, []));
  }

  /** @param {[number, number] | undefined} place Of the pointer, in board units; undefined: it left. */
  hover(place) {
    this.#place = place;
    this.#placeSent = false;
    this.#alarm.setAtMost(EVERY_MS);
  }

  /** A line is published as these ops. */
  finished(line, ops) {
    this.#sendNamed({ t: 'up', l: line, o: ops });
  }

  /** Says hello soon; by chance, because others do too. */
  introduce() {
    this.#introduction.setAtMost(this.#clock.random() * INTRODUCE_MS);
  }

  #flush() {
    if (this.#pen.down) {
      this.#sendPoints();
      this.#placeSent = true;
      return;
    }
    if (this.#placeSent) return;
    this.#placeSent = true;
    const place = this.#place;
    this.#sendNamed(place ? { t: 'at', x: Math.round(place[0]), y: Math.round(place[1]) } : { t: 'off' });
  }

  #sendPoints() {
    const ink = this.#pen.ink;
    if (!ink) return;
    if (this.#pen.line !== this.#line) [this.#line, this.#sentPoints] = [this.#pen.line, 0];
    const points = ink.points.slice(this.#sentPoints, this.#sentPoints + POINTS_MAX);
    if (!points.length) return;
    const { kind, color, width } = ink;
    this.#sendNamed({ t: 'line', l: this.#line, k: kind, c: color, w: width, i: this.#sentPoints, p: points });
    this.#sentPoints += points.length;
    if (this.#sentPoints < ink.points.length) this.#alarm.setAtMost(EVERY_MS);
  }

  #sendNamed(signal, always = false) {
    const now = this.#clock.now();
    const named = always || now - this.#namedAt >= NAME_EVERY_MS;
    if (this.#send(named ? { ...signal, n: this.#name() } : signal) && named) this.#namedAt = now;
  }
}
