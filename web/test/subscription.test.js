import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bench, stroke } from './support/client_bench.mjs';
import { settle } from './support/fake_clock.mjs';

const CHANNEL = 'drawing_a';
const A = 'ws1~aaaaaaaa';
const B = 'ws2~bbbbbbbb';

/** A client with the channel open and answered. */
async function open(options = {}, subscribeOptions) {
  const all = await bench(options);
  const subscription = all.client.subscribe(CHANNEL, subscribeOptions);
  const got = [];
  const events = [];
  subscription.on('strokes', (strokes) => got.push(...strokes.map(({ origin, seq }) => `${origin} ${seq}`)));
  subscription.on('reset', () => events.push('reset'));
  subscription.on('live', ({ complete }) => events.push(complete ? 'live' : 'live, incomplete'));
  subscription.on('refused', ({ code }) => events.push(code));
  const node = {
    get socket() {
      return all.network.last;
    },
    get asked() {
      return all.network.last.of('subscribe');
    },
    async say(...messages) {
      for (const message of messages) all.network.last.take({ channel: CHANNEL, ...message });
      await settle();
    },
    subscribed(mode = 'full', cursor = {}) {
      return this.say({ type: 'subscribed', id: this.asked[this.asked.length - 1].id, mode, cursor });
    },
    strokes(...list) {
      return this.say({ type: 'strokes', strokes: list });
    },
    async reconnect() {
      all.network.last.die(1006);
      await all.clock.advance(100);
    },
  };
  return { ...all, subscription, node, got, events };
}

test('the first time it asks for the whole drawing, and goes live', async () => {
  const { node, subscription, got, events } = await open();
  assert.equal(node.asked[0].cursor, undefined);
  await node.subscribed();
  assert.equal(subscription.state, 'replaying');
  await node.strokes(stroke(A, 1), stroke(A, 2), stroke(B, 1));
  await node.say({ type: 'live', cursor: { [A]: 2, [B]: 1 }, complete: true });
  await node.say({ type: 'stroke', ...stroke(A, 3) });
  assert.deepEqual(got, [`${A} 1`, `${A} 2`, `${B} 1`, `${A} 3`]);
  assert.deepEqual(subscription.cursor, { [A]: 3, [B]: 1 });
  assert.equal(subscription.state, 'live');
  assert.equal(subscription.complete, true);
  assert.deepEqual(events, ['live']);
});

test('after a lost connection it shows its cursor, and gets each stroke once', async () => {
  const { node, got, violations } = await open();
  await node.subscribed();
  await node.strokes(stroke(A, 1), stroke(A, 2));
  await node.reconnect();
  assert.deepEqual(node.asked[0].cursor, { [A]: 2 });
  await node.subscribed('delta', { [A]: 2 });
  await node.strokes(stroke(A, 3), stroke(B, 1));
  assert.deepEqual(got, [`${A} 1`, `${A} 2`, `${A} 3`, `${B} 1`]);
  assert.deepEqual(violations, []);
});

test('a connection that is lost before the first answer is no cursor', async () => {
  const { node } = await open({}, { since: 77 });
  assert.equal(node.asked[0].since, 77);
  await node.reconnect();
  assert.equal(node.asked[0].since, 77);
  assert.equal(node.asked[0].cursor, undefined);
});

test('since and live begin where the node says, and come back with a cursor', async () => {
  const { node, got, violations } = await open({}, { live: true });
  assert.equal(node.asked[0].live, true);
  await node.subscribed('live', { [A]: 40 });
  await node.say({ type: 'live', cursor: { [A]: 40 }, complete: true });
  await node.say({ type: 'stroke', ...stroke(A, 41) });
  await node.reconnect();
  assert.deepEqual(node.asked[0].cursor, { [A]: 41 });
  assert.equal(node.asked[0].live, undefined);
  assert.deepEqual(got, [`${A} 41`]);
  assert.deepEqual(violations, []);
});

