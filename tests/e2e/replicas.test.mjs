// `replicas` and `ack` of a running cluster are changed as docs/operations.md says: the new file everywhere, then one
// restart after the other, while people draw. Nothing is lost or repeated, and strokes are where the new file says.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, it } from 'node:test';
import { Checker } from './checker.mjs';
import { Client } from './client.mjs';
import { Cluster, inkmesh } from './cluster.mjs';
import { DrawingOn } from './drawing_on.mjs';
import { run, sleep, until } from './process.mjs';

const CHANNELS = Array.from({ length: 12 }, (_, i) => `copies_${i}`);
const LONE = 24; // drawings that one person draws at one node, with nobody looking on

let cluster;
let drawing;
const checker = new Checker({ ack: 1 });

/** A cluster file with these. */
async function fileOf(replicas, ack) {
  Object.assign(cluster.settings, { replicas, ack });
  const file = path.join(cluster.folder, `replicas_${replicas}_ack_${ack}.yaml`);
  await writeFile(file, cluster.yaml((node, role) => node[`${role}Port`]));
  return file;
}

async function restart(node, file) {
  assert.equal((await node.stop()).code, 0);
  node.configFile = file;
  node.start();
  await node.ready();
}

/** While nodes run with two files, each says so, and calls nothing complete. */
async function saidByAll() {
  for (const node of cluster.nodes) {
    await until(`${node.id} says that files differ`, async () => (await node.status()).lists_differ, 5_000);
    assert.equal((await node.metrics()).find(({ name }) => name === 'inkmesh_lists_differ').value, 1);
    assert.match(await node.log(), /peer ws\d runs with another node list, replicas or ack \(here: \d nodes, replicas \d, ack \d\): give every node the same cluster\.yaml/);
    assert.match((await run(inkmesh, ['status', node.http])).stdout, /other lists/);
    assert.equal((await node.page(CHANNELS[0])).complete, false);
  }
}

async function roll(file) {
  const [first, ...others] = cluster.nodes;
  await restart(first, file);
  await saidByAll();
  for (const node of others) await restart(node, file);
  await until('all have been compared with each other', async () => {
    for (const node of cluster.nodes) {
      const status = await node.status();
      if (status.hollow || status.lists_differ) return false;
    }
    return true;
  }, 30_000);
}

const stored = async () => Promise.all(cluster.nodes.map(async (node) => (await node.status()).store.strokes));

/** Draws where nobody looks on, and gives how many copies of each stroke there are in the end, and of its acks. */
async function copiesOfNew(name) {
  const before = await stored();
  const author = new Client({ urls: [cluster.nodes[0].ws], name, watch: checker });
  const acks = [];
  author.on('ack', (ack) => acks.push(ack.copies));
  await Promise.all(Array.from({ length: LONE }, (_, i) => author.publish(`${name}_${i}`, { i })));
  await author.close();
  await sleep(1_000); // acknowledged may be before all homes have it
  const now = await stored();
  return { copies: now.reduce((sum, strokes, i) => sum + strokes - before[i], 0) / LONE, acked: Math.min(...acks) };
}

/** While nobody else draws. */
async function pausedDrawing(t, look) {
  const published = await drawing.stop();
  t.diagnostic(`${published} strokes; the longest wait for an acknowledgement was ${drawing.longestSince(0)} ms`);
  await drawing.close();
  try {
    await look();
  } finally {
    draw();
  }
}

let era = 0;
function draw() {
  drawing = new DrawingOn({ urls: cluster.urls, channels: CHANNELS, watch: checker, name: `era${++era}_` });
}

before(async () => {
  cluster = await Cluster.start({ settings: { replicas: 2, ack: 1 } });
  draw();
  await sleep(1_000);
});
after(async () => {
  await drawing?.close();
  await cluster?.stop();
});

it('replicas 2 becomes 3, ack 1 becomes 2: every node gets everything that there was', async (t) => {
  await roll(await fileOf(3, 2));
  await pausedDrawing(t, async () => {
    await checker.finish(cluster.nodes);
    const counts = await until('each has each', async () => {
      const now = await stored();
      return now[0] > 0 && now.every((count) => count === now[0]) && now;
    });
    const { copies, acked } = await copiesOfNew('three');
    t.diagnostic(`${counts[0]} strokes at each node; of new ones ${copies} copies, acknowledged with ${acked} at least`);
    assert.equal(copies, 3);
    assert.ok(acked >= 2);
  });
});

it('and back: new strokes have two homes, old copies stay', async (t) => {
  await sleep(500);
  await roll(await fileOf(2, 1));
  await pausedDrawing(t, async () => {
    await checker.finish(cluster.nodes);
    const { copies, acked } = await copiesOfNew('two');
    t.diagnostic(`of new strokes ${copies} copies, acknowledged with ${acked} at least`);
    // Two homes, and the author's node where it is none of them.
    assert.ok(copies >= 2 && copies < 3, `${copies} copies`);
    assert.ok(acked >= 1);
  });
});

it('nothing was lost or repeated', async () => {
  await drawing.stop();
  await checker.finish(cluster.nodes);
});
