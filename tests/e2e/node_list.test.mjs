// The node list of a running cluster changes, one restart after the other: a node joins, then another one leaves with
// its disk. Whoever draws goes on drawing, and nothing that was acknowledged is missed by the new homes.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, it } from 'node:test';
import { Checker } from './checker.mjs';
import { Client } from './client.mjs';
import { Cluster } from './cluster.mjs';
import { until } from './process.mjs';

const CHANNELS = Array.from({ length: 24 }, (_, i) => `list_${i}`);

let cluster;
let all;
const checker = new Checker();
const authors = [];

/** A cluster file of these nodes alone. */
async function listOf(name, nodes) {
  const everyone = cluster.nodes;
  cluster.nodes = nodes;
  const file = path.join(cluster.folder, name);
  await writeFile(file, cluster.yaml((node, role) => node[`${role}Port`]));
  cluster.nodes = everyone;
  return file;
}

const draw = (count) => Promise.all(authors.flatMap((author) => CHANNELS.flatMap((channel) =>
  Array.from({ length: count }, (_, i) => author.publish(channel, { i })))));

/** Each of them restarts with that file, one after the other, while people draw. */
async function roll(nodes, file) {
  for (const node of nodes) {
    if (node.running) await node.stop();
    node.configFile = file;
    node.start();
    await node.ready();
    await draw(1);
  }
}

const settled = (nodes) => until('the new homes have everything', async () => {
  for (const node of nodes) {
    const status = await node.status();
    const lag = status.peers.reduce((sum, peer) => sum + peer.lag_strokes, 0);
    if (status.hollow || status.lists_differ || lag !== 0) return false;
  }
  return true;
}, 30_000);

before(async () => {
  cluster = await Cluster.create({ nodes: 4, settings: { replicas: 2, ack: 2 } });
  all = cluster.nodes;
  const three = await listOf('three.yaml', all.slice(0, 3));
  for (const node of all.slice(0, 3)) {
    node.configFile = three;
    node.start();
  }
  for (const node of all.slice(0, 3)) await node.ready();
  // Whom a node does not answer a client leaves: all four are known to everyone from the start.
  for (let i = 0; i < 3; ++i) authors.push(new Client({ urls: cluster.urls, name: `l${i}`, start: i, watch: checker }));
  await draw(3);
});
after(async () => {
  for (const author of authors) await author.close();
  await cluster?.stop();
});

it('a node joins: it becomes a home, and gets what it is a home of', async () => {
  const four = await listOf('four.yaml', all);
  all[3].configFile = four;
  all[3].start();
  await all[3].ready();
  await until('the others say that somebody is not on their list',
    async () => (await all[0].status()).lists_differ && (await all[0].log()).includes('is not on its node list'));
  assert.equal((await all[0].page(CHANNELS[0])).complete, false, 'nobody knows what the stranger holds');
  await roll(all.slice(0, 3), four);
  await settled(all);
  assert.ok((await all[3].status()).store.strokes > 0, 'nobody has anything open at it');
  await checker.finish(all);
});

it('a node leaves with its disk: what it held is at the homes of the new list', async () => {
  const rest = all.slice(1);
  await all[0].kill();
  await all[0].removeData();
  await roll(rest, await listOf('rest.yaml', rest));
  await settled(rest);
  await checker.finish(rest);
});
