/**
 * Where a client's op numbers and unacknowledged publishes outlive it.
 *
 * @typedef {object} Storage
 * @property {(client: string) => Promise<{nextOp: number, entries: {op: number, channel: string, text: string}[]}>} load
 * @property {(client: string, nextOp: number) => Promise<void>} reserve Ops below `nextOp` may be used up: a later
 *     load() gives no less.
 * @property {(client: string, entry: {op: number, channel: string, text: string}) => Promise<void>} put
 * @property {(client: string, op: number) => Promise<void>} remove
 * @property {() => Promise<string[]>} clients Those that left something unacknowledged.
 */

/** Lives as long as the object: for Node, for tests, and where a browser stores nothing. @implements {Storage} */
export class MemoryStorage {
  #nextOps = new Map();
  #entries = new Map();

  async load(client) {
    return { nextOp: this.#nextOps.get(client) ?? 1, entries: [...(this.#entries.get(client)?.values() ?? [])] };
  }

  async reserve(client, nextOp) {
    this.#nextOps.set(client, nextOp);
  }

  async put(client, { op, channel, text }) {
    if (!this.#entries.has(client)) this.#entries.set(client, new Map());
    this.#entries.get(client).set(op, { op, channel, text });
  }

  async remove(client, op) {
    const entries = this.#entries.get(client);
    entries?.delete(op);
    if (entries?.size === 0) this.#entries.delete(client);
  }

  async clients() {
    return [...this.#entries.keys()];
  }
}

const OPS = 'ops';
const OUTBOX = 'outbox';
const REMOVE_MS = 200;

/** IndexedDB: outlives the tab and the browser. @implements {Storage} */
export class IndexedDbStorage {
  #db;
  #turns = new Map();
  #removals = [];
  #removing;

  /** @param {IDBDatabase} db */
  constructor(db) {
    this.#db = db;
  }

  /**
   * @param {IDBFactory} [indexedDB]
   * @param {string} [name]
   * @returns {Promise<IndexedDbStorage>} Rejects where the browser keeps nothing (some private windows).
   */
  static async open(indexedDB = globalThis.indexedDB, name = 'inkmesh') {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(OPS);
      request.result.createObjectStore(OUTBOX);
    };
    return new IndexedDbStorage(await settled(request));
  }

  async load(client) {
    const transaction = this.#db.transaction([OPS, OUTBOX]);
    const [nextOp, entries] = await Promise.all([
      settled(transaction.objectStore(OPS).get(client)),
      settled(transaction.objectStore(OUTBOX).getAll(IDBKeyRange.bound([client, 0], [client, Infinity]))),
    ]);
    return { nextOp: nextOp ?? 1, entries };
  }

  reserve(client, nextOp) {
    return this.#write(OPS, (store) => store.put(nextOp, client));
  }

  put(client, { op, channel, text }) {
    return this.#write(OUTBOX, (store) => store.put({ op, channel, text }, [client, op]));
  }

  /** Not at once: what is removed too late is only sent once more. */
  remove(client, op) {
    this.#removals.push([client, op]);
    this.#removing ??= new Promise((resolve) => setTimeout(resolve, REMOVE_MS)).then(() => {
      const keys = this.#removals;
      this.#removals = [];
      this.#removing = undefined;
      return this.#write(OUTBOX, (store) => keys.forEach((key) => store.delete(key)));
    });
    return this.#removing;
  }

  async clients() {
    const keys = await settled(this.#db.transaction(OUTBOX).objectStore(OUTBOX).getAllKeys());
    return [...new Set(keys.map(([client]) => client))];
  }

  /** All that is written in one turn goes into one transaction. */
  #write(name, change) {
    const turn = this.#turns.get(name);
    if (turn) {
      turn.changes.push(change);
      return turn.written;
    }
    const changes = [change];
    const written = Promise.resolve().then(() => {
      this.#turns.delete(name);
      return this.#commit(name, changes);
    });
    this.#turns.set(name, { changes, written });
    return written;
  }

  #commit(name, changes) {
    return new Promise((resolve, reject) => {
      const transaction = this.#db.transaction(name, 'readwrite');
      for (const change of changes) change(transaction.objectStore(name));
      transaction.oncomplete = () => resolve();
      transaction.onabort = transaction.onerror = () => reject(transaction.error);
    });
  }
}

function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error('the database is in use by an older page'));
  });
}
