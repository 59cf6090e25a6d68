import { Emitter } from './emitter.js';
import { isPassing } from './errors.js';

const CURSOR_BYTES_MAX = 96_000; // as JSON; a larger one does not fit into a frame, of 96 KiB with the rest
const RETRY_MS = 500;
const ANSWER_MS = 10_000;
const ASK_AGAIN_MS = 1_000;

/**
 * One channel that a client has open, across connections. It keeps the cursor and holds what comes to the protocol's
 * promises: of each origin seq n+1 after n. A stroke that breaks them is not shown; the channel is asked for again from
 * the cursor.
 *
 * Events: `strokes`(stroke[]) in the order in which they came, each once; `reset`() forget every stroke of the channel;
 * `live`({complete}) what there was has come; `state`(); `presence`(who[], {joined, left}); `signal`({client, data});
 * `refused`(InkmeshError-like {code, message}) the node will not let us in.
 */
export class Subscription extends Emitter {
  #link;
  #begin;
  #cursor;
  #waiting; // the id of the request that is not answered yet
  #deaf = true; // what comes is from before the request that counts
  #askedAt = -Infinity;
  #presenceId;
  #wantsPresence;
  #retry;
  /** @type {Map<string, {client: string, node: string}>} */
  #present = new Map();

  /**
   * @param {string} channel
   * @param {object} begin What to ask for the first time: {}, {cursor}, {since} or {live: true}.
   * @param {boolean} wantsPresence
   * @param {object} link The client's side of it.
   * @param {(message: object) => number | undefined} link.request Sends with a fresh id, which it returns; undefined
   *     while there is no connection.
   * @param {(violation: object) => void} link.violation
   * @param {(run: () => void) => import('./clock.js').Alarm} link.alarm
   * @param {() => number} link.now
   */
  constructor(channel, begin, wantsPresence, link) {
    super();
    this.channel = channel;
    /** 'waiting' for a connection or an answer, 'replaying' what there was, 'live', or 'closed'. */
    this.state = 'waiting';
    /** Whether all that the cluster holds of the channel's history has come. */
    this.complete = false;
    this.#link = link;
    this.#begin = begin;
    this.#wantsPresence = wantsPresence;
    this.#cursor = begin.cursor ? new Map(Object.entries(begin.cursor)) : undefined;
    this.#retry = link.alarm(() => this.ask());
  }

