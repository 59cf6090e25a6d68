import assert from 'node:assert/strict';
import { test } from 'node:test';
import { URLS, bench } from './support/client_bench.mjs';
import { settle } from './support/fake_clock.mjs';

test('says hello with the subprotocol, and is connected at the welcome', async () => {
  const { network, client } = await bench();
  assert.deepEqual(network.last.protocols, ['inkmesh.v1']);
  assert.deepEqual(network.last.sent[0], { type: 'hello', client: 'ann' });
  assert.equal(client.state.phase, 'connected');
  assert.equal(client.state.node, network.last.nodeId);
  client.close();
});

test('when its node dies it is connected to another within 100 ms', async () => {
  const { network, clock, client } = await bench();
  const { url, node } = client.state;
  await clock.advance(10_000);
  network.kill(url);
  await settle();
  assert.equal(client.state.phase, 'waiting');
  await clock.advance(100);
  assert.equal(client.state.phase, 'connected');
  assert.notEqual(client.state.node, node);
  client.close();
});

test('when two of three nodes die it finds the third within 200 ms', async () => {
  const { network, clock, client } = await bench();
  await clock.advance(10_000);
  const left = URLS.find((url) => url !== client.state.url);
  for (const url of URLS) if (url !== left) network.kill(url);
  await clock.advance(200);
  assert.equal(client.state.phase, 'connected');
  assert.equal(client.state.url, left);
  client.close();
});

test('an attempt that hangs is given up after 700 ms', async () => {
  const { network, clock, client } = await bench();
  await clock.advance(10_000);
  const [dead, ...others] = [client.state.url, ...URLS.filter((url) => url !== client.state.url)];
  for (const url of others) network.set(url, 'hang');
  network.kill(dead);
  await clock.advance(100);
  assert.equal(client.state.phase, 'connecting');
  const hanging = network.last;
  await clock.advance(690);
  network.set(dead, 'up');
  for (const url of others) network.set(url, 'up');
  await clock.advance(200);
  assert.equal(hanging.readyState, 3);
  assert.equal(client.state.phase, 'connected');
  client.close();
});

test('the first node of all is waited for longer, as it has just handed out the page', async () => {
  const { clock, client, network } = await bench({ prepare: (net) => URLS.forEach((url) => net.set(url, 'hang')) });
  await clock.advance(2_900);
  assert.equal(network.attempts.length, 1);
  await clock.advance(200);
  assert.equal(network.attempts.length, 2);
  client.close();
});

test('a node that takes the connection and says no welcome is given up', async () => {
  const { network, clock, client } = await bench();
  await clock.advance(10_000);
  network.kill(client.state.url);
  await settle();
  const count = network.attempts.length;
  const original = network.WebSocket.prototype.send;
  network.WebSocket.prototype.send = () => {};
  await clock.advance(80 + 700);
  network.WebSocket.prototype.send = original;
  await clock.advance(200);
  assert.ok(network.attempts.length > count + 1);
  assert.equal(client.state.phase, 'connected');
  client.close();
});

test('silence is followed by a ping, and an unanswered ping by another node, within 3 s', async () => {
  const { network, clock, client } = await bench();
  await clock.advance(10_000);
  const hung = network.last;
  const pings = hung.of('ping').length;
  assert.ok(pings >= 5, 'it pings while all is well');
  hung.answers = false;
  await clock.advance(2_600);
  assert.equal(hung.readyState, 3);
  assert.equal(client.state.phase, 'connected');
  assert.notEqual(network.last, hung);
  client.close();
});

test('any message counts as a sign of life', async () => {
  const { network, clock, client } = await bench();
  const socket = network.last;
  socket.answers = false;
  for (let i = 0; i < 20; ++i) {
    await clock.advance(500);
    socket.take({ type: 'signal', channel: 'c', client: 'bob', data: 1 });
  }
  await settle();
  assert.equal(network.last, socket);
  assert.equal(socket.of('ping').length, 0);
  client.close();
});

