import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InkmeshError, MemoryStorage } from '../client/inkmesh.js';
import { bench } from './support/client_bench.mjs';
import { settle } from './support/fake_clock.mjs';

const CHANNEL = 'drawing_a';

async function publishing(options) {
  const all = await bench(options);
  await all.client.ready;
  const node = {
    get published() {
      return all.network.last.of('publish');
    },
    async ack(message, more = {}) {
      const { id, channel } = message;
      all.network.last.take({ type: 'ack', id, channel, origin: 'ws1~aaaaaaaa', seq: 1, ts: 1, copies: 2, ...more });
      await settle();
    },
    async error(message, code, retryMs) {
      all.network.last.take({ type: 'error', id: message.id, code, message: 'no', retry_ms: retryMs });
      await settle();
    },
    async reconnect() {
      all.network.last.die(1006);
      await all.clock.advance(100);
    },
  };
  return { ...all, node };
}

test('ops count from 1, and an ack ends the wait', async () => {
  const { client, node } = await publishing();
  const first = client.publish(CHANNEL, { a: 1 });
  const second = client.publish(CHANNEL, 'text');
  assert.deepEqual([first.op, second.op], [1, 2]);
  assert.equal(client.state.waiting, 2);
  assert.deepEqual(
    node.published.map(({ op, data, retry }) => [op, data, retry]),
    [
      [1, { a: 1 }, undefined],
      [2, 'text', undefined],
    ],
  );
  await node.ack(node.published[0], { seq: 7 });
  const ack = await first.acked;
  assert.equal(ack.seq, 7);
  assert.equal(ack.op, 1);
  assert.equal(client.state.waiting, 1);
});

test('what is not acknowledged is sent again after a reconnect, as a retry, in order', async () => {
  const { client, node } = await publishing();
  for (let i = 1; i <= 3; ++i) client.publish(CHANNEL, i);
  await node.ack(node.published[1]);
  await node.reconnect();
  assert.deepEqual(
    node.published.map(({ op, data, retry }) => [op, data, retry]),
    [
      [1, 1, true],
      [3, 3, true],
    ],
  );
});

test('what is drawn without a connection is sent on return, not as a retry', async () => {
  const { client, network, clock, node } = await publishing();
  network.attempts.forEach(({ url }) => network.kill(url));
  for (const url of client.nodes.map((entry) => entry.url)) network.kill(url);
  await clock.advance(5_000);
  const { acked } = client.publish(CHANNEL, 'offline');
  assert.equal(client.state.waiting, 1);
  for (const { url } of client.nodes) network.set(url, 'up');
  await clock.advance(10_000);
  assert.deepEqual(node.published.map(({ data, retry }) => [data, retry]).slice(0, 1), [['offline', undefined]]);
  await node.ack(node.published[0]);
  await acked;
});

test('without an ack it is sent again after a while, ever more slowly, as a retry', async () => {
  const { client, clock, node } = await publishing();
  const { acked } = client.publish(CHANNEL, 1);
  await clock.advance(3_900);
  assert.equal(node.published.length, 1);
  await clock.advance(200);
  assert.equal(node.published.length, 2);
  assert.equal(node.published[1].retry, true);
  await clock.advance(60_000);
  const count = node.published.length;
  assert.ok(count >= 4 && count <= 7, `${count} times in a minute`);
  await node.ack(node.published[0]);
  assert.equal((await acked).op, 1, 'an ack of any copy counts');
  await clock.advance(60_000);
  assert.equal(node.published.length, count);
});

test('only so many are under way at once', async () => {
  const { client, node } = await publishing();
  for (let i = 0; i < 200; ++i) client.publish(CHANNEL, i);
  assert.equal(node.published.length, 64);
  await node.ack(node.published[0]);
  assert.equal(node.published.length, 65);
  assert.equal(node.published[64].data, 64);
});

test('large ones count by their bytes', async () => {
  const { client, node } = await publishing();
  for (let i = 0; i < 20; ++i) client.publish(CHANNEL, 'x'.repeat(60_000));
  assert.ok(node.published.length < 12, `${node.published.length} under way`);
});

for (const code of ['rate_limited', 'unavailable', 'storage_full']) {
  test(`${code}: all wait for retry_ms, then go again, as retries`, async () => {
    const { client, clock, node } = await publishing();
    client.publish(CHANNEL, 1);
    await node.error(node.published[0], code, 1_000);
    assert.equal(client.state.trouble, code);
    client.publish(CHANNEL, 2);
    await clock.advance(990);
    assert.equal(node.published.length, 1);
    await clock.advance(300);
    assert.deepEqual(
      node.published.slice(1).map(({ op, retry }) => [op, retry]),
      [
        [1, true],
        [2, undefined],
      ],
    );
    await node.ack(node.published[1]);
    assert.equal(client.state.trouble, undefined);
  });
}

