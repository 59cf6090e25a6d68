/**
 * Where strokes are painted on.
 *
 * @typedef {object} Surface
 * @property {() => void} clear
 * @property {(stroke: object) => void} paint
 * @property {() => unknown} copy What is painted now.
 * @property {(copy: any) => void} restore
 * @property {(copy: any) => void} free
 */

const EVERY = 200;
const KEPT_MAX = 6;

/**
 * Strokes painted in their order. When one comes that sorts before others that are painted already, it repaints from
 * there and no further back than a copy that it kept: the picture is always what painting all from the start would give.
 */
export class Picture {
  #surface;
  #every;
  #keptMax;
  #strokes = [];
  #painted = 0;
  /** @type {{count: number, copy: unknown}[]} Copies after so many strokes, ascending. */
  #kept = [];

  /**
   * @param {Surface} surface
   * @param {object} [options]
   * @param {number} [options.every] Strokes between copies.
   * @param {number} [options.keptMax] Copies at most.
   */
  constructor(surface, { every = EVERY, keptMax = KEPT_MAX } = {}) {
    this.#surface = surface;
    this.#every = every;
    this.#keptMax = keptMax;
    surface.clear();
  }

  /** How many strokes are painted, of those that it was given. */
  get painted() {
    return this.#painted;
  }

  get done() {
    return this.#painted === this.#strokes.length;
  }

  /** After how many strokes it has copies. */
  get copies() {
    return this.#kept.map(({ count }) => count);
  }

  /**
   * @param {readonly object[]} strokes All of them, in order. Read until the next update.
   * @param {number} same How many, from the first on, are what they were at the last update.
   */
  update(strokes, same) {
    this.#strokes = strokes;
    if (same >= this.#painted) return;
    while (this.#kept.length && this.#kept[this.#kept.length - 1].count > same)
      this.#surface.free(this.#kept.pop().copy);
    const from = this.#kept[this.#kept.length - 1];
    if (from) this.#surface.restore(from.copy);
    else this.#surface.clear();
    this.#painted = from?.count ?? 0;
  }

  /**
   * Paints on until all is painted or time is up.
   *
   * @param {() => boolean} [timeIsUp] Asked after each stroke.
   */
  paint(timeIsUp = () => false) {
    while (!this.done) {
      this.#surface.paint(this.#strokes[this.#painted]);
      ++this.#painted;
      if (this.#painted % this.#every === 0) this.#keep();
      if (timeIsUp()) return;
    }
  }

  #keep() {
    if (this.#kept[this.#kept.length - 1]?.count === this.#painted) return;
    if (this.#kept.length === this.#keptMax) this.#surface.free(this.#kept.splice(this.#leastUseful(), 1)[0].copy);
    this.#kept.push({ count: this.#painted, copy: this.#surface.copy() });
  }

  /** Copies stand the closer, the nearer the end: most strokes that come late are not very late. */
  #leastUseful() {
    let least = 0;
    let leastCost = Infinity;
    for (const [i, { count }] of this.#kept.entries()) {
      const before = this.#kept[i - 1]?.count ?? 0;
      const after = this.#kept[i + 1]?.count ?? this.#painted;
      const cost = (after - before) / (this.#painted - count + 1);
      if (cost < leastCost) [least, leastCost] = [i, cost];
    }
    return least;
  }
}
