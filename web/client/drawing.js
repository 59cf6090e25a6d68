/**
 * A stroke as it comes from a node.
 *
 * @typedef {object} Stroke
 * @property {string} origin
 * @property {number} seq
 * @property {number} ts
 * @property {string} client
 * @property {number} op
 * @property {unknown} data
 */

/**
 * The order in which every screen paints: (ts, origin, seq), origins as plain strings.
 *
 * @param {Stroke} a
 * @param {Stroke} b
 * @returns {number} Below 0: a before b.
 */
export function compareStrokes(a, b) {
  if (a.ts !== b.ts) return a.ts - b.ts;
  if (a.origin !== b.origin) return a.origin < b.origin ? -1 : 1;
  return a.seq - b.seq;
}

const opKey = (client, op) => `${client} ${op}`;

/**
 * The strokes of one channel in painting order, each (client, op) once: at the lowest of its copies.
 */
export class Drawing {
  /** @type {Stroke[]} */
  #strokes = [];
  /** @type {Map<string, Stroke>} */
  #byOp = new Map();

  /** In painting order. Not to be changed. @returns {readonly Stroke[]} */
  get strokes() {
    return this.#strokes;
  }

  /** Whether a copy of a publish is here. */
  has(client, op) {
    return this.#byOp.has(opKey(client, op));
  }

  clear() {
    this.#strokes = [];
    this.#byOp.clear();
  }

  /**
   * Takes strokes in any order. Another copy of a stroke changes nothing, unless it is a lower one: then the stroke
   * moves there.
   *
   * @param {Iterable<Stroke>} strokes
   * @returns {number} How many strokes, from the first on, are still what they were: those need no repainting.
   */
  add(strokes) {
    const added = new Set();
    const moved = new Set();
    for (const stroke of strokes) {
      const key = opKey(stroke.client, stroke.op);
      const known = this.#byOp.get(key);
      if (known && compareStrokes(known, stroke) <= 0) continue;
      if (known && !added.delete(known)) moved.add(known);
      this.#byOp.set(key, stroke);
      added.add(stroke);
    }
    const fresh = [...added].sort(compareStrokes);
    if (fresh.length === 0) return this.#strokes.length;
    // A copy that moves goes to a lower place, so that nothing before the first fresh one changes.
    const kept = this.#placeOf(fresh[0]);
    const tail = this.#strokes.splice(kept).filter((stroke) => !moved.has(stroke));
    for (const stroke of merge(tail, fresh)) this.#strokes.push(stroke);
    return kept;
  }

  /** Where a stroke stands, or would stand. */
  #placeOf(stroke) {
    let low = 0;
    let high = this.#strokes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareStrokes(this.#strokes[middle], stroke) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function* merge(a, b) {
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (j === b.length || (i < a.length && compareStrokes(a[i], b[j]) < 0)) yield a[i++];
    else yield b[j++];
  }
}