test('a stroke that comes again is reported and not shown', async () => {
  const { node, got, violations } = await open();
  await node.subscribed();
  await node.strokes(stroke(A, 1), stroke(A, 1), stroke(A, 2));
  await node.say({ type: 'stroke', ...stroke(A, 1) });
  assert.deepEqual(got, [`${A} 1`, `${A} 2`]);
  assert.deepEqual(
    violations.map(({ what, origin, seq, due }) => [what, origin, seq, due]),
    [
      ['a stroke came again', A, 1, 2],
      ['a stroke came again', A, 1, 3],
    ],
  );
  assert.equal(node.asked.length, 1, 'it needs nothing from the node');
});

test('after a gap it shows nothing of that origin, and asks again from its cursor', async () => {
  const { node, clock, got, violations } = await open();
  await node.subscribed();
  await clock.advance(2_000);
  await node.strokes(stroke(A, 1), stroke(A, 3), stroke(B, 1));
  assert.deepEqual(got, [`${A} 1`, `${B} 1`]);
  assert.equal(violations.length, 1);
  assert.equal(node.asked.length, 2);
  assert.deepEqual(node.asked[1].cursor, { [A]: 1, [B]: 1 });
  await node.say({ type: 'stroke', ...stroke(A, 4) });
  assert.equal(violations.length, 1, 'what was on its way belongs to the earlier request');
  await node.subscribed('delta', { [A]: 1, [B]: 1 });
  await node.strokes(stroke(A, 2), stroke(A, 3), stroke(A, 4));
  assert.deepEqual(got.slice(2), [`${A} 2`, `${A} 3`, `${A} 4`]);
});

test('a node that breaks its promise again and again is not asked in a circle', async () => {
  const { node, clock } = await open();
  await node.subscribed();
  for (let i = 0; i < 100; ++i) {
    await node.strokes(stroke(A, 5));
    await node.subscribed('delta', {});
    await clock.advance(100);
  }
  assert.ok(node.asked.length <= 13, `${node.asked.length} requests in 10 s`);
  assert.ok(node.asked.length >= 9);
});

test('live before all strokes came is reported, and asked again', async () => {
  const { node, clock, subscription, violations, events } = await open();
  await node.subscribed();
  await clock.advance(2_000);
  await node.say({ type: 'live', cursor: { [A]: 2 }, complete: true });
  assert.deepEqual(events, []);
  assert.equal(violations[0].what, 'live before all strokes came');
  assert.equal(node.asked.length, 2);
  assert.equal(subscription.state, 'waiting');
});

test('incomplete, then the missing strokes, then complete', async () => {
  const { node, subscription, events, violations } = await open();
  await node.subscribed();
  await node.say({ type: 'live', cursor: {}, complete: false });
  assert.equal(subscription.complete, false);
  await node.strokes(stroke(B, 1));
  await node.say({ type: 'live', cursor: { [B]: 1 }, complete: true });
  assert.equal(subscription.complete, true);
  assert.deepEqual(events, ['live, incomplete', 'live']);
  assert.deepEqual(violations, []);
});

test('reset, asked or not: everything is forgotten, and the whole drawing follows', async () => {
  for (const message of [
    { type: 'subscribed', mode: 'reset', cursor: {} },
    { type: 'reset', cursor: {} },
  ]) {
    const { node, got, events, violations } = await open();
    await node.subscribed();
    await node.strokes(stroke(A, 1), stroke(A, 2));
    await node.say(message);
    await node.strokes(stroke(A, 1));
    assert.deepEqual(events, ['reset']);
    assert.deepEqual(got, [`${A} 1`, `${A} 2`, `${A} 1`]);
    assert.deepEqual(violations, []);
  }
});

test('a node that answers a cursor with the whole drawing makes us forget', async () => {
  const { node, events, violations } = await open();
  await node.subscribed();
  await node.strokes(stroke(A, 1));
  await node.reconnect();
  await node.subscribed('full', {});
  await node.strokes(stroke(A, 1));
  assert.deepEqual(events, ['reset']);
  assert.deepEqual(violations, []);
});