test('a page that slept asks again before it believes its node dead', async () => {
  const { network, clock, client } = await bench();
  const socket = network.last;
  socket.answers = false;
  await clock.advance(800);
  assert.equal(socket.of('ping').length, 1);
  clock.sleep(60_000);
  await clock.advance(0);
  assert.equal(socket.of('ping').length, 2);
  socket.take({ type: 'pong' });
  await clock.advance(1_000);
  assert.equal(network.last, socket);
  client.close();
});

test('a page that was busy reads what came before it gives its node up', async () => {
  const { network, clock, client } = await bench();
  const socket = network.last;
  socket.answers = false;
  await clock.advance(760);
  assert.equal(socket.of('ping').length, 1);
  clock.sleep(1_700); // its timer is due, and runs before the socket's messages
  clock.setTimeout(() => socket.take({ type: 'pong' }), 1);
  await clock.advance(300);
  assert.equal(network.last, socket);
  assert.equal(client.state.phase, 'connected');
  client.close();
});

test('goaway: to another node at once, and not back while it asked to be left alone', async () => {
  const { network, clock, client } = await bench({ urls: URLS.slice(0, 2) });
  const leaving = client.state.url;
  network.last.take({ type: 'goaway', retry_ms: 30_000 });
  await clock.advance(100);
  assert.equal(client.state.phase, 'connected');
  const other = client.state.url;
  assert.notEqual(other, leaving);
  await clock.advance(6_000);
  network.last.die(1006);
  await clock.advance(100);
  assert.equal(client.state.url, other, 'a stopping node is worse than one that dropped a connection');
  client.close();
});

test('while no node answers the attempts get fewer, and one comes back within 5 s', async () => {
  const { network, clock, client } = await bench();
  for (const url of URLS) network.kill(url);
  await clock.advance(60_000);
  const before = network.attempts.length;
  await clock.advance(60_000);
  const perMinute = network.attempts.length - before;
  assert.ok(perMinute >= 12 && perMinute <= 30, `${perMinute} attempts a minute`);
  network.set(URLS[1], 'up');
  await clock.advance(15_000);
  assert.equal(client.state.url, URLS[1]);
  client.close();
});

test('a node that greets and drops is not called in a hot loop', async () => {
  const { network, clock, client } = await bench();
  const count = network.attempts.length;
  for (let i = 0; i < 600; ++i) {
    network.open.forEach((socket) => socket.die(1006));
    await clock.advance(100);
  }
  assert.ok(network.attempts.length - count < 60, `${network.attempts.length - count} attempts in a minute`);
  client.close();
});

test('stay: always the first address', async () => {
  const { network, clock, client } = await bench({ stay: true });
  await clock.advance(10_000);
  network.last.die(1006);
  await clock.advance(500);
  assert.equal(client.state.phase, 'connected');
  assert.deepEqual([...new Set(network.attempts.map(({ url }) => url))], [URLS[0]]);
  client.close();
});

test('hurry: tries at once', async () => {
  const { network, clock, client } = await bench();
  for (const url of URLS) network.kill(url);
  await clock.advance(30_000);
  for (const url of URLS) network.set(url, 'up');
  while (client.state.phase !== 'waiting') await clock.advance(10);
  client.hurry();
  await settle();
  assert.equal(client.state.phase, 'connected');
  client.close();
});

test('a refused token is not tried again at once', async () => {
  const { network, clock, client } = await bench();
  network.last.die(4401);
  const count = network.attempts.length;
  await clock.advance(4_900);
  assert.equal(network.attempts.length, count);
  await clock.advance(1_000);
  assert.equal(network.attempts.length, count + 1);
  client.close();
});

test('frames that are not JSON are reported and harm nothing', async () => {
  const { network, clock, client, violations } = await bench();
  network.last.take('{"type":');
  network.last.take('null');
  network.last.take('[1]');
  await clock.advance(10);
  assert.equal(violations.length, 1);
  assert.equal(client.state.phase, 'connected');
  client.close();
});

test('close leaves no timer and no socket', async () => {
  const { network, clock, client } = await bench();
  client.subscribe('drawing_a');
  client.publish('drawing_a', 1);
  await settle();
  client.close();
  assert.equal(client.state.phase, 'stopped');
  assert.equal(clock.timers, 0);
  assert.equal(network.open.length, 0);
});
