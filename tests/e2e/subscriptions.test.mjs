// Subscribing, signals and presence of docs/protocol.md, to the letter, on a running cluster of three.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Cluster } from './cluster.mjs';
import { Wire } from './wire.mjs';
import { sameCursor } from './checker.mjs';

let cluster;
let wires = [];
let channels = 0;
let clients = 0;
const freshChannel = () => `subscriptions_${++channels}`;

async function open(node = 0, hello = `s${++clients}`) {
  const wire = await Wire.open(cluster.urls[node], { hello });
  wires.push(wire);
  return wire;
}

/** Publishes `count` strokes through a node; gives their acks. */
async function draw(node, channel, count, make = (op) => ({ op })) {
  const wire = await open(node);
  const acks = [];
  for (let op = 1; op <= count; ++op) wire.send({ type: 'publish', id: op, channel, op, data: make(op) });
  for (let op = 1; op <= count; ++op) {
    const ack = await wire.next((m) => m.id === op);
    assert.equal(ack.type, 'ack', ack.text);
    acks.push(ack);
  }
  return acks;
}

async function subscribe(wire, channel, begin = {}) {
  const subscribed = await wire.ask({ type: 'subscribe', id: 77, channel, ...begin });
  assert.equal(subscribed.type, 'subscribed', subscribed.text);
  assert.equal(subscribed.channel, channel);
  return subscribed;
}

const seqs = (strokes) => strokes.map((stroke) => stroke.seq);
const range = (first, last) => Array.from({ length: last - first + 1 }, (_, i) => first + i);

before(async () => {
  cluster = await Cluster.start({ settings: { limits: { publish_per_s: 20_000, channels_per_connection: 8 } } });
});
after(() => cluster?.stop());

function suite(name, body) {
  describe(name, () => {
    after(() => {
      for (const wire of wires) wire.terminate();
      wires = [];
    });
    body();
  });
}

