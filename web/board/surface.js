import { BOARD } from './stroke_data.js';
import { paint } from './stroke_path.js';

/** A canvas that is painted by the processor alone: every machine gets the same pixels. */
export function softwareContext(canvas) {
  canvas.width = BOARD.width;
  canvas.height = BOARD.height;
  return canvas.getContext('2d', { willReadFrequently: true });
}

/** The picture's own canvas. @implements {import('./picture.js').Surface} */
export class CanvasSurface {
  #context;
  #spare = [];

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#context = softwareContext(canvas);
  }

  clear() {
    this.#context.clearRect(0, 0, BOARD.width, BOARD.height);
  }

  paint({ ink }) {
    if (ink) paint(this.#context, ink);
  }

  copy() {
    const context = this.#spare.pop() ?? softwareContext(document.createElement('canvas'));
    copyPixels(this.#context.canvas, context);
    return context;
  }

  restore(copy) {
    copyPixels(copy.canvas, this.#context);
  }

  free(copy) {
    this.#spare.push(copy);
  }

  /** @returns {ImageData} */
  pixels() {
    return this.#context.getImageData(0, 0, BOARD.width, BOARD.height);
  }
}

function copyPixels(from, to) {
  to.globalCompositeOperation = 'copy';
  to.drawImage(from, 0, 0);
  to.globalCompositeOperation = 'source-over';
}

/**
 * A fingerprint of pixels: equal pictures have equal ones.
 *
 * @param {ImageData} pixels
 * @returns {string} 16 hexadecimal digits.
 */
export function fingerprint({ data }) {
  const words = new Uint32Array(data.buffer, data.byteOffset, data.byteLength >> 2);
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (const word of words) {
    a = Math.imul(a ^ word, 2654435761);
    b = Math.imul(b ^ word, 1597334677);
    a = (a << 13) | (a >>> 19);
    b = (b << 15) | (b >>> 17);
  }
  const hex = (word) => (word >>> 0).toString(16).padStart(8, '0');
  return hex(a ^ (b >>> 16)) + hex(b ^ (a >>> 13));
}
