// Strokes go only where they are wanted: read from the counters that every node shows in /metrics.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { Client } from './client.mjs';
import { Cluster } from './cluster.mjs';
import { Wire } from './wire.mjs';
import { sleep, until } from './process.mjs';

const STROKES = 100;

let clusters = [];
after(() => Promise.all(clusters.map((cluster) => cluster.stop())));

async function start(settings, nodes = 3) {
  const cluster = await Cluster.start({ nodes, settings });
  clusters.push(cluster);
  await interestSettled(cluster);
  return cluster;
}

/** What a node has forwarded to a peer so far, by reason. */
async function forwarded(node, peer) {
  const samples = (await node.metrics()).filter((sample) =>
    sample.name.startsWith('inkmesh_forwarded') && sample.labels.peer === peer.id);
  assert.notEqual(samples.length, 0, `${node.id} has no counters of what it forwarded to ${peer.id}`);
  const sum = (reason) => samples
    .filter((sample) => `${sample.name} ${Object.values(sample.labels).join(' ')}`.includes(reason))
    .reduce((total, sample) => total + sample.value, 0);
  return { interest: sum('interest'), durability: sum('durability') };
}

async function reader(node, channel) {
  const wire = await Wire.open(node.ws, { hello: `reader_${node.id}` });
  await wire.ask({ type: 'subscribe', id: 1, channel });
  await wire.next('live');
  return wire;
}

async function draw(node, channel, count = STROKES) {
  const client = new Client({ urls: [node.ws] });
  await Promise.all(Array.from({ length: count }, (_, i) => client.publish(channel, { i })));
  await client.close();
}

/** Right after a start a peer whose interest is not known yet counts as interested in everything: waits that out. */
async function interestSettled(cluster) {
  const total = async () => {
    let sum = 0;
    for (const node of cluster.nodes) for (const peer of cluster.others(node)) sum += (await forwarded(node, peer)).interest;
    return sum;
  };
  await until('no node is taken for interested in all', async () => {
    const before = await total();
    for (const node of cluster.nodes) await draw(node, 'settling', 1);
    await sleep(200);
    return (await total()) === before;
  });
}

/** Every node's counters of what it forwarded to every other: `ws1 ws2 interest` -> strokes. */
async function snapshot(cluster) {
  const counters = {};
  for (const node of cluster.nodes) {
    for (const peer of cluster.others(node)) {
      for (const [reason, count] of Object.entries(await forwarded(node, peer))) {
        counters[`${node.id} ${peer.id} ${reason}`] = count;
      }
    }
  }
  return counters;
}

/** What was counted since, without what was not. */
function since(before, now) {
  return Object.fromEntries(Object.entries(now)
    .map(([name, count]) => [name, count - before[name]])
    .filter(([, count]) => count !== 0));
}

/** Draws on a channel through every node; gives how many forwards for durability, of whole lots, there were in all. */
async function durableForwards(cluster, channel) {
  let forwards = 0;
  for (const node of cluster.nodes) {
    const before = new Map();
    for (const peer of cluster.others(node)) before.set(peer, await forwarded(node, peer));
    await draw(node, channel);
    for (const peer of cluster.others(node)) {
      const now = await forwarded(node, peer);
      assert.equal(now.interest - before.get(peer).interest, 0, `${node.id} to ${peer.id}: nobody has it open`);
      if (now.durability > before.get(peer).durability) ++forwards;
    }
  }
  return forwards;
}

/** Waits until a node knows that a peer's clients have `count` channels open. */
async function interestKnown(node, peer, count) {
  await until(`${node.id} knows the interest of ${peer.id}`, async () => {
    const status = await node.status();
    const found = status.peers.find((entry) => entry.id === peer.id);
    const known = found.interest_channels ?? found.interest;
    return (typeof known === 'object' ? known.channels : known) === count;
  });
}

describe('replicas: 0, pure interest routing', () => {
  it('a node without interest is forwarded nothing at all', async () => {
    const cluster = await start({ replicas: 0, ack: 1 });
    const [origin, interested, other] = cluster.nodes;
    const held = (await other.status()).store.strokes;
    const before = await snapshot(cluster);
    const wire = await reader(interested, 'routed');
    await interestKnown(origin, interested, 1);
    await draw(origin, 'routed');
    assert.equal((await wire.strokes('routed', STROKES)).length, STROKES);
    const expected = { [`${origin.id} ${interested.id} interest`]: STROKES };
    assert.deepEqual(since(before, await snapshot(cluster)), expected);
    assert.equal((await other.status()).store.strokes, held, 'and stores nothing');

    await wire.close();
    await interestKnown(origin, interested, 0);
    await draw(origin, 'routed');
    assert.deepEqual(since(before, await snapshot(cluster)), expected);
  });

  it('a node that becomes interested gets all of it, from before and from now on', async () => {
    const cluster = clusters.at(-1);
    const wire = await reader(cluster.nodes[2], 'routed');
    assert.equal((await wire.strokes('routed', 2 * STROKES)).length, 2 * STROKES);
    await draw(cluster.nodes[0], 'routed', 10);
    assert.equal((await wire.strokes('routed', 10)).length, 10);
    await wire.close();
  });
});

describe('replicas: 2 of 4 nodes', () => {
  it('a stroke goes to the homes for durability, to the interested for interest, to nobody else', async () => {
    const cluster = await start({ replicas: 2, ack: 2 }, 4);
    // Of four nodes two are homes: as one of them it forwards to one, else to two. A home that a busy machine keeps
    // from confirming within 250 ms gets a stand-in: then the channel says nothing, and another is tried.
    const exact = 2 * 1 + 2 * 2;
    const tried = [];
    for (let i = 0; tried.filter((count) => count === exact).length < 3; ++i) {
      assert.ok(i < 8, `forwarded for durability: ${tried}, not ${exact}`);
      tried.push(await durableForwards(cluster, `homes_${i}`));
    }
  });

  it('an interested node that is no home gets it for interest', async () => {
    const cluster = clusters.at(-1);
    const [origin] = cluster.nodes;
    const channel = 'homes_interest';
    await draw(origin, channel, 1);
    const homes = [];
    for (const peer of cluster.others(origin)) {
      const before = await forwarded(origin, peer);
      homes.push({ peer, before });
    }
    const watchers = [];
    for (const peer of cluster.others(origin)) {
      watchers.push(await reader(peer, channel));
      await interestKnown(origin, peer, 1);
    }
    await draw(origin, channel);
    for (const wire of watchers) await wire.strokes(channel, STROKES + 1);
    let forInterest = 0;
    for (const { peer, before } of homes) {
      const now = await forwarded(origin, peer);
      const sent = now.interest + now.durability - before.interest - before.durability;
      assert.ok(sent >= STROKES && sent < 2 * STROKES, `${peer.id} was sent ${sent}: each stroke once`);
      if (now.interest - before.interest >= STROKES) ++forInterest;
    }
    assert.ok(forInterest >= 1);
    for (const wire of watchers) await wire.close();
  });
});