test('a node that takes nothing is left for another, more and more rarely', async () => {
  const { client, clock, node, network } = await publishing();
  client.publish(CHANNEL, 1);
  const moves = [];
  client.on('state', ({ phase, node: at }) => {
    if (phase === 'connected' && moves[moves.length - 1]?.at !== at) moves.push({ at, ms: clock.now() });
  });
  let answered = 0;
  const full = async () => {
    const { published } = node;
    const last = published[published.length - 1];
    if (last && last.id !== answered) await node.error(last, 'storage_full', 500);
    answered = last?.id;
    await clock.advance(100);
  };
  while (clock.now() < 60_000) await full();
  const [first, second, third] = moves.map(({ ms }) => ms).slice(1);
  assert.ok(first >= 4_000 && first < 6_000, `${first}`);
  assert.ok(second - first >= 8_000 && third - second >= 16_000, `${[first, second, third]}`);
  assert.ok(network.attempts.length <= 5);
  while (node.published[node.published.length - 1].id === answered) await clock.advance(100);
  await node.ack(node.published[node.published.length - 1]);
  assert.equal(client.state.waiting, 0);
});

for (const code of ['op_reused', 'too_large', 'bad_message', 'forbidden', 'bad_channel']) {
  test(`${code} is for good: it rejects, is reported, and is not sent again`, async () => {
    const { client, clock, node, network } = await publishing();
    const refused = [];
    client.on('refused', (entry, error) => refused.push([entry.op, entry.data, error.code]));
    const { acked } = client.publish(CHANNEL, 'x');
    const rejected = assert.rejects(acked, (error) => error instanceof InkmeshError && error.code === code);
    await node.error(node.published[0], code);
    await rejected;
    assert.deepEqual(refused, [[1, 'x', code]]);
    await node.reconnect();
    await clock.advance(60_000);
    assert.equal(network.last.of('publish').length, 0);
    assert.equal(client.state.waiting, 0);
  });
}

test('data over 64 KiB, counted in bytes, or no JSON, is refused at once', async () => {
  const { client, node } = await publishing();
  assert.throws(() => client.publish(CHANNEL, 'é'.repeat(33_000)), { code: 'too_large' });
  assert.throws(() => client.publish(CHANNEL, undefined), { code: 'bad_message' });
  client.publish(CHANNEL, 'x'.repeat(65_534));
  assert.equal(node.published.length, 1);
  assert.equal(node.published[0].op, 1, 'a refused one takes no number');
});

test('another life of the client sends what was left, and never uses a number again', async () => {
  const storage = new MemoryStorage();
  const before = await publishing({ storage });
  for (let i = 1; i <= 3; ++i) before.client.publish(CHANNEL, `old ${i}`);
  await before.node.ack(before.node.published[0]);
  before.client.close();
  const after = await publishing({ storage });
  assert.deepEqual(
    after.client.waiting.map(({ op, data }) => [op, data]),
    [
      [2, 'old 2'],
      [3, 'old 3'],
    ],
  );
  assert.deepEqual(
    after.node.published.map(({ op, data, retry }) => [op, data, retry]),
    [
      [2, 'old 2', true],
      [3, 'old 3', true],
    ],
  );
  const { op } = after.client.publish(CHANNEL, 'new');
  assert.ok(op > 3);
  for (const message of after.node.published) await after.node.ack(message);
  assert.deepEqual(await storage.clients(), []);
});

test('numbers are reserved before they are used, however many', async () => {
  const storage = new MemoryStorage();
  let reserved = 0;
  const reserve = storage.reserve.bind(storage);
  storage.reserve = async (client, nextOp) => {
    await reserve(client, nextOp);
    reserved = nextOp;
  };
  const { client, node } = await publishing({ storage });
  for (let i = 0; i < 2_500; ++i) client.publish(CHANNEL, i);
  for (let i = 0; i < node.published.length; ++i) {
    const message = node.published[i];
    assert.ok(message.op < reserved, `op ${message.op} is sent with ${reserved} reserved`);
    client.state.waiting && (await node.ack(message));
  }
  assert.equal(client.state.waiting, 0);
});

test('a storage that fails is reported, and what is drawn is sent all the same', async () => {
  const storage = new MemoryStorage();
  storage.put = () => Promise.reject(new Error('quota'));
  const failures = [];
  const { client, node } = await publishing({ storage });
  client.on('storage_failed', (error) => failures.push(error.message));
  client.publish(CHANNEL, 1);
  await settle();
  assert.deepEqual(failures, ['quota']);
  assert.equal(node.published.length, 1);
});

test('publish before ready is an error, not a lost stroke', async () => {
  const storage = new MemoryStorage();
  let loaded;
  storage.load = () => new Promise((resolve) => (loaded = resolve));
  const { client } = await bench({ storage });
  assert.throws(() => client.publish(CHANNEL, 1), { code: 'unavailable' });
  loaded({ nextOp: 1, entries: [] });
  await client.ready;
  assert.equal(client.publish(CHANNEL, 1).op, 1);
});

test('errors that belong to no request are passed on', async () => {
  const { client, network } = await publishing();
  const errors = [];
  client.on('error', ({ code }) => errors.push(code));
  network.last.take({ type: 'error', code: 'rate_limited', message: 'signals' });
  await settle();
  assert.deepEqual(errors, ['rate_limited']);
});
