// One node of the rival "ws + Redis": clients on WebSockets by `ws`, nodes joined by Redis' publish and subscribe.
//
//   node server.mjs --port 8080 --redis 6379 [--stream]
//
// A node subscribes to a channel at Redis while one of its clients has it open. --stream keeps each channel's strokes
// in a Redis stream, and a stroke's id there goes with it.
import { parseArgs } from 'node:util';
import { createClient, defineScript } from 'redis';
import { WebSocket, WebSocketServer } from 'ws';

const { values: options } = parseArgs({
  options: {
    port: { type: 'string' },
    redis: { type: 'string' },
    stream: { type: 'boolean', default: false },
  },
});
const HEARTBEAT_MS = 30_000; // as ws' README has it, for connections that broke silently

// A script: within one round trip, only Redis itself knows the id before the stroke goes out. Nothing comes between the
// two, so subscribers see strokes in the stream's order. Streams are capped, as Redis' manual advises.
const record = defineScript({
  NUMBER_OF_KEYS: 1,
  SCRIPT: `
    local id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', 100000, '*', 'stroke', ARGV[2])
    redis.call('PUBLISH', ARGV[1], '{"type":"stroke","id":"' .. id .. '",' .. string.sub(ARGV[2], 2))
    return id`,
  parseCommand(parser, channel, stroke) {
    parser.pushKey(`strokes:${channel}`);
    parser.push(channel, stroke);
  },
  transformReply: (id) => id,
});

// A connection that subscribes can do nothing else, in Redis' protocol: hence two.
const publisher = createClient({ url: `redis://127.0.0.1:${options.redis}`, scripts: { record } });
const subscriber = createClient({ url: `redis://127.0.0.1:${options.redis}` });
for (const client of [publisher, subscriber]) client.on('error', (error) => console.error('redis:', error.message));
await Promise.all([publisher.connect(), subscriber.connect()]);
// Else the first strokes are refused and sent again with the script in full, and those behind them overtake.
if (options.stream) await publisher.scriptLoad(record.SCRIPT);

const channels = new Map(); // name → { sockets, deliver, standing }

function open(name) {
  const sockets = new Set();
  // The message is Redis' buffer as it came: encoded once, on the node of its publisher.
  const deliver = (message) => {
    for (const socket of sockets) {
      if (socket.readyState === WebSocket.OPEN) socket.send(message, { binary: false });
    }
  };
  const channel = { sockets, deliver, standing: subscriber.subscribe(name, deliver, true) };
  channels.set(name, channel);
  return channel;
}

async function subscribe(socket, name) {
  const channel = channels.get(name) ?? open(name);
  channel.sockets.add(socket);
  socket.channels.add(name);
  await channel.standing;
}

function leave(socket) {
  for (const name of socket.channels) {
    const channel = channels.get(name);
    channel.sockets.delete(socket);
    if (channel.sockets.size > 0) continue;
    channels.delete(name);
    subscriber.unsubscribe(name, channel.deliver, true);
  }
}

function publish(socket, { id, channel, data }) {
  const stroke = { channel, client: socket.client, op: id, data };
  if (options.stream) return publisher.record(channel, JSON.stringify(stroke));
  return publisher.publish(channel, JSON.stringify({ type: 'stroke', ...stroke }));
}

async function answer(socket, message) {
  switch (message.type) {
    case 'publish':
      await publish(socket, message);
      return { type: 'ack', id: message.id };
    case 'subscribe':
      await subscribe(socket, message.channel);
      return { type: 'subscribed', id: message.id };
    case 'hello':
      socket.client = message.client;
      return { type: 'welcome' };
    default:
      throw new Error(`no such type: ${message.type}`);
  }
}

async function receive(socket, bytes) {
  let reply;
  try {
    reply = await answer(socket, JSON.parse(bytes));
  } catch (error) {
    reply = { type: 'error', error: error.message };
  }
  if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(reply));
}

const server = new WebSocketServer({ host: '127.0.0.1', port: Number(options.port), perMessageDeflate: false });
server.on('connection', (socket) => {
  socket.channels = new Set();
  socket.alive = true;
  socket.on('pong', () => (socket.alive = true));
  socket.on('message', (bytes) => receive(socket, bytes));
  socket.on('close', () => leave(socket));
  socket.on('error', () => socket.terminate());
});

setInterval(() => {
  for (const socket of server.clients) {
    if (!socket.alive) socket.terminate();
    socket.alive = false;
    socket.ping();
  }
}, HEARTBEAT_MS);
