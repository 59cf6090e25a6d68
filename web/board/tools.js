import { Emitter } from '../client/emitter.js';

export const COLORS = [
  { name: 'Ink', value: '#1c1e26' },
  { name: 'Grey', value: '#8a8f9c' },
  { name: 'Red', value: '#e5383b' },
  { name: 'Orange', value: '#f48c06' },
  { name: 'Yellow', value: '#f9c80e' },
  { name: 'Green', value: '#2a9d5c' },
  { name: 'Blue', value: '#2667ff' },
  { name: 'Violet', value: '#8338ec' },
  { name: 'Pink', value: '#ef5da8' },
];

export const WIDTHS = [
  { name: 'Fine', value: 3 },
  { name: 'Medium', value: 6 },
  { name: 'Broad', value: 12 },
  { name: 'Heavy', value: 24 },
];

const ERASER_FACTOR = 6;
const KEPT_AS = 'inkmesh.tools';

/** What the pen draws with. Kept for the next visit. Event: `changed`(). */
export class Tools extends Emitter {
  #kept;
  kind = 'pen';
  color = COLORS[0].value;
  width = WIDTHS[1].value;

  /** @param {globalThis.Storage | undefined} kept */
  constructor(kept) {
    super();
    this.#kept = kept;
    try {
      const { color, width } = JSON.parse(kept?.getItem(KEPT_AS) ?? '{}');
      if (COLORS.some(({ value }) => value === color)) this.color = color;
      if (WIDTHS.some(({ value }) => value === width)) this.width = width;
    } catch {
      kept?.removeItem(KEPT_AS); // not ours, or older: start with the first colour
    }
  }

  /**
   * @param {boolean} [erase] Whatever the tool is.
   * @returns {{kind: 'pen' | 'erase', color: string, width: number}}
   */
  style(erase = false) {
    const { color, width } = this;
    return erase || this.kind === 'erase'
      ? { kind: 'erase', color, width: width * ERASER_FACTOR }
      : { kind: 'pen', color, width };
  }

  choose(change) {
    Object.assign(this, change);
    if (change.color) this.kind = 'pen';
    this.#kept?.setItem(KEPT_AS, JSON.stringify({ color: this.color, width: this.width }));
    this.emit('changed');
  }

  /** The next wider or finer one. */
  stepWidth(by) {
    const i = WIDTHS.findIndex(({ value }) => value === this.width);
    const next = WIDTHS[Math.min(Math.max(i + by, 0), WIDTHS.length - 1)];
    this.choose({ width: next.value });
  }
}