test('a cursor that is too large for a frame is not shown, however long its nodes\' names are', async () => {
  for (const [id, lives, fits] of [['ws1', 5_000, true], ['ws1', 6_000, false], ['n'.repeat(32), 2_000, true], ['n'.repeat(32), 2_200, false]]) {
    const { node, events } = await open();
    await node.subscribed();
    await node.strokes(...Array.from({ length: lives }, (_, i) => stroke(`${id}~${String(i).padStart(8, '0')}`, 1)));
    await node.reconnect();
    const [asked] = node.asked;
    assert.equal(asked.cursor !== undefined, fits, `${lives} lives of ${id}`);
    assert.ok(JSON.stringify(asked).length <= 96 * 1024);
    await node.subscribed(fits ? 'delta' : 'full', asked.cursor ?? {});
    assert.deepEqual(events, fits ? [] : ['reset']);
  }
});

test('another cursor in the answer than was shown is reported', async () => {
  const { node, violations } = await open();
  await node.subscribed();
  await node.strokes(stroke(A, 1));
  await node.reconnect();
  await node.subscribed('delta', {});
  assert.equal(violations[0].what, 'subscribed at another cursor than was shown');
});

test('answers to an earlier request are not taken for the last one', async () => {
  const { node, subscription } = await open();
  const first = node.asked[0].id;
  await node.say({ type: 'error', id: first, code: 'unavailable', retry_ms: 10 });
  await node.say({ type: 'subscribed', id: first, mode: 'full', cursor: {} });
  assert.equal(subscription.state, 'waiting');
});

test('unavailable is asked again after retry_ms; too many channels is for good', async () => {
  const { node, clock, subscription, events } = await open();
  await node.say({ type: 'error', id: node.asked[0].id, code: 'unavailable', message: 'busy', retry_ms: 300 });
  await clock.advance(290);
  assert.equal(node.asked.length, 1);
  await clock.advance(20);
  assert.equal(node.asked.length, 2);
  await node.say({ type: 'error', id: node.asked[1].id, code: 'too_many_channels', message: 'no' });
  await clock.advance(60_000);
  assert.equal(node.asked.length, 2);
  assert.deepEqual(events, ['too_many_channels']);
  assert.equal(subscription.state, 'waiting');
});

test('presence: the list, then who joined and left', async () => {
  const { node, subscription } = await open({}, { presence: true });
  const changes = [];
  subscription.on('presence', (present, { joined, left }) =>
    changes.push(
      [present, joined, left].map((list) => list.map(({ client, node: where }) => `${client}@${where}`).join()),
    ),
  );
  await node.subscribed();
  const [asked] = node.socket.of('presence');
  const who = (client, where) => ({ client, node: where });
  await node.say({ type: 'presence', id: asked.id, clients: [who('ann', 'ws1'), who('bob', 'ws2')] });
  await node.say({ type: 'presence', joined: [who('bob', 'ws3')], left: [who('bob', 'ws2')] });
  await node.say({ type: 'presence', joined: 'x', left: [null, { client: 1 }] });
  assert.deepEqual(changes, [
    ['ann@ws1,bob@ws2', 'ann@ws1,bob@ws2', ''],
    ['ann@ws1,bob@ws3', 'bob@ws3', 'bob@ws2'],
    ['ann@ws1,bob@ws3', '', ''],
  ]);
});

test('strokes that are none are reported and harm nothing', async () => {
  const { node, got, violations } = await open();
  await node.subscribed();
  await node.strokes(null, 1, {}, { ...stroke(A, 1), seq: '1' }, { ...stroke(A, 1), ts: 2 ** 60 }, stroke(A, 1));
  await node.say({ type: 'strokes' });
  assert.deepEqual(got, [`${A} 1`]);
  assert.equal(violations.length, 5);
});

test('unsubscribe says so, and nothing comes any more', async () => {
  const { node, client, got } = await open();
  await node.subscribed();
  client.unsubscribe(CHANNEL);
  await node.strokes(stroke(A, 1));
  assert.equal(node.socket.of('unsubscribe')[0].channel, CHANNEL);
  assert.deepEqual(got, []);
});