suite('subscribe', () => {
  it('without a cursor gives the whole drawing, mode full, at every node; then live, complete', async () => {
    const channel = freshChannel();
    const [{ origin }] = await draw(0, channel, 30);
    for (const node of [0, 1, 2]) {
      const wire = await open(node);
      const subscribed = await subscribe(wire, channel);
      assert.equal(subscribed.mode, 'full');
      assert.deepEqual(subscribed.cursor, {});
      assert.deepEqual(seqs(await wire.strokes(channel, 30)), range(1, 30));
      const live = await wire.next('live');
      assert.deepEqual([live.channel, live.cursor, live.complete], [channel, { [origin]: 30 }, true]);
      assert.deepEqual(await wire.drained(), []);
    }
  });

  it('an empty drawing is live at once', async () => {
    const channel = freshChannel();
    const wire = await open(1);
    const subscribed = await subscribe(wire, channel);
    assert.deepEqual([subscribed.mode, subscribed.cursor], ['full', {}]);
    const live = await wire.next('live');
    assert.deepEqual([live.cursor, live.complete], [{}, true]);
  });

  it('with a cursor gives exactly what lies past it, mode delta, at every node', async () => {
    const channel = freshChannel();
    const [{ origin: a }] = await draw(0, channel, 20);
    const [{ origin: b }] = await draw(1, channel, 10);
    for (const node of [0, 1, 2]) {
      const wire = await open(node);
      const cursor = { [a]: 15, [b]: 10 };
      const subscribed = await subscribe(wire, channel, { cursor });
      assert.equal(subscribed.mode, 'delta');
      assert.deepEqual(subscribed.cursor, cursor);
      const strokes = await wire.strokes(channel, 5);
      assert.ok(strokes.every((stroke) => stroke.origin === a));
      assert.deepEqual(seqs(strokes), range(16, 20));
      const live = await wire.next('live');
      assert.deepEqual([live.cursor, live.complete], [{ [a]: 20, [b]: 10 }, true]);
      assert.deepEqual(await wire.drained(), []);
    }
  });

  it('an origin or a seq that no node has heard of is no error', async () => {
    const channel = freshChannel();
    const [{ origin }] = await draw(0, channel, 3);
    const cursor = { [origin]: 500, 'ws9~zzzzzzzz': 12, 'ws1~00000000': 2 ** 53 - 1 };
    const wire = await open(2);
    const subscribed = await subscribe(wire, channel, { cursor });
    assert.equal(subscribed.mode, 'delta');
    assert.ok(sameCursor(subscribed.cursor, cursor), subscribed.text);
    await wire.next('live');
    const [{ origin: other }] = await draw(1, channel, 2);
    const strokes = await wire.strokes(channel, 2);
    assert.deepEqual(strokes.map((stroke) => [stroke.origin, stroke.seq]), [[other, 1], [other, 2]]);
  });

  it('a cursor that is none is bad_message', async () => {
    const wire = await open();
    const bad = ['[]', '7', '"x"', '{"ws1~5k2m9x1q":-1}', '{"ws1~5k2m9x1q":1.5}', '{"ws1~5k2m9x1q":"1"}',
      '{"ws1~5k2m9x1q":9007199254740992}', '{"ws1~5k2m9x1q":null}', '{"":1}', '{"no origin":1}', '{"ws1~5k2m9x1q":{}}'];
    for (const cursor of bad) {
      wire.send(`{"type":"subscribe","id":3,"channel":"c","cursor":${cursor}}`);
      const error = await wire.next('error');
      assert.deepEqual([error.code, error.id], ['bad_message', 3], cursor);
    }
    for (const since of ['-1', '1.5', '"1"', '9007199254740992', '[]']) {
      wire.send(`{"type":"subscribe","id":3,"channel":"c","since":${since}}`);
      assert.equal((await wire.next('error')).code, 'bad_message', since);
    }
  });

  it('a cursor of 2,000 origins fits into a frame', async () => {
    const cursor = {};
    for (let i = 0; i < 2000; ++i) cursor[`ws1~${String(i).padStart(8, '0')}`] = 1;
    const wire = await open();
    const subscribed = await subscribe(wire, freshChannel(), { cursor });
    assert.ok(sameCursor(subscribed.cursor, cursor));
    await wire.next('live');
  });

  it('since gives the strokes from a timestamp on, mode since, its place as the cursor', async () => {
    const channel = freshChannel();
    const acks = await draw(0, channel, 20);
    const [{ origin }] = acks;
    for (const node of [0, 1, 2]) {
      const wire = await open(node);
      const subscribed = await subscribe(wire, channel, { since: acks[12].ts });
      assert.equal(subscribed.mode, 'since');
      const begin = subscribed.cursor[origin] ?? 0;
      assert.ok(begin <= 12, `begins after ${begin}: misses some`);
      const strokes = await wire.strokes(channel, 20 - begin);
      assert.deepEqual(seqs(strokes), range(begin + 1, 20));
      assert.deepEqual((await wire.next('live')).cursor, { [origin]: 20 });
    }
    const future = await open(0);
    const subscribed = await subscribe(future, channel, { since: acks[19].ts + 3_600_000_000 });
    assert.deepEqual(subscribed.cursor, { [origin]: 20 });
    await future.next('live');
    assert.deepEqual(await future.drained(), []);
  });

  it('live gives nothing from before, and every stroke from its cursor on', async () => {
    const channel = freshChannel();
    const [{ origin }] = await draw(0, channel, 5);
    const wire = await open(1);
    const subscribed = await subscribe(wire, channel, { live: true });
    assert.equal(subscribed.mode, 'live');
    assert.deepEqual((await wire.next('live')).cursor, subscribed.cursor);
    const [{ origin: other }] = await draw(2, channel, 3);
    const strokes = await wire.strokes(channel, 3);
    assert.deepEqual(strokes.map((stroke) => [stroke.origin, stroke.seq]), [[other, 1], [other, 2], [other, 3]]);
    assert.equal(subscribed.cursor[origin], 5);
  });

  it('again on the same connection starts over from what it says then', async () => {
    const channel = freshChannel();
    const [{ origin }] = await draw(0, channel, 10);
    const wire = await open(0);
    await subscribe(wire, channel);
    assert.deepEqual(seqs(await wire.strokes(channel, 10)), range(1, 10));
    await wire.next('live');
    await subscribe(wire, channel, { cursor: { [origin]: 7 } });
    assert.deepEqual(seqs(await wire.strokes(channel, 3)), range(8, 10));
    await wire.next('live');
    await draw(1, channel, 1);
    await wire.strokes(channel, 1);
    assert.deepEqual(await wire.drained(), []);
  });

  it('a stroke has exactly the fields of the protocol', async () => {
    const channel = freshChannel();
    const [ack] = await draw(0, channel, 1);
    const wire = await open(2);
    await subscribe(wire, channel);
    const [stroke] = await wire.strokes(channel, 1);
    const { origin, seq, ts, client, op, data } = stroke;
    assert.deepEqual([origin, seq, ts, op, data], [ack.origin, 1, ack.ts, 1, { op: 1 }]);
    assert.match(client, /^s\d+$/);
    const known = ['type', 'channel', 'origin', 'seq', 'ts', 'client', 'op', 'data', 'duplicate'];
    assert.deepEqual(Object.keys(stroke).filter((field) => !known.includes(field)), []);
  });

  it('batches are at most 256 KiB, whatever is in them', async () => {
    const channel = freshChannel();
    await draw(0, channel, 40, (op) => 'x'.repeat(op % 2 ? 60_000 : 9_000));
    const wire = await open(1);
    let largest = 0;
    let batches = 0;
    wire.socket.on('message', (bytes) => {
      largest = Math.max(largest, bytes.length);
      ++batches;
    });
    await subscribe(wire, channel);
    assert.deepEqual(seqs(await wire.strokes(channel, 40)), range(1, 40));
    assert.ok(largest <= 256 * 1024, `a batch of ${largest} bytes`);
    assert.ok(batches < 30, `${batches} messages for 40 strokes: not batched`);
  });

  it('past the limit of channels is too_many_channels; unsubscribing makes room', async () => {
    const wire = await open();
    for (let i = 0; i < 8; ++i) await subscribe(wire, `many_${i}`);
    const error = await wire.ask({ type: 'subscribe', id: 5, channel: 'many_8' });
    assert.deepEqual([error.type, error.code], ['error', 'too_many_channels']);
    assert.equal((await wire.ask({ type: 'subscribe', id: 6, channel: 'many_3' })).type, 'subscribed');
    await wire.ask({ type: 'unsubscribe', id: 7, channel: 'many_0' });
    assert.equal((await wire.ask({ type: 'subscribe', id: 8, channel: 'many_8' })).type, 'subscribed');
  });

  it('after unsubscribed nothing of the channel comes; what is not subscribed is not_subscribed', async () => {
    const channel = freshChannel();
    const wire = await open(0);
    await subscribe(wire, channel);
    await wire.next('live');
    const answer = await wire.ask({ type: 'unsubscribe', id: 4, channel });
    assert.deepEqual([answer.type, answer.channel], ['unsubscribed', channel]);
    await draw(0, channel, 2);
    assert.deepEqual(await wire.drained(), []);
    for (const type of ['unsubscribe', 'presence']) {
      const error = await wire.ask({ type, id: 5, channel });
      assert.deepEqual([error.type, error.code], ['error', 'not_subscribed']);
    }
  });
});

