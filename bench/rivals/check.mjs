// Whether every rival does what it is measured by: three nodes, thirty subscribers over all of them, and each stroke
// comes to each of them once, in its publisher's order, and to nobody else.
//
//   node check.mjs [RIVAL…]      after python3 bench/harness/rivals.py --prepare
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client } from './clients.mjs';

const RIVALS = ['ws-redis', 'ws-redis-stream', 'socketio', 'nats'];
const LAUNCHER = fileURLToPath(new URL('../harness/rivals.py', import.meta.url));
const SUBSCRIBERS = 30;
const PUBLISHERS = 6;
const STROKES_EACH = 50;
const PATIENCE_MS = 10_000;

async function launched(rival, use) {
  const launcher = spawn('python3', [LAUNCHER, rival, '--nodes', '3'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exit = once(launcher, 'exit');
  try {
    for await (const line of createInterface(launcher.stdout)) return await use(JSON.parse(line).urls);
    throw new Error(`${rival} did not start`);
  } finally {
    launcher.stdin.end();
    await exit;
  }
}

function openAll(rival, urls, kind, count) {
  return Promise.all(Array.from({ length: count }, (_, i) => Client.open(rival, urls[i % urls.length], `${kind}${i}`)));
}

async function until(holds, what) {
  const deadline = Date.now() + PATIENCE_MS;
  while (!holds()) {
    assert.ok(Date.now() < deadline, what());
    await sleep(5);
  }
}

/** NATS' nodes hear of each other's subscriptions a moment after these are confirmed: so publish until all have heard. */
async function warmUp(publishers, subscribers, channel) {
  const heardOf = ({ strokes }) => new Set(strokes.map(({ data }) => data.by)).size;
  const heard = () => subscribers.every((each) => heardOf(each) === PUBLISHERS);
  await until(
    () => {
      if (heard()) return true;
      for (const each of publishers) each.publish(channel, { by: each.name, seq: 0 });
    },
    () => 'the nodes do not hear of each other',
  );
}

function assertRising(ids) {
  const key = (id) => id.split('-').map((part) => part.padStart(20, '0')).join();
  const keys = ids.map(key);
  assert.deepEqual(keys, [...new Set(keys)].sort());
}

async function check(rival, urls) {
  const channel = 'drawing';
  const subscribers = await openAll(rival, urls, 'subscriber', SUBSCRIBERS);
  const publishers = await openAll(rival, urls, 'publisher', PUBLISHERS);
  const elsewhere = await Client.open(rival, urls[1], 'elsewhere');
  elsewhere.onStroke = () => assert.fail('a stroke of another channel');
  for (const each of subscribers) {
    each.strokes = [];
    each.onStroke = (stroke) => each.strokes.push(stroke);
  }
  await Promise.all([...subscribers.map((each) => each.subscribe(channel)), elsewhere.subscribe('another')]);
  if (rival === 'nats') await warmUp(publishers, subscribers, channel);

  const start = performance.now();
  const acks = [];
  for (let seq = 1; seq <= STROKES_EACH; ++seq) {
    for (const each of publishers) acks.push(each.publish(channel, { by: each.name, seq, pts: [[12, 40], [13, 44]] }));
  }
  await Promise.all(acks);
  const wanted = PUBLISHERS * STROKES_EACH;
  const real = ({ strokes }) => strokes.filter(({ data }) => data.seq > 0);
  const fewest = () => Math.min(...subscribers.map((each) => real(each).length));
  await until(() => fewest() >= wanted, () => `only ${fewest()} of ${wanted} strokes came`);
  const took = performance.now() - start;
  await sleep(200); // for what should not come

  for (const each of subscribers) {
    const strokes = real(each);
    assert.equal(strokes.length, wanted);
    for (const { name } of publishers) {
      const own = strokes.filter(({ data }) => data.by === name).map(({ data }) => data.seq);
      assert.deepEqual(own, Array.from({ length: STROKES_EACH }, (_, i) => i + 1));
    }
    assert.ok(strokes.every((stroke) => stroke.channel === channel));
    if (rival !== 'nats') assert.ok(strokes.every(({ client, op, data }) => client === data.by && op > 0));
    if (rival === 'ws-redis-stream') assertRising(strokes.map(({ id }) => id));
  }
  for (const each of [...subscribers, ...publishers, elsewhere]) each.close();
  const what = `${wanted} strokes to each of ${SUBSCRIBERS} subscribers, once and in order`;
  console.log(`${rival}: ${what}, in ${took.toFixed()} ms`);
}

for (const rival of process.argv.length > 2 ? process.argv.slice(2) : RIVALS) {
  await launched(rival, (urls) => check(rival, urls));
}
