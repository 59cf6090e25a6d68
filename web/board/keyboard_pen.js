import { BOARD } from './stroke_data.js';

const STEP = 8;
const STEP_FINE = 1;
const STEP_FAR = 40;
const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * Drawing without a pointer: the arrow keys move a cross on the sheet (Alt: finely, Shift: far), Enter puts the pen
 * down and takes it up again, Escape takes the line back.
 */
export class KeyboardPen {
  #stage;
  #cross;
  #pen;
  #style;
  #hover;
  #at = [BOARD.width / 2, BOARD.height / 2];

  /**
   * @param {HTMLElement} stage What has the focus while it is used.
   * @param {HTMLElement} cross Shown where the pen is; a child of the sheet.
   * @param {object} parts
   * @param {import('./pen.js').Pen} parts.pen
   * @param {() => object} parts.style
   * @param {(place: [number, number]) => void} parts.hover
   */
  constructor(stage, cross, { pen, style, hover }) {
    this.#stage = stage;
    this.#cross = cross;
    this.#pen = pen;
    this.#style = style;
    this.#hover = hover;
    stage.addEventListener('keydown', (event) => this.#pressed(event));
    stage.addEventListener('focus', () => stage.classList.toggle('keyed', stage.matches(':focus-visible')));
    stage.addEventListener('blur', () => {
      if (!cross.hidden) pen.end();
      this.#leave();
    });
    stage.addEventListener('pointerdown', () => this.#leave());
  }

  #pressed(event) {
    if (event.ctrlKey || event.metaKey) return;
    const direction = DIRECTIONS[event.key];
    if (direction) this.#step(direction, event.altKey ? STEP_FINE : event.shiftKey ? STEP_FAR : STEP);
    else if (event.key === 'Enter') this.#toggle();
    else if (event.key === 'Escape') this.#pen.cancel();
    else return;
    event.preventDefault();
    this.#show();
  }

  #step([x, y], far) {
    this.#at = [clamp(this.#at[0] + x * far, BOARD.width), clamp(this.#at[1] + y * far, BOARD.height)];
    this.#pen.move([this.#at]);
    this.#hover(this.#at);
  }

  #toggle() {
    if (this.#pen.down) this.#pen.end();
    else this.#pen.start(this.#style(), this.#at);
  }

  #leave() {
    this.#cross.hidden = true;
    this.#stage.classList.remove('keyed');
  }

  #show() {
    this.#cross.hidden = false;
    this.#cross.style.transform = `translate(${this.#at[0]}px, ${this.#at[1]}px)`;
    this.#cross.classList.toggle('down', this.#pen.down);
    this.#stage.setAttribute('aria-description', `Pen ${this.#pen.down ? 'down' : 'up'} at ${this.#at.join(', ')}`);
  }
}

function clamp(value, most) {
  return Math.min(Math.max(value, 0), most);
}