suite('signals', () => {
  it('reach others on the channel, on every node, with the client; not the sender, not the log', async () => {
    const channel = freshChannel();
    const readers = [await open(0), await open(1), await open(2)];
    const sender = await open(1, 'pointer');
    for (const wire of [...readers, sender]) {
      await subscribe(wire, channel);
      await wire.next('live');
    }
    // Interest travels by gossip: the first signals may be lost.
    let got = [];
    for (let i = 0; i < 40 && got.length < 3; ++i) {
      sender.send({ type: 'signal', channel, data: { x: i } });
      await new Promise((resolve) => setTimeout(resolve, 50));
      got = readers.filter((wire) => wire.received.some((m) => m.type === 'signal'));
    }
    for (const wire of readers) {
      const signal = await wire.next('signal');
      assert.deepEqual(Object.keys(signal).sort(), ['channel', 'client', 'data', 'type']);
      assert.deepEqual([signal.channel, signal.client], [channel, 'pointer']);
    }
    assert.deepEqual((await sender.drained()).filter((m) => m.type === 'signal'), []);
    assert.equal((await cluster.nodes[0].history(channel)).strokes.length, 0);
  });

  it('need no subscription', async () => {
    const channel = freshChannel();
    const reader = await open(0);
    await subscribe(reader, channel);
    await reader.next('live');
    const sender = await open(0);
    sender.send('{"type":"signal","channel":"' + channel + '","data":{ "raw" : 1.0 }}');
    assert.match((await reader.next('signal')).text, /"data":\{ "raw" : 1\.0 \}/);
  });

  it('without data are bad_message', async () => {
    const wire = await open();
    wire.send({ type: 'signal', channel: 'c' });
    assert.equal((await wire.next('error')).code, 'bad_message');
  });
});

