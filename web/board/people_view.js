import { colorOf, initials } from './people.js';

const AVATARS_MAX = 5;

/**
 * Who is here: avatars in the bar, the whole list behind them.
 */
export class PeopleView {
  #avatars;
  #list;
  #self;
  #nameOf;

  /**
   * @param {object} elements
   * @param {HTMLElement} elements.avatars A button.
   * @param {HTMLElement} elements.list
   * @param {string} self This tab's client.
   * @param {(client: string) => string} nameOf
   */
  constructor({ avatars, list }, self, nameOf) {
    this.#avatars = avatars;
    this.#list = list;
    this.#self = self;
    this.#nameOf = nameOf;
    this.show([]);
  }

  /** @param {{client: string, node: string}[]} present */
  show(present) {
    const nodes = new Map([[this.#self, undefined]]);
    for (const { client, node } of present) nodes.set(client, node);
    const people = [...nodes].map(([client, node]) => ({ client, node, name: this.#nameOf(client) }));
    const shown = people.length > AVATARS_MAX + 1 ? people.slice(0, AVATARS_MAX) : people;
    this.#avatars.replaceChildren(...shown.map((person) => this.#avatar(person)));
    if (shown.length < people.length) {
      const more = element('span', 'avatar more', `+${people.length - shown.length}`);
      this.#avatars.append(more);
    }
    this.#avatars.setAttribute(
      'aria-label',
      people.length === 1 ? 'Only you are here' : `${people.length} people here`,
    );
    this.#list.replaceChildren(
      ...people.map((person) => {
        const row = element('li', 'person');
        const label = element('span', 'person-name', person.name);
        if (person.client === this.#self) label.append(element('span', 'you', 'you'));
        row.append(this.#avatar(person), label);
        if (person.node) row.append(element('span', 'person-node', person.node));
        return row;
      }),
    );
  }

  #avatar({ client, name }) {
    const avatar = element('span', client === this.#self ? 'avatar self' : 'avatar', initials(name));
    avatar.title = name;
    avatar.style.setProperty('--person', colorOf(client));
    return avatar;
  }
}

/** @returns {HTMLElement} */
export function element(tag, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}
