import { Emitter } from '../client/emitter.js';
import { Drawing } from '../client/inkmesh.js';
import { makeStroke, parseStroke, roundPoint, splitPoints } from './stroke_data.js';

const VIOLATIONS_MAX = 100;

/**
 * What is on the board: the drawing as the cluster has it, and what was drawn here and is not in it yet.
 *
 * Events: `painted`(same) the drawing changed, all but its first `same` strokes; `waiting`() what is not in it yet
 * changed; `arrived`(strokes) strokes came; `refused`(error).
 */
export class Board extends Emitter {
  #client;
  #subscription;
  #drawing = new Drawing();
  /** @type {Map<number, import('./stroke_data.js').Ink>} By op, those of this tab that are not in the drawing yet. */
  #waiting = new Map();
  /** Promises that a node broke, for whoever looks into it. @type {object[]} */
  violations = [];

  /**
   * @param {import('../client/inkmesh_client.js').InkmeshClient} client Ready.
   * @param {string} channel
   */
  constructor(client, channel) {
    super();
    this.channel = channel;
    this.#client = client;
    this.#subscription = client.subscribe(channel, { presence: true });
    this.#subscription.on('strokes', (strokes) => this.#arrived(strokes));
    this.#subscription.on('reset', () => this.#reset());
    client.on('refused', (entry, error) => this.#refused(entry, error));
    client.on('violation', (violation) => {
      if (this.violations.length < VIOLATIONS_MAX) this.violations.push(violation);
    });
    for (const { op, channel: where, data } of client.waiting) {
      const ink = where === channel ? parseStroke(data) : undefined;
      if (ink) this.#waiting.set(op, ink);
    }
  }

  get subscription() {
    return this.#subscription;
  }

  /** In painting order, each with its `ink` where it can be drawn. */
  get drawn() {
    return this.#drawing.strokes;
  }

  /** What was drawn here and is not in the drawing yet. */
  get waiting() {
    return [...this.#waiting.values()];
  }

  has(client, op) {
    return this.#drawing.has(client, op);
  }

  /**
   * Draws a line: on this screen at once, on all others as soon as a node takes it.
   *
   * @param {Omit<import('./stroke_data.js').Ink, 'points'>} style
   * @param {import('./stroke_data.js').Point[]} points
   * @returns {number[]} The ops that it was published with; more than one when it is very long.
   */
  draw(style, points) {
    return splitPoints(points.map(roundPoint)).map((piece) => this.#publish(makeStroke(style, piece)));
  }

  #publish(data) {
    const { op } = this.#client.publish(this.channel, data);
    const ink = parseStroke(data);
    if (ink) this.#waiting.set(op, ink);
    this.emit('waiting');
    return op;
  }

  #arrived(strokes) {
    let ours = false;
    for (const stroke of strokes) {
      stroke.ink = parseStroke(stroke.data);
      stroke.data = undefined; // the same points once more
      if (stroke.client === this.#client.client) ours = this.#waiting.delete(stroke.op) || ours;
    }
    const same = this.#drawing.add(strokes);
    this.emit('painted', same);
    if (ours) this.emit('waiting');
    this.emit('arrived', strokes);
  }

  #reset() {
    this.#drawing.clear();
    this.emit('painted', 0);
  }

  #refused({ op, channel, data }, error) {
    if (channel !== this.channel) return;
    this.#waiting.delete(op);
    // The number named other data already, so these were never stored: they get a number of their own.
    if (error.code === 'op_reused') this.#publish(data);
    else this.emit('refused', error);
    this.emit('waiting');
  }
}
