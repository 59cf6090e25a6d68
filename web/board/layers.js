import { Alarm, systemClock } from '../client/clock.js';
import { Picture } from './picture.js';
import { BOARD } from './stroke_data.js';
import { paint } from './stroke_path.js';
import { CanvasSurface, fingerprint } from './surface.js';

const FRAME_MS = 12;
const REPAINT_AT_ONCE = 30; // so many waiting strokes are repainted in every frame, if need be
const REPAINT_MS = 1_000;

/**
 * Three canvases, one on another: the picture; what waits to be in it; lines that are being drawn. All change in the
 * same frame, so that a stroke never blinks on its way from one to the next.
 */
export class Layers {
  #board;
  #lines;
  #paper;
  #surface;
  #picture;
  #waiting;
  /** @type {Set<import('./stroke_data.js').Ink>} */
  #paintedWaiting = new Set();
  #repaint = new Alarm(systemClock, () => this.#waitingChanged());
  #live;
  #same = Infinity;
  #dirty = { waiting: true, live: true };
  #frame = 0;

  /**
   * @param {import('./board.js').Board} board
   * @param {() => import('./stroke_data.js').Ink[]} lines Those that are being drawn, here and elsewhere.
   * @param {Record<'picture' | 'waiting' | 'live', HTMLCanvasElement>} canvases
   * @param {string} paper The paper's colour.
   */
  constructor(board, lines, canvases, paper) {
    this.#board = board;
    this.#lines = lines;
    this.#paper = paper;
    this.#surface = new CanvasSurface(canvases.picture);
    this.#picture = new Picture(this.#surface);
    [this.#waiting, this.#live] = [canvases.waiting, canvases.live].map((canvas) => {
      canvas.width = BOARD.width;
      canvas.height = BOARD.height;
      return canvas.getContext('2d');
    });
    board.on('painted', (same) => {
      this.#same = Math.min(this.#same, same);
      this.#schedule();
    });
    board.on('waiting', () => this.#waitingChanged());
    this.#schedule();
  }

  #waitingChanged() {
    this.#dirty.waiting = true;
    this.#schedule();
  }

  /** Lines that are being drawn changed. */
  linesChanged() {
    this.#dirty.live = true;
    this.#schedule();
  }

  /** A fingerprint of the whole picture, with nothing left to paint. */
  hash() {
    return fingerprint(this.pixels());
  }

  pixels() {
    this.#update();
    this.#picture.paint();
    return this.#surface.pixels();
  }

  #schedule() {
    if (!this.#frame) this.#frame = requestAnimationFrame(() => this.#paint());
  }

  #update() {
    if (this.#same === Infinity) return;
    this.#picture.update(this.#board.drawn, this.#same);
    this.#same = Infinity;
  }

  #paint() {
    this.#frame = 0;
    this.#update();
    const end = performance.now() + FRAME_MS;
    this.#picture.paint(() => performance.now() > end);
    if (this.#dirty.waiting) this.#paintWaiting();
    if (this.#dirty.live) this.#paintAll(this.#live, this.#lines());
    this.#dirty = { waiting: this.#dirty.waiting && !this.#picture.done, live: false };
    if (!this.#picture.done) this.#schedule();
  }

  /**
   * Hours of drawing may wait, and leave in hundreds a second: a new stroke is painted on top of those that are there,
   * and one that is in the picture by now may stay on this layer too until it is worth while to paint the rest anew.
   * None leaves before it is in the picture.
   */
  #paintWaiting() {
    const inks = this.#board.waiting;
    const still = new Set(inks);
    const some = [...this.#paintedWaiting].some((ink) => !still.has(ink));
    if (some && this.#picture.done && (inks.length <= REPAINT_AT_ONCE || this.#repaint.due === Infinity)) {
      this.#repaint.set(REPAINT_MS);
      this.#paintedWaiting = still;
      this.#paintAll(this.#waiting, inks);
      return;
    }
    for (const ink of inks) {
      if (this.#paintedWaiting.has(ink)) continue;
      this.#paintOn(this.#waiting, ink);
      this.#paintedWaiting.add(ink);
    }
  }

  #paintAll(context, inks) {
    context.clearRect(0, 0, BOARD.width, BOARD.height);
    for (const ink of inks) this.#paintOn(context, ink);
    if (inks.length === 0) context.canvas.hidden = true; // an empty layer costs the browser as much as a full one
  }

  #paintOn(context, ink) {
    context.canvas.hidden = false;
    paint(context, ink, this.#paper);
  }
}
