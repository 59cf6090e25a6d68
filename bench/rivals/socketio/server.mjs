// One node of the rival "Socket.IO": rooms are channels, nodes are joined by its Redis adapter.
//
//   node server.mjs --port 8080 --redis 6379
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { createShardedAdapter } from '@socket.io/redis-adapter';
import { createClient } from 'redis';
import { Server } from 'socket.io';

const { values: options } = parseArgs({ options: { port: { type: 'string' }, redis: { type: 'string' } } });

const publisher = createClient({ url: `redis://127.0.0.1:${options.redis}` });
const subscriber = publisher.duplicate();
for (const client of [publisher, subscriber]) client.on('error', (error) => console.error('redis:', error.message));
await Promise.all([publisher.connect(), subscriber.connect()]);

const http = createServer();
const io = new Server(http, {
  transports: ['websocket'],
  serveClient: false,
  // The one its documentation recommends for what is new: a Redis channel for each room, which a node subscribes to
  // while one of its clients is in the room. The older adapter sends everything to every node.
  adapter: createShardedAdapter(publisher, subscriber),
});

// Its documentation's advice against memory spent on each connection's first request.
io.engine.on('connection', (socket) => (socket.request = null));

io.on('connection', (socket) => {
  socket.on('subscribe', async ({ channel }, done) => {
    socket.join(channel);
    // The adapter does not tell when its subscription stands, but Redis answers a connection in turn.
    await subscriber.ping();
    done('subscribed');
  });
  socket.on('publish', ({ channel, client, op, data }, done) => {
    io.to(channel).emit('stroke', { channel, client, op, data });
    done('ack');
  });
});

http.listen(Number(options.port), '127.0.0.1');
