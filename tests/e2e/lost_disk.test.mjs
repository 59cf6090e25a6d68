// A node that lost its disk is refilled by its peers, and what it accepted before is not lost with it.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { Checker } from './checker.mjs';
import { Client } from './client.mjs';
import { Cluster, inkmesh } from './cluster.mjs';
import { run, until } from './process.mjs';

const CHANNELS = Array.from({ length: 12 }, (_, i) => `disk_${i}`);
const STROKES = 40;

let cluster;
before(async () => {
  // Three homes: each node stores each channel, so each can be compared whole.
  cluster = await Cluster.start({ settings: { replicas: 3, ack: 2 } });
});
after(() => cluster?.stop());

it('a removed data folder is refilled, equal to the peers\', and seqs are never used twice', async () => {
  const checker = new Checker();
  const authors = cluster.nodes.map((_, start) => new Client({ urls: cluster.urls, name: `d${start}`, start, watch: checker }));
  const draw = (authorsNow) => Promise.all(authorsNow.flatMap((author) => CHANNELS.flatMap((channel) =>
    Array.from({ length: STROKES / 4 }, (_, i) => author.publish(channel, { i, text: '画'.repeat(20) })))));
  await draw(authors);
  const lost = cluster.nodes[0];
  const before = (await lost.history(CHANNELS[0])).cursor;
  await lost.kill();
  await lost.removeData();
  await draw(authors.slice(1));
  lost.start();
  await lost.ready();

  const local = async (node) => (await node.status()).store.strokes;
  const expected = CHANNELS.length * (STROKES / 4) * 5;
  await until('the store is refilled with nobody asking', async () => (await local(lost)) >= expected, 30_000);
  for (const node of cluster.nodes) assert.equal(await local(node), expected, node.id);

  // Whoever drew through it before has moved on: a new author draws through its new life.
  const fresh = new Client({ urls: [lost.ws], name: 'd_fresh', watch: checker });
  await draw([...authors, fresh]);
  const { histories } = await checker.finish(cluster.nodes);
  const after = histories.get(CHANNELS[0])[0].cursor;
  for (const [origin, seq] of Object.entries(before)) assert.ok(after[origin] >= seq, `${origin} kept`);
  const livesOfLost = Object.keys(after).filter((origin) => origin.startsWith(`${lost.id}~`));
  assert.equal(livesOfLost.length, 2, 'a new life has a new epoch');
  for (const author of [...authors, fresh]) await author.close();
});

it('the refilled node answers alone from its own replica', async () => {
  const [lost, ...others] = cluster.nodes;
  const full = await others[0].history(CHANNELS[3]);
  for (const node of others) await node.kill();
  const page = await lost.history(CHANNELS[3]);
  assert.deepEqual(page.strokes.map((s) => [s.origin, s.seq, s.ts, s.data]), full.strokes.map((s) => [s.origin, s.seq, s.ts, s.data]));
  for (const node of others) node.start();
  await cluster.ready();
});

it('a node that was emptied says for whom it waits, until all are there', async () => {
  const [lost, witness, away] = cluster.nodes;
  await away.kill();
  await lost.kill();
  await lost.removeData();
  lost.start();
  await lost.ready();
  const { hollow_because: because, hollow_until: awaited } = await lost.status();
  assert.match(because, /^(new_or_lost|lost_life)$/, 'a peer may have told it already');
  assert.ok(awaited.includes(away.id), `${awaited}`);
  const samples = (await lost.metrics()).filter(({ name, value }) => name === 'inkmesh_peer_awaited' && value === 1);
  assert.deepEqual(samples.map(({ labels }) => labels.peer), awaited);
  // Each node is asked for its own notes, whichever answers first.
  const { stdout } = await run(inkmesh, ['status', witness.http]);
  assert.match(stdout, new RegExp(`\\n${lost.id} is hollow \\((new or lost|lost life)\\), still to be compared with .*${away.id} \\((down|never heard of)\\)`));
  away.start();
  await cluster.ready();
  await until('it is whole', async () => !(await lost.status()).hollow, 20_000);
  const whole = await lost.status();
  assert.deepEqual(whole.hollow_until, []);
  assert.ok(!('hollow_because' in whole));
  assert.doesNotMatch((await run(inkmesh, ['status', witness.http])).stdout, /hollow/);
});
