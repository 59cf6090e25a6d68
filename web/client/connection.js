import { hangMs, waitMs } from './backoff.js';
import { Alarm } from './clock.js';

const SUBPROTOCOL = 'inkmesh.v1';
const SILENCE_MS = 750; // then a ping
const PONG_MS = 1_500; // for anything to come after a ping; doubled with every connection that died of it
const PONG_MS_MAX = 6_000;
const LAST_CHANCE_MS = 100;
const LATE_MS = 500; // by so much a timer may be late on a page that is awake
const STEADY_MS = 5_000; // a connection that held so long was a good one
const TRUSTED_MS = 60_000;
const REFUSED_WAIT_MS = 5_000;
const CLOSE_UNAUTHORIZED = 4401;
const CLOSE_ABUSE = 4429;

/**
 * Keeps one connection to the cluster: to some node, to another when that one dies, until it is stopped.
 *
 * `connecting` (a socket is opening or waits for its welcome) -> `connected` -> `waiting` (for the next attempt) ->
 * `connecting` …; `stopped` before start() and after stop().
 *
 * @typedef {'stopped' | 'connecting' | 'connected' | 'waiting'} Phase
 */
export class Connection {
  #nodes;
  #WebSocket;
  #clock;
  #hello;
  #events;
  #phase = 'stopped';
  #socket;
  #entry;
  #welcome;
  #failures = 0;
  #pingDeaths = 0;
  #connectedAt = -Infinity;
  #heardAt = 0;
  #pingedAt = -Infinity; // of a ping that nothing came after
  #askedAgain = false;
  #lastChance = false;
  #attempt;
  #hang;
  #watch;

  /**
   * @param {object} options
   * @param {import('./node_list.js').NodeList} options.nodes
   * @param {typeof globalThis.WebSocket} options.WebSocket
   * @param {import('./clock.js').Clock} options.clock
   * @param {() => object} options.hello The hello message, made anew for each connection.
   * @param {object} options.events
   * @param {() => void} options.events.phase
   * @param {(welcome: object) => void} options.events.welcome
   * @param {(message: object) => void} options.events.message
   * @param {(reason: string) => void} options.events.down After a connection that had its welcome.
   * @param {(text: string) => void} options.events.violation
   */
  constructor({ nodes, WebSocket, clock, hello, events }) {
    this.#nodes = nodes;
    this.#WebSocket = WebSocket;
    this.#clock = clock;
    this.#hello = hello;
    this.#events = events;
    this.#attempt = new Alarm(clock, () => this.#open());
    this.#hang = new Alarm(clock, () => this.#lost('no answer'));
    this.#watch = new Alarm(clock, () => this.#look());
  }

  get phase() {
    return this.#phase;
  }
  get url() {
    return this.#entry?.url;
  }
  /** The node's welcome while connected. */
  get welcome() {
    return this.#welcome;
  }
  /** Attempts that failed since the last good connection. */
  get failures() {
    return this.#failures;
  }

