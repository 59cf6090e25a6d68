import { Alarm, systemClock } from './clock.js';
import { Connection } from './connection.js';
import { Emitter } from './emitter.js';
import { InkmeshError } from './errors.js';
import { randomClient } from './identity.js';
import { NodeList } from './node_list.js';
import { Outbox } from './outbox.js';
import { MemoryStorage } from './storage.js';
import { Subscription } from './subscription.js';

const DISCOVER_AGAIN_MS = 5_000;
const PATIENCE_MS = 4_000; // with a node that takes nothing; doubled until one does
const PATIENCE_MS_MAX = 60_000;
const AVOID_MS = 30_000;

/**
 * Events: `state`(state) the connection, or what waits, changed; `ack`({op, channel, data}, ack) a publish is durable;
 * `refused`({op, channel, data}, InkmeshError) a publish was refused for good; `violation`(object) a node broke a
 * promise of the protocol; `error`({code, message}) one that belongs to no request; `storage_failed`(Error) what waits
 * would not outlive this page.
 */
export class InkmeshClient extends Emitter {
  #nodes;
  #connection;
  #outbox;
  #clock;
  #fetch;
  #discover;
  #discoveredAt = -Infinity;
  #token;
  #onViolation;
  #nextId = 1;
  #loaded = false;
  #stopped = false;
  #trouble;
  #troubleSince = 0;
  #patienceMs = PATIENCE_MS;
  /** @type {Map<string, Subscription>} */
  #subscriptions = new Map();