  /** What has been seen: the highest seq of each origin. */
  get cursor() {
    return Object.fromEntries(this.#cursor ?? []);
  }

  /** Who has the channel open, across the cluster, as far as the node knows. */
  get present() {
    return [...this.#present.values()];
  }

  // ---- asked by the client ------------------------------------------------------------------------------------------

  /** Asks for the channel, from where it stands. */
  ask() {
    if (this.state === 'closed') return;
    const { cursor } = this;
    const shown = JSON.stringify(cursor).length <= CURSOR_BYTES_MAX ? { cursor } : undefined;
    const begin = this.#cursor ? (shown ?? {}) : this.#begin;
    this.#setState('waiting');
    this.#deaf = true;
    this.#askedAt = this.#link.now();
    this.#waiting = this.#link.request({ type: 'subscribe', channel: this.channel, ...begin });
    if (this.#waiting !== undefined) this.#retry.set(ANSWER_MS);
  }

  /** The connection is gone. */
  disconnected() {
    this.#deaf = true;
    this.#waiting = undefined;
    this.#presenceId = undefined;
    this.#retry.clear();
    if (this.state !== 'closed') this.#setState('waiting');
  }

  close() {
    this.#retry.clear();
    if (this.state !== 'closed') this.#link.request({ type: 'unsubscribe', channel: this.channel });
    this.#setState('closed');
  }

  // ---- what comes ---------------------------------------------------------------------------------------------------

  take(message) {
    switch (message.type) {
      case 'subscribed':
        return this.#subscribed(message);
      case 'reset':
        return this.#reset(message);
      case 'stroke':
        return this.#strokes([message]);
      case 'strokes':
        return this.#strokes(Array.isArray(message.strokes) ? message.strokes : []);
      case 'live':
        return this.#live(message);
      case 'presence':
        return this.#presence(message);
      case 'signal':
        return this.emit('signal', { client: String(message.client), data: message.data });
      default:
    }
  }

  /** @returns {boolean} True when the error was for this subscription. */
  takeError({ id, code, message, retry_ms: retryMs }) {
    if (id !== undefined && id === this.#presenceId) {
      this.#presenceId = undefined;
      return true;
    }
    if (id === undefined || id !== this.#waiting) return false;
    this.#waiting = undefined;
    if (isPassing(code)) this.#retry.set(retryMs || RETRY_MS);
    else this.#retry.clear();
    if (!isPassing(code)) this.emit('refused', { code, message });
    return true;
  }

  #subscribed({ id, mode, cursor }) {
    if (mode === 'reset') return this.#reset({ cursor });
    if (id !== this.#waiting) return undefined;
    this.#waiting = undefined;
    this.#deaf = false;
    this.#retry.clear();
    const begin = cleanCursor(cursor);
    if (mode === 'delta' && this.#cursor) {
      if (!sameCursor(begin, this.#cursor)) this.#violation('subscribed at another cursor than was shown', { cursor });
    } else {
      // Whatever was seen before comes again, or never will: only a fresh start keeps both in step.
      if (this.#cursor?.size) this.emit('reset');
      this.#cursor = begin;
    }
    this.complete = false;
    this.#setState('replaying');
    return this.#askPresence();
  }

  #reset({ cursor }) {
    this.#waiting = undefined;
    this.#deaf = false;
    this.#retry.clear();
    this.#cursor = cleanCursor(cursor);
    this.complete = false;
    this.emit('reset');
    this.#setState('replaying');
  }

  #strokes(strokes) {
    if (this.#deaf || this.state === 'closed') return;
    const fresh = [];
    let gap;
    for (const stroke of strokes) {
      if (!isStroke(stroke)) {
        this.#violation('a stroke without its fields', { stroke });
        continue;
      }
      const due = (this.#cursor.get(stroke.origin) ?? 0) + 1;
      if (stroke.seq === due) {
        this.#cursor.set(stroke.origin, stroke.seq);
        fresh.push(stroke);
      } else {
        this.#violation(stroke.seq < due ? 'a stroke came again' : 'a stroke is missing', {
          origin: stroke.origin,
          seq: stroke.seq,
          due,
        });
        if (stroke.seq > due) gap = stroke;
      }
    }
    if (fresh.length) this.emit('strokes', fresh);
    if (gap) this.#askAgain();
  }

  #live({ cursor, complete }) {
    if (this.#deaf || this.state === 'closed') return;
    const reached = cleanCursor(cursor);
    for (const [origin, seq] of reached) {
      const seen = this.#cursor.get(origin) ?? 0;
      if (seen >= seq) continue;
      this.#violation('live before all strokes came', { origin, seq: seen, due: seq });
      this.#askAgain();
      return;
    }
    this.complete = complete !== false;
    this.#setState('live');
    this.emit('live', { complete: this.complete });
  }

  /** After a broken promise: at once, but not in a circle. */
  #askAgain() {
    const sinceMs = this.#link.now() - this.#askedAt;
    if (sinceMs >= ASK_AGAIN_MS) return this.ask();
    this.#deaf = true;
    this.#setState('waiting');
    this.#retry.set(ASK_AGAIN_MS - sinceMs);
  }

  // ---- presence -----------------------------------------------------------------------------------------------------

  #askPresence() {
    if (this.#wantsPresence) this.#presenceId = this.#link.request({ type: 'presence', channel: this.channel });
  }

  #presence({ id, clients, joined, left }) {
    const before = new Map(this.#present);
    if (id !== undefined) {
      this.#presenceId = undefined;
      this.#present = new Map(cleanPresence(clients));
    } else {
      for (const [key, who] of cleanPresence(joined)) this.#present.set(key, who);
      for (const [key] of cleanPresence(left)) this.#present.delete(key);
    }
    const change = {
      joined: [...this.#present].filter(([key]) => !before.has(key)).map(([, who]) => who),
      left: [...before].filter(([key]) => !this.#present.has(key)).map(([, who]) => who),
    };
    this.emit('presence', this.present, change);
  }

  #violation(what, details) {
    this.#link.violation({ what, channel: this.channel, ...details });
  }

  #setState(state) {
    if (this.state === state) return;
    this.state = state;
    this.emit('state');
  }
}

function isStroke(stroke) {
  return (
    typeof stroke?.origin === 'string' &&
    Number.isSafeInteger(stroke.seq) &&
    stroke.seq > 0 &&
    Number.isSafeInteger(stroke.ts) &&
    typeof stroke.client === 'string' &&
    Number.isSafeInteger(stroke.op)
  );
}

function cleanCursor(cursor) {
  const entries = Object.entries(cursor ?? {});
  return new Map(entries.filter(([, seq]) => Number.isSafeInteger(seq) && seq > 0));
}

function sameCursor(a, b) {
  return a.size === b.size && [...a].every(([origin, seq]) => b.get(origin) === seq);
}

function* cleanPresence(list) {
  for (const who of Array.isArray(list) ? list : []) {
    if (typeof who?.client === 'string' && typeof who?.node === 'string') yield [`${who.node} ${who.client}`, who];
  }
}
