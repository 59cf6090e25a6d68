import { Emitter } from '../client/emitter.js';
import { parsePoints, parseStroke } from './stroke_data.js';

const PEOPLE_MAX = 500;
const LINES_MAX = 20; // of one person: long ones come in parts
const LINE_POINTS_MAX = 5_000;
const LINE_IDLE_MS = 4_000;
const POINTER_IDLE_MS = 8_000;
const NAME_MAX = 24;

/**
 * What the others are doing right now, from their signals: names, pointers, lines that are being drawn. Signals may be
 * lost, late, or anything at all.
 *
 * Events: `lines`(), `pointers`(), `names`().
 */
export class LiveLines extends Emitter {
  #arrived;
  #now;
  /** @type {Map<string, {name?: string, at?: [number, number], seenMs: number, color?: string, lines: Map<number, object>}>} */
  #people = new Map();

  /**
   * @param {(client: string, op: number) => boolean} arrived Whether a stroke is in the drawing.
   * @param {() => number} [now] Milliseconds.
   */
  constructor(arrived, now = () => performance.now()) {
    super();
    this.#arrived = arrived;
    this.#now = now;
  }

  /** Lines that are being drawn, or were and are not in the drawing yet. @returns {object[]} */
  get lines() {
    return [...this.#people.values()].flatMap(({ lines }) => [...lines.values()].map(({ ink }) => ink));
  }

  /** @returns {{client: string, at: [number, number], drawing: boolean}[]} */
  get pointers() {
    const pointers = [];
    for (const [client, { at, lines }] of this.#people) {
      if (at) pointers.push({ client, at, drawing: [...lines.values()].some(({ ops }) => !ops) });
    }
    return pointers;
  }

  nameOf(client) {
    return this.#people.get(client)?.name;
  }

  /** @param {{client: string, data: unknown}} signal */
  take({ client, data }) {
    if (data === null || typeof data !== 'object') return;
    const person = this.#person(client);
    if (!person) return;
    this.#rename(person, data.n);
    if (data.t === 'at') this.#moved(person, [data.x, data.y]);
    else if (data.t === 'off') this.#moved(person, undefined);
    else if (data.t === 'line') this.#drawing(person, data);
    else if (data.t === 'up') this.#finished(client, person, data);
  }

  /** Someone left. */
  forget(client) {
    if (!this.#people.delete(client)) return;
    this.emit('lines');
    this.emit('pointers');
  }

  /** Strokes came into the drawing: their lines are done. */
  strokesArrived(strokes) {
    let changed = false;
    for (const client of new Set(strokes.map((stroke) => stroke.client))) {
      const person = this.#people.get(client);
      if (person) changed = this.#sweepArrived(client, person) || changed;
    }
    if (changed) this.emit('lines');
  }

  /** Forgets what was not heard of for long. To be called every second or so. */
  sweep() {
    const now = this.#now();
    let lines = false;
    let pointers = false;
    for (const person of this.#people.values()) {
      for (const [number, line] of person.lines) {
        if (now - line.seenMs > LINE_IDLE_MS) lines = person.lines.delete(number) || lines;
      }
      if (person.at && now - person.seenMs > POINTER_IDLE_MS) {
        person.at = undefined;
        pointers = true;
      }
    }
    if (lines) this.emit('lines');
    if (pointers) this.emit('pointers');
  }

  #person(client) {
    let person = this.#people.get(client);
    if (!person && this.#people.size < PEOPLE_MAX) {
      person = { seenMs: 0, lines: new Map() };
      this.#people.set(client, person);
    }
    return person;
  }

  #rename(person, name) {
    if (typeof name !== 'string') return;
    const clean = cleanName(name);
    if (!clean || clean === person.name) return;
    person.name = clean;
    this.emit('names');
  }

  #moved(person, at) {
    if (at && !parsePoints([at])) return;
    person.at = at;
    person.seenMs = this.#now();
    this.emit('pointers');
  }

  #drawing(person, { l: number, k, c, w, i, p }) {
    const ink = parseStroke({ t: k, c, w, p });
    if (!ink || !Number.isSafeInteger(number) || !Number.isSafeInteger(i) || i < 0) return;
    let line = person.lines.get(number);
    if (!line) {
      if (person.lines.size >= LINES_MAX) person.lines.delete(person.lines.keys().next().value);
      line = { ink: { ...ink, points: [] } };
      person.lines.set(number, line);
    }
    if (line.ops || line.ink.points.length + ink.points.length > LINE_POINTS_MAX) return;
    // All points of a line have pressure or none has: perfect-freehand takes the first one's word.
    if (line.ink.points.length && line.ink.points[0].length !== ink.points[0].length) return;
    line.ink = { ...line.ink, points: [...line.ink.points, ...ink.points] };
    line.seenMs = this.#now();
    this.#moved(person, ink.points[ink.points.length - 1].slice(0, 2));
    this.emit('lines');
  }

  #finished(client, person, { l: number, o: ops }) {
    const line = person.lines.get(number);
    if (!line || !Array.isArray(ops)) return;
    line.ops = ops.filter(Number.isSafeInteger);
    line.seenMs = this.#now();
    this.#sweepArrived(client, person);
    this.emit('lines');
  }

  #sweepArrived(client, person) {
    let changed = false;
    for (const [number, { ops }] of person.lines) {
      if (ops?.every((op) => this.#arrived(client, op))) changed = person.lines.delete(number);
    }
    return changed;
  }
}

/** A name as it is shown: short, without control characters. */
export function cleanName(name) {
  const plain = name.slice(0, 10 * NAME_MAX).replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}]/gu, '');
  return Array.from(plain.trim()).slice(0, NAME_MAX).join('');
}
