// Fifty readers stop reading over 100,000 strokes: the node does not buffer for them, others do not notice, and when
// they read on they get every stroke once and in order.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { Canary } from './canary.mjs';
import { Cluster } from './cluster.mjs';
import { sanitized, until, watchMemory } from './process.mjs';
import { Wire } from './wire.mjs';

const READERS = 50;
const STROKES = sanitized ? 20_000 : 100_000;
const UNDER_WAY = 2_000;
const CHANNEL = 'slow';
// 1 MiB of outbox each, the log's tail, and what the allocator keeps. Buffering all would be 800 MiB and more.
const GROWTH_MAX_MIB = sanitized ? 1000 : 180;

let cluster;
before(async () => {
  cluster = await Cluster.start({ settings: { limits: { publish_per_s: 1_000_000 } } });
});
after(() => cluster?.stop());

/** Counts strokes as they come, and fails at the first that is out of order; keeps none. */
async function openReader(url, name) {
  const wire = await Wire.open(url, { hello: name });
  const reader = { wire, seen: 0, position: {} };
  await wire.ask({ type: 'subscribe', id: 1, channel: CHANNEL });
  await wire.next('live');
  wire.take = (bytes) => {
    const message = JSON.parse(bytes.toString());
    for (const stroke of message.type === 'stroke' ? [message] : message.strokes ?? []) {
      const due = (reader.position[stroke.origin] ?? 0) + 1;
      if (stroke.seq !== due) reader.broken ??= `${name}: ${stroke.origin} ${stroke.seq} came, ${due} was due`;
      reader.position[stroke.origin] = stroke.seq;
      ++reader.seen;
    }
  };
  return reader;
}

async function drawAll(url) {
  const wire = await Wire.open(url, { hello: 'fast_author' });
  let acked = 0;
  let refusal;
  let wake;
  wire.take = (bytes) => {
    const message = JSON.parse(bytes.toString());
    if (message.type === 'ack') ++acked;
    else refusal ??= bytes.toString();
    wake?.();
  };
  for (let op = 1; op <= STROKES; ++op) {
    wire.send(`{"type":"publish","id":${op},"channel":"${CHANNEL}","op":${op},"data":{"p":[${op},${op * 2}],"w":3}}`);
    while (op - acked >= UNDER_WAY && !refusal) await new Promise((resolve) => { wake = resolve; });
    if (refusal) throw new Error(`refused: ${refusal}`);
  }
  await until('every stroke is acknowledged', () => acked === STROKES, 60_000);
  await wire.close();
}

it(`${READERS} readers that stop, ${STROKES} strokes`, async () => {
  const [node, other] = cluster.nodes;
  const slow = [];
  for (let i = 0; i < READERS; ++i) slow.push(await openReader(node.ws, `slow_${i}`));
  const good = [await openReader(node.ws, 'good_here'), await openReader(other.ws, 'good_there')];
  for (const { wire } of slow) wire.socket.pause();

  const canary = await Canary.start(node, other);
  const memory = await watchMemory(node.pid);
  const begin = Date.now();
  await drawAll(node.ws);
  const drawnMs = Date.now() - begin;
  await until('those who read have it all', () => good.every(({ seen }) => seen === STROKES), 30_000);
  const stalled = await memory.stop();
  const harm = await canary.stop({ medianMs: 500, maxMs: 5_000 });
  const held = slow.map(({ seen }) => seen);
  console.log(`drawn in ${drawnMs} ms, memory +${stalled.grown.toFixed(0)} MiB to ${stalled.peak.toFixed(0)}, canary median ` +
    `${harm.median.toFixed(1)} ms, worst ${harm.max.toFixed(0)} ms`);
  assert.ok(Math.max(...held) < STROKES / 2, 'the readers did not stop');
  assert.ok(stalled.grown < GROWTH_MAX_MIB, `memory grew by ${stalled.grown.toFixed(0)} MiB`);
  assert.ok(slow.every(({ wire }) => wire.closeCode === undefined), 'a reader was cut off for slowness alone');
  const lagging = (await node.metrics()).filter((sample) => /lagging/.test(sample.name));
  assert.ok(lagging.some((sample) => sample.value >= READERS), 'the metrics do not show that they lag');

  const catchUp = await watchMemory(node.pid);
  const resumed = Date.now();
  for (const { wire } of slow) wire.socket.resume();
  await until('the slow ones have it all', () => slow.every(({ seen }) => seen >= STROKES), 90_000);
  const caught = await catchUp.stop();
  console.log(`caught up in ${Date.now() - resumed} ms, memory +${caught.grown.toFixed(0)} MiB`);
  for (const reader of [...slow, ...good]) {
    assert.equal(reader.broken, undefined);
    assert.equal(reader.seen, STROKES);
    assert.deepEqual(Object.values(reader.position), [STROKES]);
  }
  assert.ok(caught.grown < GROWTH_MAX_MIB, `memory grew by ${caught.grown.toFixed(0)} MiB while they caught up`);
  for (const { wire } of [...slow, ...good]) wire.terminate();
});
