// Clients of the rivals, for check.mjs: what the load generator's dialects (bench/load) say, said independently.
import { WebSocket } from 'ws';

/** Each event that a message holds is one of { ready }, { done: id }, { reply }, { stroke }. */
const dialects = {
  'ws-redis': {
    path: '/',
    hello: (client) => JSON.stringify({ type: 'hello', client }),
    subscribe: (id, channel) => JSON.stringify({ type: 'subscribe', id, channel }),
    publish: (id, client, channel, data) => JSON.stringify({ type: 'publish', id, channel, data }),
    *read(text) {
      const message = JSON.parse(text);
      if (message.type === 'welcome') yield { ready: true };
      else if (message.type === 'stroke') yield { stroke: message };
      else if (['ack', 'subscribed'].includes(message.type)) yield { done: message.id };
      else throw new Error(text);
    },
  },

  socketio: {
    path: '/socket.io/?EIO=4&transport=websocket',
    subscribe: (id, channel) => `42${id}${JSON.stringify(['subscribe', { channel }])}`,
    publish: (id, client, channel, data) => `42${id}${JSON.stringify(['publish', { channel, client, op: id, data }])}`,
    *read(text) {
      const [, kind, id, json] = /^(4\d|\d)(\d*)(.*)$/s.exec(text);
      if (kind === '0') yield { reply: '40' };
      else if (kind === '2') yield { reply: '3' };
      else if (kind === '40') yield { ready: true };
      else if (kind === '42') yield { stroke: JSON.parse(json)[1] };
      else if (kind === '43') yield { done: Number(id) };
      else throw new Error(text);
    },
  },

  nats: {
    path: '/',
    hello: (client) => `CONNECT ${JSON.stringify({ verbose: false, protocol: 0, name: client })}\r\n`,
    subscribe: (id, channel) => `SUB ${channel} ${id}\r\nPING\r\n`,
    publish: (id, client, channel, data) => {
      const payload = JSON.stringify(data);
      return `PUB ${channel} ${Buffer.byteLength(payload)}\r\n${payload}\r\n`;
    },
    publishIsDone: true, // NATS does not acknowledge
    *read(text) {
      const lines = text.split('\r\n');
      for (let i = 0; i < lines.length; ++i) {
        const [word, channel] = lines[i].split(' ');
        if (word === 'INFO') yield { ready: true };
        else if (word === 'PONG') yield { done: 'oldest' };
        else if (word === 'PING') yield { reply: 'PONG\r\n' };
        else if (word === 'MSG') yield { stroke: { channel, data: JSON.parse(lines[++i]) } };
        else if (word !== '') throw new Error(lines[i]);
      }
    },
  },
};
dialects['ws-redis-stream'] = dialects['ws-redis'];

export class Client {
  static open(rival, url, name) {
    return new Promise((resolve, reject) => {
      const client = new Client(dialects[rival], url, name);
      client.#ready = resolve;
      client.#socket.on('error', reject);
    });
  }

  onStroke = () => {};
  #dialect;
  #socket;
  #ready;
  #requests = new Map(); // id → what to call when it is done
  #id = 0;

  constructor(dialect, url, name) {
    this.name = name;
    this.#dialect = dialect;
    this.#socket = new WebSocket(url + dialect.path, { perMessageDeflate: false });
    this.#socket.on('open', () => dialect.hello && this.#socket.send(dialect.hello(name)));
    this.#socket.on('message', (bytes) => {
      for (const event of dialect.read(bytes.toString())) this.#take(event);
    });
  }

  subscribe(channel) {
    return this.#request((id) => this.#dialect.subscribe(id, channel));
  }

  /** Resolves when the server has acknowledged it, if it ever does. */
  publish(channel, data) {
    const done = this.#request((id) => this.#dialect.publish(id, this.name, channel, data));
    if (this.#dialect.publishIsDone) this.#finish(this.#id);
    return done;
  }

  close() {
    this.#socket.close();
  }

  #request(message) {
    const id = ++this.#id;
    this.#socket.send(message(id));
    return new Promise((resolve) => this.#requests.set(id, resolve));
  }

  #take({ ready, done, reply, stroke }) {
    if (stroke) this.onStroke(stroke);
    else if (reply) this.#socket.send(reply);
    else if (ready) this.#ready(this);
    else this.#finish(done === 'oldest' ? this.#requests.keys().next().value : done);
  }

  #finish(id) {
    this.#requests.get(id)();
    this.#requests.delete(id);
  }
}
