// Floods from a process of its own: the node's memory stays bounded, it stays up, and a well-behaved pair of clients
// on it hardly notices.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Canary } from './canary.mjs';
import { Client } from './client.mjs';
import { Cluster, httpGet } from './cluster.mjs';
import { run, sanitized, sleep, until, watchMemory } from './process.mjs';
import { Wire } from './wire.mjs';

const flooder = path.join(path.dirname(fileURLToPath(import.meta.url)), 'flooder.mjs');
const SECONDS = 2.5;
// An outbox may hold 1 MiB for each of 50 hostile connections; what allocators keep comes on top.
const GROWTH_MAX_MIB = sanitized ? 1000 : 120;

let cluster;
let node;

before(async () => {
  cluster = await Cluster.start();
  [node] = cluster.nodes;
  // 8 MiB of strokes, for those who ask for much and read nothing.
  const author = new Client({ urls: [node.ws], name: 'heavy' });
  for (let i = 0; i < 10; ++i) {
    await Promise.all(Array.from({ length: 20 }, () => author.publish('heavy', 'x'.repeat(40_000))));
  }
  await author.close();
});
after(() => cluster?.stop());

/** The descriptors that this machine gives to a process, less some for other uses. */
function descriptors() {
  const hard = /Max open files\s+\S+\s+(\S+)/.exec(readFileSync('/proc/self/limits', 'utf8'))[1];
  return Math.min(hard === 'unlimited' ? Infinity : Number(hard), 20_000) - 500;
}

function flood(kind, count, { seconds = SECONDS, growthMib = GROWTH_MAX_MIB, judge } = {}) {
  it(`${kind}, ${count} connections`, async () => {
    const canary = await Canary.start(node, cluster.nodes[1], `canary_${kind}`);
    const memory = await watchMemory(node.pid);
    const args = [flooder, kind, `${node.port}`, `${seconds}`, `${count}`];
    const running = run(process.execPath, args, { timeoutMs: 60_000 });
    await sleep(seconds * 500);
    // Whoever comes in the middle of it from elsewhere still gets in.
    const newcomer = await until('a newcomer is let in', () => Wire.open(node.ws, { hello: 'newcomer' }), 5_000, 100);
    await newcomer.close();
    const flooding = await running;
    const { grown, peak } = await memory.stop();
    cluster.assertAllRunning();
    assert.equal(flooding.code, 0, flooding.stderr);
    const result = JSON.parse(flooding.stdout);
    // Floods compete for the same two processors: what counts is that the canary is served all along.
    const harm = await canary.stop({ medianMs: 400, maxMs: 5_000 });
    console.log(`${flooding.stdout.trim()} memory +${grown.toFixed(0)} to ${peak.toFixed(0)} MiB, canary median ` +
      `${harm.median.toFixed(1)} ms, worst ${harm.max.toFixed(0)} ms`);
    assert.ok(grown < growthMib, `memory grew by ${grown.toFixed(0)} MiB`);
    judge?.(result);
    assert.equal((await httpGet(`${node.http}/healthz`)).status, 200);
  });
}

const allClosed = ({ opened, closed }) => assert.ok(closed >= opened * 0.9, `${closed} of ${opened} were closed`);

flood('half_open', Math.min(10_000, descriptors()), { seconds: 6 });
flood('ping_frames', 20);
flood('pings', 20);
flood('bad_messages', 20, { judge: allClosed });
flood('subscriptions', 20);
flood('presence', 20);
flood('signals', 20);
flood('publishes', 20);
flood('empty_fragments', 10, { judge: allClosed });
flood('small_fragments', 10, { judge: allClosed });
flood('bodies', 50, { judge: allClosed });
flood('pipelined_history', 50);
flood('pipelined_page', 50);
flood('never_read', 100, { growthMib: GROWTH_MAX_MIB + 100 });
flood('churn', 50);

it('afterwards the node is ready, sees its peers, and gives the memory of floods back or keeps it bounded', async () => {
  await node.ready();
  const status = await node.status();
  assert.deepEqual(status.peers.map((peer) => peer.state), ['up', 'up']);
});
