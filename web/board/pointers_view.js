import { colorOf } from './people.js';
import { element } from './people_view.js';

const SVG = 'http://www.w3.org/2000/svg';

/** The others' pointers, with their names, above the sheet. */
export class PointersView {
  #layer;
  #viewport;
  #nameOf;
  /** @type {Map<string, {arrow: HTMLElement, label: HTMLElement, at: [number, number]}>} */
  #shown = new Map();

  /**
   * @param {HTMLElement} layer
   * @param {import('./viewport.js').Viewport} viewport
   * @param {(client: string) => string} nameOf
   */
  constructor(layer, viewport, nameOf) {
    this.#layer = layer;
    this.#viewport = viewport;
    this.#nameOf = nameOf;
    viewport.on('changed', () => {
      layer.classList.add('still');
      for (const pointer of this.#shown.values()) this.#place(pointer);
      requestAnimationFrame(() => layer.classList.remove('still'));
    });
  }

  /** @param {{client: string, at: [number, number], drawing: boolean}[]} pointers */
  show(pointers) {
    const gone = new Set(this.#shown.keys());
    for (const { client, at, drawing } of pointers) {
      gone.delete(client);
      const pointer = this.#shown.get(client) ?? this.#add(client);
      pointer.at = at;
      pointer.arrow.classList.toggle('drawing', drawing);
      const name = this.#nameOf(client);
      if (pointer.label.textContent !== name) pointer.label.textContent = name;
      this.#place(pointer);
    }
    for (const client of gone) {
      this.#shown.get(client).arrow.remove();
      this.#shown.delete(client);
    }
  }

  #add(client) {
    const arrow = element('div', 'pointer');
    arrow.style.setProperty('--person', colorOf(client));
    const icon = document.createElementNS(SVG, 'svg');
    icon.setAttribute('viewBox', '0 0 20 20');
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('d', 'M2 2l6.2 15.5 2.3-6.6 6.8-2.2z');
    icon.append(path);
    const label = element('span', 'pointer-name');
    arrow.append(icon, label);
    this.#layer.append(arrow);
    const pointer = { arrow, label, at: [0, 0] };
    this.#shown.set(client, pointer);
    return pointer;
  }

  #place({ arrow, at }) {
    const [x, y] = this.#viewport.toStage(...at);
    arrow.style.transform = `translate(${x}px, ${y}px)`;
  }
}
