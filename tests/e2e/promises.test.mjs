// The promises of docs/protocol.md, checked from outside while every node in turn is killed under load and comes back.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { Checker } from './checker.mjs';
import { Client } from './client.mjs';
import { Cluster } from './cluster.mjs';
import { sleep, until } from './process.mjs';
import { Wire } from './wire.mjs';

const CHANNELS = ['promise_a', 'promise_b', 'promise_c', 'promise_d'];
const AUTHORS_PER_NODE = 3;
const FOLLOWERS_PER_NODE = 2;

let cluster;
before(async () => {
  cluster = await Cluster.start();
});
after(async () => {
  await cluster?.stop();
});

/** Draws until it is told to stop, a few strokes under way at a time. */
async function author(client, state) {
  const underWay = new Set();
  for (let i = 0; !state.stopping; ++i) {
    const channel = CHANNELS[(i + client.at) % CHANNELS.length];
    const acked = client.publish(channel, { by: client.name, i, points: [[i, i + 1, 0.5]] });
    underWay.add(acked);
    acked.finally(() => underWay.delete(acked)).catch(() => {});
    if (underWay.size >= 8) await Promise.race(underWay);
    await sleep(4);
  }
  await Promise.all(underWay);
}

it('every acknowledged stroke is at every node, once and in order, though each node was killed under load', async () => {
  const checker = new Checker();
  const followers = [];
  const authors = [];
  for (let at = 0; at < cluster.nodes.length; ++at) {
    const options = { urls: cluster.urls, start: at, watch: checker };
    for (let i = 0; i < FOLLOWERS_PER_NODE; ++i) followers.push(new Client({ ...options, name: `f${at}${i}` }));
    for (let i = 0; i < AUTHORS_PER_NODE; ++i) authors.push(new Client({ ...options, name: `a${at}${i}` }));
  }
  for (const client of followers) await Promise.all(CHANNELS.map((channel) => client.subscribe(channel)));
  for (const client of authors) await client.subscribe(CHANNELS[0]);

  const state = { stopping: false };
  const drawing = authors.map((client) => author(client, state));
  await sleep(700);

  for (const node of cluster.nodes) {
    const before = checker.acks;
    await node.kill();
    await until('strokes are acknowledged without it', () => checker.acks > before + 100);
    // Clients come and go meanwhile, to any node.
    followers[0].cut();
    followers.at(-1).cut();
    await sleep(500);
    node.start();
    await node.ready();
    await sleep(500);
    for (const client of followers.slice(0, 3)) client.cut();
  }
  state.stopping = true;
  await Promise.all(drawing);

  const result = await checker.finish(cluster.nodes);
  console.log(`${result.published} published, ${result.acks} acknowledged, ${result.strokes} stored, ` +
    `${result.copies} second copies, ${result.deliveries} deliveries`);
  assert.ok(result.strokes >= 1000, `only ${result.strokes} strokes: no load`);
  assert.equal(result.acks, result.published);
  for (const client of [...followers, ...authors]) await client.close();
});

it('a subscriber that was away for all of it gets exactly what it missed, at any node', async () => {
  const checker = new Checker();
  const names = ['away_0', 'away_1', 'away_2'];
  const channel = 'promise_away';
  const readers = names.map((name, start) => new Client({ urls: cluster.urls, name, start, watch: checker }));
  const writer = new Client({ urls: cluster.urls, name: 'away_writer', start: 1, watch: checker });
  for (const reader of readers) await reader.subscribe(channel);
  const some = async (count) => {
    const acks = [];
    for (let i = 0; i < count; ++i) acks.push(writer.publish(channel, { i }));
    await Promise.all(acks);
  };
  await some(50);
  await until('seen by all', () => readers.every((reader) => reader.subscriptions.get(channel).strokes.length === 50));
  for (const reader of readers) reader.leave();
  await some(150);
  for (const reader of readers) reader.back();
  await checker.finish(cluster.nodes);
  for (const reader of readers) {
    assert.equal(reader.subscriptions.get(channel).strokes.length, 200);
    await reader.close();
  }
  await writer.close();
});

it('a node that is stopped politely says goaway, closes with 1012, and loses nothing', async () => {
  const checker = new Checker();
  const channel = 'promise_goaway';
  const node = cluster.nodes[1];
  const client = new Client({ urls: cluster.urls, name: 'polite', start: 1, watch: checker });
  await client.subscribe(channel);
  const acks = [];
  for (let i = 0; i < 20; ++i) acks.push(client.publish(channel, { i }));
  const goaway = new Promise((resolve) => client.once('goaway', resolve));
  const disconnected = new Promise((resolve) => client.once('disconnected', resolve));
  await sleep(20);
  const { code } = await node.stop();
  assert.equal(code, 0, 'exit code after SIGTERM');
  assert.ok(Number.isInteger((await goaway).retry_ms));
  assert.equal(await disconnected, 1012);
  await Promise.all(acks);
  node.start();
  await node.ready();
  await checker.finish(cluster.nodes);
  await client.close();
});

it('a retry is acknowledged at another node though the origin, a home, has died: a stand-in takes its place', async () => {
  // Of nine channels some have the dead node and the asked one as homes: the third node must take the second copy.
  const channels = Array.from({ length: 9 }, (_, i) => `promise_orphan_${i}`);
  const publish = (channel, op, more = {}) => ({ type: 'publish', id: op, channel, op, data: { channel }, ...more });
  for (const [at, gone] of cluster.nodes.entries()) {
    const [asked] = cluster.others(gone);
    const reader = await Wire.open(asked.ws);
    for (const [id, channel] of channels.entries()) await reader.ask({ type: 'subscribe', id, channel, live: true });
    const first = await Wire.open(gone.ws, { hello: `orphan_${at}` });
    for (const [i, channel] of channels.entries()) first.send(publish(channel, i + 1));
    for (const channel of channels) await reader.strokes(channel, 1);
    const again = await Wire.open(asked.ws, { hello: `orphan_${at}` });
    await gone.kill();
    for (const [i, channel] of channels.entries()) again.send(publish(channel, i + 1, { retry: true }));
    for (const [i, channel] of channels.entries()) {
      const answer = await again.next((message) => message.id === i + 1);
      assert.deepEqual([answer.type, answer.channel, answer.duplicate], ['ack', channel, true], answer.text);
      assert.ok(answer.copies >= 2);
    }
    for (const wire of [reader, again]) await wire.close();
    gone.start();
    await gone.ready();
  }
});