  start() {
    if (this.#phase === 'stopped') this.#open();
  }

  stop() {
    this.#drop((socket) => socket.close());
    this.#attempt.clear();
    this.#setPhase('stopped');
  }

  /** Tries now, if it is waiting: the network or the page has just come back. */
  hurry() {
    if (this.#phase === 'waiting') this.#open();
    else if (this.#phase === 'connected' && this.#pingedAt === -Infinity) this.#ping();
  }

  /** Goes to another node, if there is one: this one answers, but cannot serve. */
  leave(avoidMs) {
    if (this.#phase !== 'connected' || this.#nodes.size < 2) return;
    this.#nodes.avoid(this.#entry, this.#clock.now() + avoidMs);
    this.#lost('it cannot serve');
  }

  /**
   * @param {string} frame
   * @returns {boolean} False when there is no connection that it could have gone to.
   */
  send(frame) {
    if (this.#phase !== 'connected' || this.#socket.readyState !== 1) return false;
    this.#socket.send(frame);
    return true;
  }

  // ---- an attempt ---------------------------------------------------------------------------------------------------

  #open() {
    this.#attempt.clear();
    this.#entry = this.#nodes.next(this.#clock.now());
    this.#setPhase('connecting');
    let socket;
    try {
      socket = new this.#WebSocket(this.#entry.url, [SUBPROTOCOL]);
    } catch (error) {
      this.#lost(`cannot connect: ${error.message}`);
      return;
    }
    this.#socket = socket;
    this.#hang.set(hangMs(this.#failures, this.#nodes.size, this.#connectedAt > -Infinity));
    socket.onopen = () => socket.send(JSON.stringify(this.#hello()));
    socket.onmessage = ({ data }) => this.#take(data);
    socket.onerror = () => {};
    socket.onclose = ({ code }) => this.#lost(`closed (${code})`, code);
  }

  #take(data) {
    this.#heardAt = this.#clock.now();
    this.#pingedAt = -Infinity;
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      this.#events.violation(`a frame that is not JSON, from ${this.url}`);
      return;
    }
    if (message?.type === 'welcome' && this.#phase === 'connecting') this.#welcomed(message);
    else if (message?.type === 'goaway') this.#sentAway(message);
    else if (message?.type !== 'pong') this.#events.message(message);
  }

  #welcomed(welcome) {
    this.#hang.clear();
    this.#connectedAt = this.#heardAt;
    this.#welcome = welcome;
    this.#nodes.identify(this.#entry, String(welcome.node));
    this.#watch.set(SILENCE_MS);
    this.#setPhase('connected');
    this.#events.welcome(welcome);
  }

  #sentAway({ retry_ms: retryMs }) {
    this.#nodes.avoid(this.#entry, this.#clock.now() + (Number(retryMs) || 0));
    this.#lost('the node is stopping');
  }

  /** The connection, or the attempt, is over: on to the next. */
  #lost(reason, code = 0) {
    const now = this.#clock.now();
    const wasConnected = this.#phase === 'connected';
    this.#nodes.failed(this.#entry, now);
    if (wasConnected && now - this.#connectedAt >= STEADY_MS) this.#failures = 0;
    else ++this.#failures;
    if (wasConnected && now - this.#connectedAt >= TRUSTED_MS) this.#pingDeaths = 0;
    this.#drop((socket) => (socket.terminate ? socket.terminate() : socket.close()));
    const refused = code === CLOSE_UNAUTHORIZED || code === CLOSE_ABUSE;
    const wait = waitMs(this.#failures, this.#nodes.size, this.#clock.random);
    this.#attempt.set(refused ? REFUSED_WAIT_MS + wait : wait);
    this.#setPhase('waiting');
    if (wasConnected) this.#events.down(reason);
  }

  /** @param {(socket: WebSocket) => void} close Some sockets (Node's ws) wait long for the other side's goodbye. */
  #drop(close) {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#welcome = undefined;
    this.#hang.clear();
    this.#watch.clear();
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    close(socket);
  }

  // ---- is it alive? -------------------------------------------------------------------------------------------------

  #look() {
    const now = this.#clock.now();
    const silentMs = now - this.#heardAt;
    if (this.#pingedAt === -Infinity) {
      if (silentMs >= SILENCE_MS) this.#ping();
      else this.#watch.set(SILENCE_MS - silentMs);
      return;
    }
    const patienceMs = Math.min(PONG_MS * 2 ** this.#pingDeaths, PONG_MS_MAX);
    const waitedMs = now - this.#pingedAt;
    if (waitedMs < patienceMs) {
      this.#watch.set(patienceMs - waitedMs);
    } else if (waitedMs > patienceMs + LATE_MS && !this.#askedAgain && !this.#lastChance) {
      // This page slept, and its timers run before what the socket has for it: ask once more.
      this.#ping();
      this.#askedAgain = true;
    } else if (!this.#lastChance) {
      // This page may have been busy for so long that the answer waits behind this timer.
      this.#lastChance = true;
      this.#watch.set(LAST_CHANCE_MS);
    } else {
      ++this.#pingDeaths;
      this.#lost('silent');
    }
  }

  #ping() {
    this.#pingedAt = this.#clock.now();
    this.#askedAgain = false;
    this.#lastChance = false;
    this.send('{"type":"ping"}');
    this.#watch.set(SILENCE_MS);
  }

  #setPhase(phase) {
    if (this.#phase === phase) return;
    this.#phase = phase;
    this.#events.phase();
  }
}
