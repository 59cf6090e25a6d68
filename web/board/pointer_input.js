const PINCH_POINTS_MAX = 12; // a line this short was the first finger of two

/**
 * Pointer events on the stage: a mouse, a finger or a stylus draws; two fingers, the wheel, the middle button or Space
 * with the mouse move the sheet.
 */
export class PointerInput {
  #stage;
  #pen;
  #viewport;
  #style;
  #hover;
  /** @type {Map<number, {x: number, y: number}>} Fingers that are down. */
  #fingers = new Map();
  #drawing; // the pointer that draws
  #dragging; // the pointer that moves the sheet
  #stylusSeen = false;
  #moved = 0;
  #spaceHeld = false;

  /**
   * @param {HTMLElement} stage
   * @param {object} parts
   * @param {import('./pen.js').Pen} parts.pen
   * @param {import('./viewport.js').Viewport} parts.viewport
   * @param {(erase: boolean) => object} parts.style The style to draw with; `erase`: the stylus is held by its other end.
   * @param {(place: [number, number] | undefined) => void} parts.hover Where the pointer is, or that it left.
   */
  constructor(stage, { pen, viewport, style, hover }) {
    this.#stage = stage;
    this.#pen = pen;
    this.#viewport = viewport;
    this.#style = style;
    this.#hover = hover;
    stage.addEventListener('pointerdown', (event) => this.#pressed(event));
    stage.addEventListener('pointermove', (event) => this.#movedTo(event));
    stage.addEventListener('pointerup', (event) => this.#released(event));
    stage.addEventListener('pointercancel', (event) => this.#cancelled(event));
    stage.addEventListener('pointerleave', (event) => event.pointerType !== 'touch' && hover(undefined));
    stage.addEventListener('wheel', (event) => this.#wheel(event), { passive: false });
    stage.addEventListener('contextmenu', (event) => event.preventDefault());
  }

  /** While Space is held, the mouse moves the sheet. */
  set spaceHeld(held) {
    this.#spaceHeld = held;
    this.#stage.classList.toggle('grab', held);
  }

  #pressed(event) {
    if (event.pointerType === 'mouse' && event.button === 2) return;
    this.#stage.setPointerCapture(event.pointerId);
    if (event.pointerType === 'pen') this.#stylusSeen = true;
    if (event.pointerType === 'touch') {
      this.#fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
      if (this.#fingers.size === 2) {
        if (this.#pen.down && this.#moved <= PINCH_POINTS_MAX) this.#pen.cancel();
        else this.#pen.end();
        this.#drawing = undefined;
        return;
      }
      if (this.#fingers.size > 2) return;
    }
    // Once a stylus is in use, a hand that rests on the screen draws nothing: one finger moves the sheet.
    const drags = event.button === 1 || this.#spaceHeld || (event.pointerType === 'touch' && this.#stylusSeen);
    if (drags) {
      this.#dragging = { id: event.pointerId, x: event.clientX, y: event.clientY };
      return;
    }
    if (this.#drawing !== undefined) return;
    this.#drawing = event.pointerId;
    this.#moved = 0;
    this.#pen.start(this.#style(event.button === 5), this.#point(event));
  }

  #movedTo(event) {
    if (event.pointerType !== 'touch' || event.pointerId === this.#drawing) this.#hover(this.#place(event));
    if (event.pointerType === 'touch' && this.#fingers.size >= 2) return this.#pinch(event);
    if (event.pointerType === 'touch') this.#fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (event.pointerId === this.#dragging?.id) {
      this.#viewport.moveBy(event.clientX - this.#dragging.x, event.clientY - this.#dragging.y);
      this.#dragging = { id: event.pointerId, x: event.clientX, y: event.clientY };
    }
    if (event.pointerId !== this.#drawing) return undefined;
    const events = event.getCoalescedEvents?.() ?? [];
    const steps = events.length ? events : [event];
    this.#moved += steps.length;
    return this.#pen.move(steps.map((step) => this.#point(step)));
  }

  #released(event) {
    this.#fingers.delete(event.pointerId);
    if (event.pointerId === this.#dragging?.id) this.#dragging = undefined;
    if (event.pointerType === 'touch') this.#hover(undefined);
    if (event.pointerId !== this.#drawing) return;
    this.#drawing = undefined;
    this.#pen.end();
  }

  #cancelled(event) {
    this.#fingers.delete(event.pointerId);
    if (event.pointerId === this.#dragging?.id) this.#dragging = undefined;
    if (event.pointerId !== this.#drawing) return;
    this.#drawing = undefined;
    this.#pen.cancel();
  }

  #pinch(event) {
    const before = [...this.#fingers.values()].slice(0, 2);
    if (!this.#fingers.has(event.pointerId)) return;
    this.#fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    const after = [...this.#fingers.values()].slice(0, 2);
    const was = middle(before);
    const is = middle(after);
    this.#viewport.moveBy(is.x - was.x, is.y - was.y);
    if (was.apart > 0) this.#viewport.zoomBy(is.apart / was.apart, is.x, is.y);
  }

  #wheel(event) {
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : 1;
    if (event.ctrlKey || event.metaKey) {
      this.#viewport.zoomBy(Math.exp(-event.deltaY * lines * 0.002), event.clientX, event.clientY);
    } else {
      this.#viewport.moveBy(-event.deltaX * lines, -event.deltaY * lines);
    }
  }

  #place({ clientX, clientY }) {
    return this.#viewport.toBoard(clientX, clientY);
  }

  /** A mouse and most fingers know no pressure: theirs comes from their speed. */
  #point(event) {
    const place = this.#place(event);
    return event.pointerType === 'pen' && event.pressure > 0 ? [...place, event.pressure] : place;
  }
}

function middle([a, b]) {
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, apart: Math.hypot(a.x - b.x, a.y - b.y) };
}
