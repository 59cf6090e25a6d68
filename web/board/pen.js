import { Emitter } from '../client/emitter.js';
import { POINTS_MAX, roundPoint } from './stroke_data.js';

const STEP_MIN = 0.5; // board units between points

/**
 * One line after another, whatever moves it: a mouse, a finger, a stylus, the keyboard.
 *
 * Events: `moved`() the line that is being drawn changed; `drew`({style, points, line}) a line, or the first part of
 * one that goes on, is complete; `cancelled`(line).
 */
export class Pen extends Emitter {
  #style;
  #points = [];
  #line = 0;
  #down = false;

  /** The line that is being drawn, or undefined. */
  get ink() {
    return this.#down ? { ...this.#style, points: this.#points } : undefined;
  }

  get down() {
    return this.#down;
  }

  /** Counts lines; names the one that is being drawn. */
  get line() {
    return this.#line;
  }

  /**
   * @param {Omit<import('./stroke_data.js').Ink, 'points'>} style
   * @param {import('./stroke_data.js').Point} point
   */
  start(style, point) {
    if (this.#down) this.end();
    this.#style = style;
    this.#points = [roundPoint(point)];
    this.#down = true;
    ++this.#line;
    this.emit('moved');
  }

  /** @param {import('./stroke_data.js').Point[]} points */
  move(points) {
    if (!this.#down) return;
    for (const point of points) {
      const next = roundPoint(point);
      const last = this.#points[this.#points.length - 1];
      if (Math.hypot(next[0] - last[0], next[1] - last[1]) < STEP_MIN) continue;
      this.#points.push(next);
      if (this.#points.length >= POINTS_MAX) this.#goOn();
    }
    this.emit('moved');
  }

  end() {
    if (!this.#down) return;
    this.#down = false;
    this.emit('drew', { style: this.#style, points: this.#points, line: this.#line });
    this.emit('moved');
  }

  cancel() {
    if (!this.#down) return;
    this.#down = false;
    this.emit('cancelled', this.#line);
    this.emit('moved');
  }

  #goOn() {
    const last = this.#points[this.#points.length - 1];
    this.emit('drew', { style: this.#style, points: this.#points, line: this.#line });
    this.#points = [last];
    ++this.#line;
  }
}
