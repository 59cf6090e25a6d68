import { InkmeshError, isPassing } from './errors.js';

const OUTSTANDING_MAX = 64;
const OUTSTANDING_BYTES_MAX = 512 * 1024;
const DATA_BYTES_MAX = 64 * 1024;
const ACK_MS = 4_000;
const ACK_MS_MAX = 30_000;
const RETRY_MS = 500;
const RESERVE = 1_000;

/**
 * What was published and is not acknowledged: numbered, stored, sent, and sent again until a node says that it is
 * durable. An op never names two different data: numbers are reserved in the storage before they are used.
 *
 * @typedef {object} Entry
 * @property {number} op
 * @property {string} channel
 * @property {string} text The data as JSON: every copy that is sent is the same.
 */
export class Outbox {
  #client;
  #storage;
  #clock;
  #link;
  /** @type {Map<number, Entry & {bytes: number, sent: number, due: number, resolve: Function, reject: Function}>} */
  #entries = new Map();
  #opsByRequest = new Map();
  #nextOp = 1;
  #reservedTo = 1;
  #reserving = false;
  #pausedUntil = -Infinity;
  #alarm;

  /**
   * @param {object} options
   * @param {string} options.client
   * @param {import('./storage.js').Storage} options.storage
   * @param {import('./clock.js').Clock} options.clock
   * @param {(run: () => void) => import('./clock.js').Alarm} options.alarm
   * @param {object} options.link The client's side of it.
   * @param {() => number} options.link.nextId
   * @param {(frame: string) => boolean} options.link.send
   * @param {() => void} options.link.changed
   * @param {(entry: Entry, ack: object) => void} options.link.acked
   * @param {(entry: Entry, error: InkmeshError) => void} options.link.refused
   * @param {(code: string) => void} options.link.delayed A publish has to wait, for that reason.
   * @param {(error: Error) => void} options.link.storageFailed
   */
  constructor({ client, storage, clock, alarm, link }) {
    this.#client = client;
    this.#storage = storage;
    this.#clock = clock;
    this.#link = link;
    this.#alarm = alarm(() => this.pump());
  }

  /** How many are not acknowledged yet. */
  get size() {
    return this.#entries.size;
  }

