import { colorOf, initials } from './people.js';

const AVATARS_MAX = 5;
const AVATARS_MAX_NARROW = 1; // the connection's state must have room

/**
 * Who is here: avatars in the bar, the whole list behind them.
 */
export class PeopleView {
  #avatars;
  #list;
  #self;
  #nameOf;
  #narrow;
  #present = [];

  /**
   * @param {object} elements
   * @param {HTMLElement} elements.avatars A button.
   * @param {HTMLElement} elements.list
   * @param {string} self This tab's client.
   * @param {(client: string) => string} nameOf
   * @param {MediaQueryList} narrow Matches where the bar has little room.
   */
  constructor({ avatars, list }, self, nameOf, narrow) {
    this.#avatars = avatars;
    this.#list = list;
    this.#self = self;
    this.#nameOf = nameOf;
    this.#narrow = narrow;
    narrow.addEventListener('change', () => this.show(this.#present));
    this.show([]);
  }

  /** @param {{client: string, node: string}[]} present */
  show(present) {
    this.#present = present;
    const most = this.#narrow.matches ? AVATARS_MAX_NARROW : AVATARS_MAX;
    const nodes = new Map([[this.#self, undefined]]);
    for (const { client, node } of present) nodes.set(client, node);
    const people = [...nodes].map(([client, node]) => ({ client, node, name: this.#nameOf(client) }));
    const shown = people.length > most + 1 ? people.slice(0, most) : people;
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
