// An independent client of the protocol, as another team would write one from docs/protocol.md: a cursor for each
// drawing, an outbox that outlives connections, retries with the same op, and fail-over from address to address.
import { EventEmitter } from 'node:events';
import WebSocket from 'ws';
import { patience, sleep, until, whileOpen } from './process.mjs';

const RECONNECT_MS = [20, 50, 100, 200, 400];
const CONNECT_TIMEOUT_MS = 2_000;
const SILENCE_MS = 5_000;
const RETRY_MS = 200;
const ACK_MS = 45_000; // a stroke that is not acknowledged by then fails its test
// A publish's id is its op; other requests count from here.
const FIRST_ID = 1_000_000_000;

let names = 0;

/** One drawing that a client has open. */
class Subscription {
  constructor(channel, begin) {
    this.channel = channel;
    this.begin = begin;
    this.cursor = undefined; // none until the first `subscribed`: what we show on return
    this.strokes = [];
    this.live = false;
    this.complete = false;
  }
}

/**
 * Events: `connected`(welcome), `disconnected`(code), `stroke`(stroke, channel), `signal`, `presence`, `ack`(ack).
 * `watch` (a Checker's recorder) sees every message before the client does.
 */
export class Client extends EventEmitter {
  constructor({ urls, name = `c${process.pid}_${++names}`, start = 0, watch, keepStrokes = true, ackMs = ACK_MS }) {
    super();
    this.urls = urls;
    this.name = name;
    this.at = start;
    this.watch = watch;
    this.keepStrokes = keepStrokes;
    this.ackMs = ackMs * patience;
    this.subscriptions = new Map();
    this.outbox = new Map(); // op -> {channel, data, retry, resolve, reject}
    this.nextOp = 1;
    this.nextId = FIRST_ID;
    this.subscribing = new Map(); // id -> Subscription
    this.requests = new Map(); // id -> {resolve, reject}
    this.wanted = true;
    this.failures = 0;
    this.connections = 0;
    const forget = whileOpen(() => this.end());
    this.running = this.run().finally(forget);
  }

  get url() {
    return this.urls[this.at % this.urls.length];
  }
  get connected() {
    return this.welcome !== undefined;
  }

  // ---- what a user does -------------------------------------------------------------------------------------------

  /** Opens a drawing; `begin` is {} (all of it), {since} or {live: true}. Resolves when it is live. */
  async subscribe(channel, begin = {}) {
    const subscription = new Subscription(channel, begin);
    this.subscriptions.set(channel, subscription);
    if (this.connected) this.sendSubscribe(subscription);
    await until(`${this.name} live on ${channel}`, () => subscription.live, 20_000, 5);
    return subscription;
  }

