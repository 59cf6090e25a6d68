// Enough of a cluster for the page: HTTP and WebSocket servers in one process that share one log and speak the client
// protocol. Nodes can be killed, hung and started again; answers can be withheld.
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import { WebSocketServer } from 'ws';

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

export class FakeCluster {
  /** @param {string} [folder] The bundled page. */
  constructor(folder) {
    this.folder = folder;
    this.nodes = [];
    this.channels = new Map(); // name -> {strokes, byOp, lastTs}
    this.acking = true;
    this.complete = true;
  }

  /** @param {number[]} ports 0: a free one. */
  async start(ports) {
    for (const [i, port] of ports.entries()) {
      const node = new FakeNode(this, `ws${i + 1}`);
      this.nodes.push(node);
      await node.start(port);
    }
    return this;
  }

  stop() {
    return Promise.all(this.nodes.map((node) => node.kill()));
  }

  channel(name) {
    if (!this.channels.has(name)) this.channels.set(name, { strokes: [], byOp: new Map(), lastTs: 0 });
    return this.channels.get(name);
  }

  /** Puts a stroke into the log, as any node would; `at` decides what is not given. */
  append(name, { origin, client, op, data, ts }) {
    const channel = this.channel(name);
    const seq = channel.strokes.filter((stroke) => stroke.origin === origin).length + 1;
    const stroke = { origin, seq, ts: ts ?? Math.max(Date.now() * 1000, channel.lastTs + 1), client, op, data };
    channel.lastTs = Math.max(channel.lastTs, stroke.ts);
    channel.strokes.push(stroke);
    channel.byOp.set(`${client} ${op}`, stroke);
    for (const node of this.nodes) node.deliver(name, { type: 'stroke', channel: name, ...stroke });
    return stroke;
  }

  present(name) {
    return this.nodes.flatMap((node) => node.present(name));
  }

  presenceChanged(name, change) {
    for (const node of this.nodes)
      node.deliver(name, { type: 'presence', channel: name, joined: [], left: [], ...change });
  }
}

class FakeNode {
  constructor(cluster, id) {
    this.cluster = cluster;
    this.id = id;
    this.lives = 0;
    this.sessions = new Set();
    this.port = 0;
    this.hung = false;
  }

  get address() {
    return `127.0.0.1:${this.port}`;
  }

  async start(port = this.port) {
    this.origin = `${this.id}~${String(++this.lives).padStart(8, '0')}`;
    this.server = http.createServer((request, response) => this.answer(request, response));
    this.sockets = new WebSocketServer({ server: this.server, path: '/ws', handleProtocols: () => 'inkmesh.v1' });
    this.sockets.on('connection', (socket) => this.sessions.add(new FakeSession(this, socket)));
    await new Promise((resolve) => this.server.listen(port, '127.0.0.1', resolve));
    this.port = this.server.address().port;
  }

  /** Dies like a process that gets SIGKILL: every connection is gone at once. */
  async kill() {
    if (!this.server) return;
    const { server } = this;
    this.server = undefined;
    for (const session of [...this.sessions]) session.socket.terminate();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  goaway(retryMs) {
    for (const session of this.sessions) {
      session.send({ type: 'goaway', retry_ms: retryMs });
      session.socket.close(1012);
    }
  }

  deliver(channel, message) {
    for (const session of this.sessions) if (session.channels.has(channel)) session.send(message);
  }

  present(channel) {
    const here = [...this.sessions].filter((session) => session.channels.has(channel));
    return here.map((session) => ({ client: session.client, node: this.id }));
  }

  async answer(request, response) {
    const { pathname } = new URL(request.url, 'http://node');
    if (pathname === '/status') {
      const nodes = this.cluster.nodes.map(({ id, address }) => ({ id, client: address }));
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify({ node: this.id, nodes }));
      return;
    }
    const name = pathname === '/' ? 'index.html' : path.basename(pathname);
    try {
      const bytes = await readFile(path.join(this.cluster.folder, name));
      response.setHeader('Content-Type', TYPES[path.extname(name)] ?? 'application/octet-stream');
      response.end(bytes);
    } catch {
      response.statusCode = 404;
      response.end();
    }
  }
}

class FakeSession {
  constructor(node, socket) {
    this.node = node;
    this.socket = socket;
    this.channels = new Set();
    this.client = 'unnamed';
    socket.on('message', (bytes) => !node.hung && this.take(JSON.parse(bytes.toString())));
    socket.on('error', () => {});
    socket.on('close', () => {
      node.sessions.delete(this);
      for (const channel of this.channels) this.node.cluster.presenceChanged(channel, { left: [this.who] });
    });
  }

  get who() {
    return { client: this.client, node: this.node.id };
  }

  send(message) {
    if (this.socket.readyState === 1 && !this.node.hung) this.socket.send(JSON.stringify(message));
  }

  take(message) {
    const { type, id, channel } = message;
    const { cluster } = this.node;
    if (type === 'hello') {
      this.client = message.client;
      const limits = { message_bytes: 98304, channels: 256, publish_per_s: 200 };
      this.send({ type: 'welcome', node: this.node.id, client: this.client, limits });
    } else if (type === 'ping') this.send({ type: 'pong' });
    else if (type === 'subscribe') this.subscribe(message);
    else if (type === 'unsubscribe') {
      this.channels.delete(channel);
      this.send({ type: 'unsubscribed', id, channel });
      cluster.presenceChanged(channel, { left: [this.who] });
    } else if (type === 'presence') this.send({ type: 'presence', id, channel, clients: cluster.present(channel) });
    else if (type === 'signal') {
      for (const node of cluster.nodes) {
        for (const session of node.sessions) {
          if (session === this || !session.channels.has(channel)) continue;
          session.send({ type: 'signal', channel, client: this.client, data: message.data });
        }
      }
    } else if (type === 'publish') this.publish(message);
    else this.send({ type: 'error', id, code: 'bad_message', message: type });
  }

  subscribe({ id, channel, cursor }) {
    const seen = cursor ?? {};
    this.send({ type: 'subscribed', id, channel, mode: cursor ? 'delta' : 'full', cursor: seen });
    const { strokes } = this.node.cluster.channel(channel);
    const delta = strokes.filter(({ origin, seq }) => seq > (seen[origin] ?? 0));
    for (let i = 0; i < delta.length; i += 100) {
      this.send({ type: 'strokes', channel, strokes: delta.slice(i, i + 100) });
    }
    const reached = {};
    for (const { origin, seq } of strokes) reached[origin] = seq;
    this.send({ type: 'live', channel, cursor: reached, complete: this.node.cluster.complete });
    this.channels.add(channel);
    this.node.cluster.presenceChanged(channel, { joined: [this.who] });
  }

  publish({ id, channel, op, data }) {
    const { cluster } = this.node;
    const known = cluster.channel(channel).byOp.get(`${this.client} ${op}`);
    if (known && JSON.stringify(known.data) !== JSON.stringify(data)) {
      this.send({ type: 'error', id, code: 'op_reused', message: 'other data' });
      return;
    }
    const { origin, seq, ts } =
      known ?? cluster.append(channel, { origin: this.node.origin, client: this.client, op, data });
    if (!cluster.acking) return;
    this.send({ type: 'ack', id, channel, origin, seq, ts, copies: 2, ...(known ? { duplicate: true } : {}) });
  }
}