suite('presence', () => {
  const present = (message) => message.clients.map(({ client, node }) => `${client}@${node}`).sort();

  it('lists who is on the channel across the cluster, then who joins first and leaves last', async () => {
    const channel = freshChannel();
    const ann = await open(0, 'ann');
    await subscribe(ann, channel);
    const bob = await open(1, 'bob');
    await subscribe(bob, channel);
    await ann.next('live');
    let list;
    for (let i = 0; i < 50; ++i) {
      list = await ann.ask({ type: 'presence', id: i, channel });
      assert.equal(list.channel, channel);
      if (list.clients.length === 2) break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.deepEqual(present(list), ['ann@ws1', 'bob@ws2']);
    ann.received.length = 0;

    const change = (field, client) => ann.next((m) => m.type === 'presence' && m.id === undefined &&
      m[field].some((entry) => entry.client === client));
    const first = await open(2, 'cleo');
    await subscribe(first, channel);
    const joined = await change('joined', 'cleo');
    assert.deepEqual(joined.joined, [{ client: 'cleo', node: 'ws3' }]);
    assert.deepEqual(joined.left, []);

    const second = await open(2, 'cleo');
    await subscribe(second, channel);
    await second.next('live');
    await first.close();
    // A marker from the same node: whatever the second connection and the first's end had to say has come before it.
    const marker = await open(2, 'marker');
    await subscribe(marker, channel);
    await change('joined', 'marker');
    const about = ann.received.filter((m) => JSON.stringify(m).includes('cleo'));
    assert.deepEqual(about, [], 'neither a second connection nor the end of one of two is told');

    second.terminate();
    const left = await change('left', 'cleo');
    assert.deepEqual(left.left, [{ client: 'cleo', node: 'ws3' }]);
    await marker.ask({ type: 'unsubscribe', id: 9, channel });
    await change('left', 'marker');
  });

  it('the same client on two nodes is two', async () => {
    const channel = freshChannel();
    const ann = await open(0, 'dora');
    await subscribe(ann, channel);
    await ann.ask({ type: 'presence', id: 1, channel });
    const other = await open(1, 'dora');
    await subscribe(other, channel);
    const joined = await ann.next((m) => m.type === 'presence' && m.joined?.some((entry) => entry.node === 'ws2'));
    assert.deepEqual(joined.joined, [{ client: 'dora', node: 'ws2' }]);
  });
});
