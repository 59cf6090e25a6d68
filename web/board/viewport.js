import { Emitter } from '../client/emitter.js';
import { BOARD } from './stroke_data.js';

const ZOOM_MAX = 6;
const ZOOM_OUT = 0.5; // of what fits
const SMALL = 0.42; // below this scale the whole sheet is too small to draw on
const REST = 80; // pixels of the sheet that stay in sight

/**
 * Where the sheet lies on the stage, and how large. Event: `changed`().
 */
export class Viewport extends Emitter {
  #stage;
  #sheet;
  #insets;
  #scale = 1;
  #x = 0;
  #y = 0;
  #fitted = true;

  /**
   * @param {HTMLElement} stage
   * @param {HTMLElement} sheet Lies at the stage's top left corner, unscaled.
   * @param {() => {top: number, right: number, bottom: number, left: number}} insets What the bars cover, in pixels.
   */
  constructor(stage, sheet, insets) {
    super();
    this.#stage = stage;
    this.#sheet = sheet;
    this.#insets = insets;
    new ResizeObserver(() => (this.#fitted ? this.fit() : this.#apply())).observe(stage);
    this.fit();
  }

  get scale() {
    return this.#scale;
  }

  /** The whole sheet between the bars; on a small upright screen as high as it can be, with its sides out of sight. */
  fit() {
    const { width, height, left, top } = this.#room();
    const whole = Math.min(width / BOARD.width, height / BOARD.height);
    this.#scale = whole >= SMALL || width >= height ? whole : Math.min(height / BOARD.height, SMALL * 1.6);
    this.#x = left + (width - BOARD.width * this.#scale) / 2;
    this.#y = top + (height - BOARD.height * this.#scale) / 2;
    this.#apply();
    this.#fitted = true;
  }

  moveBy(dx, dy) {
    this.#x += dx;
    this.#y += dy;
    this.#apply();
  }

  /** Zooms around a point of the window; without one, around the stage's middle. */
  zoomBy(factor, clientX, clientY) {
    const box = this.#stage.getBoundingClientRect();
    const x = clientX === undefined ? box.width / 2 : clientX - box.left;
    const y = clientY === undefined ? box.height / 2 : clientY - box.top;
    const { width, height } = this.#room();
    const least = ZOOM_OUT * Math.min(width / BOARD.width, height / BOARD.height);
    const scale = Math.min(Math.max(this.#scale * factor, least), ZOOM_MAX);
    this.#x = x - ((x - this.#x) * scale) / this.#scale;
    this.#y = y - ((y - this.#y) * scale) / this.#scale;
    this.#scale = scale;
    this.#apply();
  }

  /** @returns {[number, number]} A place on the board, in its units. */
  toBoard(clientX, clientY) {
    const box = this.#stage.getBoundingClientRect();
    return [(clientX - box.left - this.#x) / this.#scale, (clientY - box.top - this.#y) / this.#scale];
  }

  /** @returns {[number, number]} Pixels from the stage's top left corner. */
  toStage(x, y) {
    return [this.#x + x * this.#scale, this.#y + y * this.#scale];
  }

  #room() {
    const { top, right, bottom, left } = this.#insets();
    const width = Math.max(this.#stage.clientWidth - left - right, 50);
    const height = Math.max(this.#stage.clientHeight - top - bottom, 50);
    return { width, height, left, top };
  }

  #apply() {
    this.#fitted = false;
    const { clientWidth, clientHeight } = this.#stage;
    this.#x = Math.min(Math.max(this.#x, REST - BOARD.width * this.#scale), clientWidth - REST);
    this.#y = Math.min(Math.max(this.#y, REST - BOARD.height * this.#scale), clientHeight - REST);
    this.#sheet.style.transform = `translate(${this.#x}px, ${this.#y}px) scale(${this.#scale})`;
    this.emit('changed');
  }
}