  /** The unacknowledged ones, in the order of their ops. */
  get waiting() {
    return [...this.#entries.values()].map(({ op, channel, text }) => ({ op, channel, data: JSON.parse(text) }));
  }

  /** Takes up what an earlier life of this client left, and reserves numbers. */
  async load() {
    const { nextOp, entries } = await this.#storage.load(this.#client);
    for (const entry of [...entries].sort((a, b) => a.op - b.op)) {
      this.#keep(entry, 1); // it may have been sent: a retry
      this.#nextOp = Math.max(this.#nextOp, entry.op + 1);
    }
    this.#nextOp = Math.max(this.#nextOp, nextOp);
    await this.#storage.reserve(this.#client, this.#nextOp + RESERVE);
    this.#reservedTo = this.#nextOp + RESERVE;
    this.#link.changed();
  }

  /**
   * @param {string} channel
   * @param {unknown} data
   * @returns {{op: number, acked: Promise<object>}}
   */
  add(channel, data) {
    const text = JSON.stringify(data);
    if (text === undefined) throw new InkmeshError('bad_message', 'data is not JSON');
    const bytes = new TextEncoder().encode(text).length;
    if (bytes > DATA_BYTES_MAX) throw new InkmeshError('too_large', `data has ${bytes} bytes of ${DATA_BYTES_MAX}`);
    const entry = { op: this.#nextOp++, channel, text };
    const acked = this.#keep(entry, 0);
    this.#storage.put(this.#client, entry).catch((error) => this.#link.storageFailed(error));
    this.#reserve();
    this.#link.changed();
    this.pump();
    return { op: entry.op, acked };
  }

  /** A connection is there: everything that was sent before is due again. */
  connected() {
    this.#pausedUntil = -Infinity;
    for (const entry of this.#entries.values()) entry.due = -Infinity;
    this.pump();
  }

  disconnected() {
    this.#opsByRequest.clear();
    this.#alarm.clear();
  }

  /** @returns {boolean} True when the ack was for one of ours. */
  takeAck(ack) {
    const entry = this.#entries.get(this.#opsByRequest.get(ack.id));
    this.#opsByRequest.delete(ack.id);
    if (!entry) return false;
    this.#remove(entry);
    entry.resolve({ ...ack, op: entry.op });
    this.#link.acked(entry, ack);
    this.pump();
    return true;
  }

  /** @returns {boolean} True when the error was for one of ours. */
  takeError({ id, code, message, retry_ms: retryMs }) {
    if (!this.#opsByRequest.has(id)) return false;
    const entry = this.#entries.get(this.#opsByRequest.get(id));
    this.#opsByRequest.delete(id);
    if (!entry) return true;
    if (isPassing(code)) {
      const waitMs = (retryMs || RETRY_MS) * (1 + 0.2 * this.#clock.random());
      entry.due = this.#clock.now() + waitMs;
      this.#pausedUntil = Math.max(this.#pausedUntil, entry.due);
      this.#link.delayed(code);
      this.pump();
      return true;
    }
    this.#remove(entry);
    const error = new InkmeshError(code, String(message));
    entry.reject(error);
    this.#link.refused(entry, error);
    this.pump();
    return true;
  }

  /** Sends what is due, as far as the window allows. */
  pump() {
    const now = this.#clock.now();
    if (now < this.#pausedUntil) {
      this.#alarm.setAtMost(this.#pausedUntil - now);
      return;
    }
    let outstanding = 0;
    let bytes = 0;
    let next = Infinity;
    for (const entry of this.#entries.values()) {
      if (outstanding >= OUTSTANDING_MAX || bytes >= OUTSTANDING_BYTES_MAX) break;
      if (entry.op >= this.#reservedTo) break;
      if (entry.due <= now && !this.#send(entry, now)) return;
      ++outstanding;
      bytes += entry.bytes;
      next = Math.min(next, entry.due);
    }
    if (next !== Infinity) this.#alarm.setAtMost(Math.max(next - now, 1));
  }

  #send(entry, now) {
    const id = this.#link.nextId();
    const retry = entry.sent > 0 ? ',"retry":true' : '';
    const channel = JSON.stringify(entry.channel);
    const sent = this.#link.send(
      `{"type":"publish","id":${id},"channel":${channel},"op":${entry.op}${retry},"data":${entry.text}}`,
    );
    if (!sent) return false;
    this.#opsByRequest.set(id, entry.op);
    entry.due = now + Math.min(ACK_MS * 1.5 ** entry.sent, ACK_MS_MAX);
    ++entry.sent;
    return true;
  }

  #keep(entry, sent) {
    const kept = { ...entry, bytes: entry.text.length, sent, due: -Infinity };
    const acked = new Promise((resolve, reject) => Object.assign(kept, { resolve, reject }));
    acked.catch(() => {}); // reported as `refused` too; nobody has to wait for it
    this.#entries.set(entry.op, kept);
    return acked;
  }

  #remove(entry) {
    this.#entries.delete(entry.op);
    this.#storage.remove(this.#client, entry.op).catch((error) => this.#link.storageFailed(error));
    this.#link.changed();
  }

  /** Keeps a supply of numbers that may be sent. */
  async #reserve() {
    if (this.#reserving) return;
    this.#reserving = true;
    try {
      while (this.#reservedTo - this.#nextOp < RESERVE / 2) {
        const to = this.#nextOp + RESERVE;
        await this.#storage.reserve(this.#client, to);
        this.#reservedTo = to;
        this.pump();
      }
    } catch (error) {
      this.#link.storageFailed(error);
    } finally {
      this.#reserving = false;
    }
  }
}
