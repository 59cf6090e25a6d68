import { element } from './people_view.js';
import { COLORS, WIDTHS } from './tools.js';

/**
 * The tools as three groups of radio buttons: a pen or an eraser, a colour, a width. The arrow keys move within a group,
 * as in every group of radio buttons.
 */
export class Toolbar {
  #tools;
  #groups;

  /**
   * @param {Record<'kinds' | 'colors' | 'widths', HTMLElement>} groups
   * @param {import('./tools.js').Tools} tools
   */
  constructor({ kinds, colors, widths }, tools) {
    this.#tools = tools;
    this.#groups = { kind: kinds, color: colors, width: widths };
    colors.append(
      ...COLORS.map(({ name, value }, i) => {
        const button = radio('swatch', name, value, i < 9 ? `${name} (${i + 1})` : name);
        button.style.setProperty('--ink', value);
        return button;
      }),
    );
    widths.append(
      ...WIDTHS.map(({ name, value }) => {
        const button = radio('width', name, value, `${name} ([ and ])`);
        const dot = element('span', 'dot');
        dot.style.setProperty('--dot', `${4 + value * 0.75}px`);
        button.append(dot);
        return button;
      }),
    );
    for (const [what, group] of Object.entries(this.#groups)) {
      group.addEventListener('click', ({ target }) => this.#choose(what, target.closest('[role=radio]')));
      group.addEventListener('keydown', (event) => this.#arrow(what, group, event));
    }
    tools.on('changed', () => this.#show());
    this.#show();
  }

  #choose(what, button) {
    if (!button) return;
    const { value } = button.dataset;
    this.#tools.choose({ [what]: what === 'width' ? Number(value) : value });
  }

  #arrow(what, group, event) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const buttons = [...group.querySelectorAll('[role=radio]')];
    const next = buttons[(buttons.indexOf(document.activeElement) + step + buttons.length) % buttons.length];
    this.#choose(what, next);
    next.focus();
  }

  #show() {
    for (const [what, group] of Object.entries(this.#groups)) {
      for (const button of group.querySelectorAll('[role=radio]')) {
        const chosen = button.dataset.value === String(this.#tools[what]);
        button.setAttribute('aria-checked', String(chosen));
        button.tabIndex = chosen ? 0 : -1;
      }
    }
    document.documentElement.style.setProperty('--tool-ink', this.#tools.color);
  }
}

function radio(className, name, value, title) {
  const button = element('button', className);
  button.type = 'button';
  button.setAttribute('role', 'radio');
  button.setAttribute('aria-label', name);
  button.dataset.value = String(value);
  button.title = title;
  return button;
}
