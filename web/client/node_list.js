/**
 * The addresses of a cluster's nodes, and which of them to try next.
 *
 * @typedef {object} NodeEntry
 * @property {string} url Where its WebSocket is.
 * @property {string} [id] The node's id, once known.
 * @property {boolean} given True for an address that the caller gave, false for one that a node told.
 * @property {number} failedAt When it last failed, in the clock's milliseconds; -Infinity: never.
 * @property {number} avoidUntil It asked not to be used until then.
 */

const UNSPECIFIED = /^(0\.0\.0\.0|\[::\])(?=:\d+$)/;

export class NodeList {
  #stay;
  #random;
  /** @type {NodeEntry[]} */
  #entries;

  /**
   * @param {object} options
   * @param {string[]} options.urls At least one.
   * @param {boolean} [options.stay] Use the first address alone, whatever nodes tell.
   * @param {() => number} [options.random]
   */
  constructor({ urls, stay = false, random = Math.random }) {
    if (!urls.length) throw new TypeError('inkmesh: no address to connect to');
    this.#stay = stay;
    this.#random = random;
    this.#entries = (stay ? urls.slice(0, 1) : urls).map((url) => NodeList.#entry(url, undefined, true));
  }

  static #entry(url, id, given) {
    return { url, id, given, failedAt: -Infinity, avoidUntil: -Infinity };
  }

  /** @returns {readonly NodeEntry[]} */
  get entries() {
    return this.#entries;
  }

  /** How many different nodes it knows, as far as it can tell them apart. */
  get size() {
    return new Set(this.#entries.map((entry) => entry.id ?? entry.url)).size;
  }

  /**
   * Takes the `nodes` of a /status answer: what was told before and is no longer there is forgotten.
   *
   * @param {unknown} nodes [{id, client: "host:port"}, …]; anything else in it is passed over.
   * @param {string} asked The address that answered, for its scheme, and for its host where a node listens on all.
   */
  learn(nodes, asked) {
    if (this.#stay || !Array.isArray(nodes)) return;
    const { protocol, hostname } = new URL(asked);
    const scheme = protocol === 'https:' || protocol === 'wss:' ? 'wss' : 'ws';
    const told = new Map();
    for (const node of nodes) {
      if (typeof node?.id !== 'string' || typeof node?.client !== 'string') continue;
      const url = `${scheme}://${node.client.replace(UNSPECIFIED, hostname)}/ws`;
      if (parses(url)) told.set(url, node.id);
    }
    this.#entries = this.#entries.filter((entry) => entry.given || told.has(entry.url));
    for (const [url, id] of told) {
      const known = this.#entries.find((entry) => entry.url === url);
      if (known) known.id = id;
      else this.#entries.push(NodeList.#entry(url, id, false));
    }
  }

  /** Notes which node answers at an address. */
  identify(entry, id) {
    if (this.#stay) return;
    entry.id = id;
  }

  /** Notes that an address failed; others of the same node count as failed too. */
  failed(entry, now) {
    for (const other of this.#entries) {
      if (other === entry || (entry.id !== undefined && other.id === entry.id)) other.failedAt = now;
    }
    entry.failedAt = now;
  }

  /** Keeps away from a node for a while, as long as there is another. */
  avoid(entry, until) {
    for (const other of this.#entries) {
      if (other === entry || (entry.id !== undefined && other.id === entry.id)) other.avoidUntil = until;
    }
  }

  /**
   * The address to try: one that did not ask to be avoided, the one whose failure is longest ago; the caller's own
   * before any that failed as little, the rest by chance, so that a dead node's clients spread over the others.
   *
   * @param {number} now
   * @returns {NodeEntry}
   */
  next(now) {
    const ranked = this.#entries.map((entry) => ({
      entry,
      avoided: entry.avoidUntil > now ? 1 : 0,
      fresh: entry.given && entry.failedAt === -Infinity ? 0 : 1,
      chance: this.#random(),
    }));
    ranked.sort(
      (a, b) =>
        a.avoided - b.avoided ||
        compareNumbers(a.entry.failedAt, b.entry.failedAt) ||
        a.fresh - b.fresh ||
        a.chance - b.chance,
    );
    return ranked[0].entry;
  }
}

function compareNumbers(a, b) {
  return a === b ? 0 : a < b ? -1 : 1;
}

function parses(url) {
  try {
    return Boolean(new URL(url));
  } catch {
    return false;
  }
}