  /** Publishes; resolves with the ack, however many connections it takes. */
  publish(channel, data) {
    const op = this.nextOp++;
    const text = JSON.stringify(data);
    this.watch?.published(this, channel, op, text);
    const entry = { channel, op, text, retry: false };
    const acked = new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const where = this.connected ? `connected to ${this.welcome.node}` : 'not connected';
        reject(new Error(`${this.name}: no ack of ${channel} op ${op} within ${this.ackMs} ms; ${where}, ` +
          `connection ${this.connections}, last error ${JSON.stringify(this.lastError)}`));
      }, this.ackMs);
      const settle = (done) => (value) => {
        clearTimeout(timer);
        done(value);
      };
      Object.assign(entry, { resolve: settle(resolve), reject: settle(reject) });
    });
    this.outbox.set(op, entry);
    if (this.connected) this.sendPublish(entry);
    return acked;
  }

  signal(channel, data) {
    if (this.connected) this.send({ type: 'signal', channel, data });
  }

  request(message) {
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      this.requests.set(id, { resolve, reject });
      this.send({ ...message, id });
    });
  }

  /** Ends it at once, without waiting for anything. */
  end() {
    this.wanted = false;
    this.socket?.terminate();
  }

  async close() {
    this.wanted = false;
    this.socket?.close();
    const timer = setTimeout(() => this.socket?.terminate(), 1_000);
    await this.running;
    clearTimeout(timer);
  }

  /** Cuts the connection without a word, as a network does; the client comes back by itself. */
  cut() {
    this.socket?.terminate();
  }

  /** Stays away until `back()`. */
  leave() {
    this.away = true;
    this.socket?.terminate();
  }
  back() {
    this.away = false;
  }

  // ---- the connection ---------------------------------------------------------------------------------------------

  async run() {
    while (this.wanted) {
      if (this.away) {
        await sleep(10);
        continue;
      }
      const code = await this.connection();
      this.welcome = undefined;
      for (const subscription of this.subscriptions.values()) subscription.live = false;
      for (const { reject } of this.requests.values()) reject(new Error(`connection lost (${code})`));
      this.requests.clear();
      this.subscribing.clear();
      this.emit('disconnected', code);
      if (!this.wanted) break;
      ++this.at;
      await sleep(RECONNECT_MS[Math.min(this.failures++, RECONNECT_MS.length - 1)]);
    }
  }

  connection() {
    return new Promise((resolve) => {
      const socket = new WebSocket(this.url, ['inkmesh.v1'], {
        perMessageDeflate: false,
        handshakeTimeout: CONNECT_TIMEOUT_MS,
      });
      this.socket = socket;
      let lastHeard = Date.now();
      // A node that is stopped keeps its sockets open: silence past an unanswered ping means that it is gone.
      const guard = setInterval(() => {
        if (socket.readyState !== WebSocket.OPEN) return;
        if (Date.now() - lastHeard > SILENCE_MS) socket.terminate();
        else this.send({ type: 'ping' });
      }, SILENCE_MS / 3);
      socket.on('open', () => this.send({ type: 'hello', client: this.name }));
      socket.on('message', (bytes) => {
        lastHeard = Date.now();
        const text = bytes.toString();
        this.take(JSON.parse(text), text);
      });
      socket.on('error', () => {});
      socket.once('close', (code) => {
        clearInterval(guard);
        resolve(code);
      });
    });
  }

  send(message) {
    if (this.socket?.readyState === WebSocket.OPEN) {
      this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
    }
  }

  sendSubscribe(subscription) {
    const begin = subscription.cursor ? { cursor: subscription.cursor } : subscription.begin;
    const id = this.nextId++;
    this.subscribing.set(id, subscription);
    this.send({ type: 'subscribe', id, channel: subscription.channel, ...begin });
  }

  sendPublish(entry) {
    const retry = entry.retry ? ',"retry":true' : '';
    entry.retry = true;
    this.send(`{"type":"publish","id":${entry.op},"channel":"${entry.channel}","op":${entry.op}${retry},` +
      `"data":${entry.text}}`);
  }

  // ---- what comes -------------------------------------------------------------------------------------------------

  take(message, text) {
    this.watch?.received(this, message, text);
    switch (message.type) {
      case 'welcome':
        this.welcome = message;
        this.failures = 0;
        ++this.connections;
        for (const subscription of this.subscriptions.values()) this.sendSubscribe(subscription);
        for (const entry of this.outbox.values()) this.sendPublish(entry);
        this.emit('connected', message);
        return;
      case 'subscribed':
        this.subscribing.delete(message.id);
        this.subscriptions.get(message.channel).cursor = { ...message.cursor };
        return;
      case 'stroke':
        this.takeStroke(message.channel, message);
        return;
      case 'strokes':
        for (const stroke of message.strokes) this.takeStroke(message.channel, stroke);
        return;
      case 'live': {
        const subscription = this.subscriptions.get(message.channel);
        subscription.live = true;
        subscription.complete = message.complete;
        return;
      }
      case 'ack':
        this.takeAck(message);
        return;
      case 'error':
        this.takeError(message);
        return;
      case 'signal':
        this.emit('signal', message);
        return;
      case 'presence':
        if (message.id !== undefined) this.answer(message);
        this.emit('presence', message);
        return;
      case 'unsubscribed':
        this.answer(message);
        return;
      case 'goaway':
        this.emit('goaway', message);
        return;
      default:
    }
  }

  takeStroke(channel, stroke) {
    const subscription = this.subscriptions.get(channel);
    if (!subscription) return;
    subscription.cursor[stroke.origin] = stroke.seq;
    if (this.keepStrokes) subscription.strokes.push(stroke);
    this.emit('stroke', stroke, channel);
  }

  takeAck(ack) {
    const entry = this.outbox.get(ack.id);
    if (!entry) return;
    this.outbox.delete(ack.id);
    this.emit('ack', ack);
    entry.resolve(ack);
  }

  takeError(error) {
    this.lastError = error;
    const entry = this.outbox.get(error.id);
    const passing = error.code === 'unavailable' || error.code === 'rate_limited' || error.code === 'storage_full';
    if (entry && passing) {
      setTimeout(() => {
        if (this.connected && this.outbox.has(entry.op)) this.sendPublish(entry);
      }, error.retry_ms ?? RETRY_MS);
      return;
    }
    const subscription = this.subscribing.get(error.id);
    this.subscribing.delete(error.id);
    if (subscription && passing) {
      setTimeout(() => {
        if (this.connected && !subscription.live) this.sendSubscribe(subscription);
      }, error.retry_ms ?? RETRY_MS);
      return;
    }
    if (entry) {
      this.outbox.delete(error.id);
      entry.reject(new Error(`${error.code}: ${error.message}`));
      return;
    }
    const request = this.requests.get(error.id);
    this.requests.delete(error.id);
    if (request) request.reject(new Error(`${error.code}: ${error.message}`));
    else this.emit('refused', error);
  }

  answer(message) {
    this.requests.get(message.id)?.resolve(message);
    this.requests.delete(message.id);
  }
}
