/**
 * A network of nodes for WebSockets that are made of `network.WebSocket`: tests say what each address does, and play
 * the node.
 */
export class FakeNetwork {
  constructor() {
    const network = this;
    this.attempts = []; // every socket that was ever made
    this.behaviours = new Map(); // url -> 'up' (the default), 'refuse', 'hang'
    this.WebSocket = class extends FakeSocket {
      constructor(url, protocols) {
        super(network, url, protocols);
      }
    };
  }

  /** The socket that was made last. */
  get last() {
    return this.attempts[this.attempts.length - 1];
  }

  get open() {
    return this.attempts.filter((socket) => socket.readyState === 1);
  }

  /** @param {'up' | 'refuse' | 'hang'} behaviour */
  set(url, behaviour) {
    this.behaviours.set(url, behaviour);
  }

  /** The node at an address dies: its sockets close, new ones are refused. */
  kill(url) {
    this.set(url, 'refuse');
    for (const socket of this.attempts) if (socket.url === url) socket.die(1006);
  }
}

class FakeSocket {
  constructor(network, url, protocols) {
    this.network = network;
    this.url = url;
    this.protocols = protocols;
    this.readyState = 0;
    this.sent = [];
    this.answers = true; // says welcome and pong by itself
    network.attempts.push(this);
    queueMicrotask(() => this.#connect());
  }

  #connect() {
    if (this.readyState !== 0) return;
    const behaviour = this.network.behaviours.get(this.url) ?? 'up';
    if (behaviour === 'refuse') this.die(1006);
    if (behaviour !== 'up') return;
    this.readyState = 1;
    this.onopen?.({});
  }

  send(text) {
    if (this.readyState !== 1) throw new Error('not open');
    const message = JSON.parse(text);
    this.sent.push(message);
    if (!this.answers) return;
    if (message.type === 'hello') this.take({ type: 'welcome', node: this.nodeId, client: message.client, limits: {} });
    if (message.type === 'ping') this.take({ type: 'pong' });
  }

  close() {
    this.readyState = 3;
  }

  // ---- the node's side ------------------------------------------------------------------------------------------------

  get nodeId() {
    return new URL(this.url).hostname;
  }

  /** Delivers a message, after whatever runs now. */
  take(message) {
    queueMicrotask(() => {
      if (this.readyState === 1)
        this.onmessage?.({ data: typeof message === 'string' ? message : JSON.stringify(message) });
    });
  }

  die(code) {
    if (this.readyState === 3) return;
    this.readyState = 3;
    queueMicrotask(() => this.onclose?.({ code }));
  }

  /** The messages of a type that were sent to the node. */
  of(type) {
    return this.sent.filter((message) => message.type === type);
  }
}
