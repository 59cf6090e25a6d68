import { Picture } from './picture.js';
import { BOARD } from './stroke_data.js';
import { paint } from './stroke_path.js';
import { CanvasSurface, fingerprint } from './surface.js';

const FRAME_MS = 12;

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
  #paintedWaiting = [];
  #live;
  #same = Infinity;
  #dirty = { waiting: true, live: true };
  #frame = 0;

  /**
   * @param {import('./board.js').Board} board
   * @param {() => Iterable<import('./stroke_data.js').Ink>} lines Those that are being drawn, here and elsewhere.
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
    board.on('waiting', () => {
      this.#dirty.waiting = true;
      this.#schedule();
    });
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
    if (this.#dirty.live) this.#repaint(this.#live, this.#lines());
    this.#dirty = { waiting: false, live: false };
    if (!this.#picture.done) this.#schedule();
  }

  /** Hours of drawing may wait: a new stroke is painted on top of those that are there. */
  #paintWaiting() {
    const inks = this.#board.waiting;
    const before = this.#paintedWaiting;
    this.#paintedWaiting = inks;
    if (before.every((ink, i) => ink === inks[i])) {
      for (const ink of inks.slice(before.length)) paint(this.#waiting, ink, this.#paper);
    } else {
      this.#repaint(this.#waiting, inks);
    }
  }

  #repaint(context, inks) {
    context.clearRect(0, 0, BOARD.width, BOARD.height);
    for (const ink of inks) paint(context, ink, this.#paper);
  }
}