  /**
   * @param {object} options
   * @param {string[]} [options.urls] Nodes' WebSocket addresses: "ws://127.0.0.1:8081/ws".
   * @param {string} [options.discover] A node's HTTP address, "http://127.0.0.1:8081": it is connected to first, and
   *     asked for the others. One of `urls` and `discover` must be given.
   * @param {boolean} [options.stay] Stay with the first address, that of a balancer.
   * @param {string} [options.client] The op counter's name, 1 to 64 of A-Z a-z 0-9 _ . : -. Never used by two at once.
   * @param {string | (() => string)} [options.token]
   * @param {typeof globalThis.WebSocket} [options.WebSocket]
   * @param {typeof globalThis.fetch} [options.fetch]
   * @param {import('./storage.js').Storage} [options.storage]
   * @param {import('./clock.js').Clock} [options.clock]
   * @param {(violation: object) => void} [options.onViolation]
   */
  constructor({
    urls = [],
    discover,
    stay = false,
    client = randomClient(),
    token,
    WebSocket = globalThis.WebSocket,
    fetch = globalThis.fetch?.bind(globalThis),
    storage = new MemoryStorage(),
    clock = systemClock,
    onViolation,
  }) {
    super();
    this.client = client;
    this.#clock = clock;
    this.#fetch = fetch;
    this.#discover = stay ? undefined : discover;
    this.#token = token;
    this.#onViolation = onViolation;
    const given = discover ? [webSocketUrl(discover), ...urls] : urls;
    this.#nodes = new NodeList({ urls: [...new Set(given)], stay, random: clock.random });
    this.#connection = new Connection({
      nodes: this.#nodes,
      WebSocket,
      clock,
      hello: () => this.#hello(),
      events: {
        phase: () => this.emit('state', this.state),
        welcome: () => this.#connected(),
        message: (message) => this.#take(message),
        down: () => this.#disconnected(),
        violation: (what) => this.#violated({ what }),
      },
    });
    this.#outbox = new Outbox({
      client,
      storage,
      clock,
      alarm: (run) => new Alarm(clock, run),
      link: {
        nextId: () => this.#nextId++,
        send: (frame) => this.#connection.send(frame),
        changed: () => this.emit('state', this.state),
        acked: (entry, ack) => {
          this.#trouble = undefined;
          this.#patienceMs = PATIENCE_MS;
          this.emit('ack', published(entry), ack);
        },
        delayed: (code) => this.#putOff(code),
        refused: (entry, error) => this.emit('refused', published(entry), error),
        storageFailed: (error) => this.emit('storage_failed', error),
      },
    });
    /** Resolves once what an earlier life left is loaded; publish() works from then on. @type {Promise<void>} */
    this.ready = this.#start();
  }

  // ---- what a user does -----------------------------------------------------------------------------------------------

  /**
   * `waiting`: publishes that are not acknowledged; `trouble`: the code for which a node last put one off, until it
   * takes one again.
   *
   * @returns {{phase: import('./connection.js').Phase, node?: string, url?: string, failures: number, waiting: number,
   *     trouble?: string}}
   */
  get state() {
    const { phase, welcome, url, failures } = this.#connection;
    return { phase, node: welcome?.node, url, failures, waiting: this.#outbox.size, trouble: this.#trouble };
  }

  /** The node's limits, while connected. */
  get limits() {
    return this.#connection.welcome?.limits;
  }

  /** What is published and not acknowledged: [{op, channel, data}], in the order of the ops. */
  get waiting() {
    return this.#outbox.waiting;
  }

  /** The addresses that it knows: [{url, id}]. */
  get nodes() {
    return this.#nodes.entries.map(({ url, id }) => ({ url, id }));
  }

  /**
   * Opens a channel; the same subscription when it is open already.
   *
   * @param {string} channel
   * @param {object} [options]
   * @param {Record<string, number>} [options.cursor] Strokes past it; without any of these three, all of them.
   * @param {number} [options.since] Strokes from that timestamp on; may repeat some.
   * @param {boolean} [options.live] Nothing from before.
   * @param {boolean} [options.presence] Follow who is here.
   * @returns {Subscription}
   */
  subscribe(channel, { cursor, since, live, presence = false } = {}) {
    const open = this.#subscriptions.get(channel);
    if (open) return open;
    const begin = cursor ? { cursor } : since !== undefined ? { since } : live ? { live: true } : {};
    const subscription = new Subscription(channel, begin, presence, {
      request: (message) => this.#request(message),
      violation: (violation) => this.#violated(violation),
      alarm: (run) => new Alarm(this.#clock, run),
      now: () => this.#clock.now(),
    });
    this.#subscriptions.set(channel, subscription);
    if (this.#connection.phase === 'connected') subscription.ask();
    return subscription;
  }

  /** @param {string} channel */
  unsubscribe(channel) {
    this.#subscriptions.get(channel)?.close();
    this.#subscriptions.delete(channel);
  }

  /**
   * Publishes, now or whenever a node can be reached. `acked` resolves with the node's ack, once the stroke is durable;
   * it rejects with an InkmeshError when the stroke is refused for good.
   *
   * @param {string} channel
   * @param {unknown} data JSON, at most 64 KiB.
   * @returns {{op: number, acked: Promise<{channel: string, op: number, origin: string, seq: number, ts: number,
   *     copies: number, duplicate?: boolean}>}}
   * @throws {InkmeshError} `too_large`, `bad_message`; `unavailable` before `ready`.
   */
  publish(channel, data) {
    if (!this.#loaded) throw new InkmeshError('unavailable', 'await client.ready first');
    return this.#outbox.add(channel, data);
  }

  /**
   * Tells the others on a channel something that is never stored. It may be lost.
   *
   * @param {string} channel
   * @param {unknown} data
   * @returns {boolean} False when there is no connection.
   */
  signal(channel, data) {
    return this.#connection.send(JSON.stringify({ type: 'signal', channel, data }));
  }

  /** The network or the page is back: try now instead of at the next attempt. */
  hurry() {
    this.#connection.hurry();
  }

  /** Ends the connection for good. What waits stays in the storage. */
  close() {
    this.#stopped = true;
    for (const subscription of this.#subscriptions.values()) subscription.disconnected();
    this.#outbox.disconnected();
    this.#connection.stop();
  }

  // ---- the connection -------------------------------------------------------------------------------------------------

  async #start() {
    this.#connection.start();
    this.#askForNodes();
    try {
      await this.#outbox.load();
    } catch (error) {
      this.emit('storage_failed', error);
      throw error;
    }
    this.#loaded = true;
    if (this.#connection.phase === 'connected') this.#outbox.connected();
  }

  #hello() {
    const token = typeof this.#token === 'function' ? this.#token() : this.#token;
    return { type: 'hello', client: this.client, ...(token ? { token } : {}) };
  }

  #connected() {
    for (const subscription of this.#subscriptions.values()) subscription.ask();
    if (this.#loaded) this.#outbox.connected();
    this.#askForNodes();
  }

  /** A node that is full, or not in step with the others, stays so for a while: another may do better. */
  #putOff(code) {
    const now = this.#clock.now();
    if (!this.#trouble) this.#troubleSince = now;
    this.#trouble = code;
    this.emit('state', this.state);
    if (code === 'rate_limited' || now - this.#troubleSince < this.#patienceMs) return;
    this.#patienceMs = Math.min(2 * this.#patienceMs, PATIENCE_MS_MAX);
    this.#troubleSince = now;
    this.#connection.leave(AVOID_MS);
  }

  #disconnected() {
    for (const subscription of this.#subscriptions.values()) subscription.disconnected();
    this.#outbox.disconnected();
  }

  async #askForNodes() {
    const now = this.#clock.now();
    if (!this.#discover || !this.#fetch || now - this.#discoveredAt < DISCOVER_AGAIN_MS) return;
    // Another node's answer would be another origin's to a browser; its list is the same one.
    const own = webSocketUrl(this.#discover);
    if (this.#connection.phase === 'connected' && this.#connection.url !== own && this.#nodes.size > 1) return;
    this.#discoveredAt = now;
    try {
      const answer = await this.#fetch(new URL('/status', this.#discover).href);
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      const { nodes } = await answer.json();
      if (!this.#stopped) this.#nodes.learn(nodes, this.#discover);
      this.emit('nodes', this.nodes);
    } catch {
      this.#discoveredAt = -Infinity; // the node is away, or not ready: the next connection asks again
    }
  }

  #request(message) {
    const id = this.#nextId++;
    return this.#connection.send(JSON.stringify({ ...message, id })) ? id : undefined;
  }

  // ---- what comes -----------------------------------------------------------------------------------------------------

  #take(message) {
    switch (message?.type) {
      case 'ack':
        this.#outbox.takeAck(message);
        return;
      case 'error':
        this.#takeError(message);
        return;
      case 'unsubscribed':
        return;
      default:
        this.#subscriptions.get(message?.channel)?.take(message);
    }
  }

  #takeError(error) {
    if (this.#outbox.takeError(error)) return;
    for (const subscription of this.#subscriptions.values()) {
      if (subscription.takeError(error)) return;
    }
    this.emit('error', error);
  }

  #violated(violation) {
    const whole = { ...violation, node: this.state.node };
    this.#onViolation?.(whole);
    this.emit('violation', whole);
  }
}

function published({ op, channel, text }) {
  return { op, channel, data: JSON.parse(text) };
}

function webSocketUrl(address) {
  const url = new URL('/ws', address);
  url.protocol = url.protocol === 'https:' || url.protocol === 'wss:' ? 'wss:' : 'ws:';
  return url.href;
}
