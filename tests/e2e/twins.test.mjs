// Two real processes under one node id: named within seconds, by everyone; the one that is not at the node's address
// takes no clients; nothing that was acknowledged is lost; and restarts are not taken for it.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Checker } from './checker.mjs';
import { Client } from './client.mjs';
import { Cluster, httpGet, inkmesh } from './cluster.mjs';
import { DrawingOn } from './drawing_on.mjs';
import { patience, run, sleep, until } from './process.mjs';
import { namedByAll, peerOf, readiness, shutOutBy, twinOf } from './twin.mjs';

const NAMED_MS = 3_000;
const CHANNELS = Array.from({ length: 6 }, (_, i) => `twin_${i}`);

const gauge = async (node, name, labels = {}) => (await node.metrics()).find((sample) => sample.name === name &&
  Object.entries(labels).every(([key, value]) => sample.labels[key] === value))?.value;

/** Milliseconds until that is so. */
async function timed(what, probe, atMostMs = NAMED_MS) {
  const from = Date.now();
  await until(what, probe, atMostMs, 20);
  return Date.now() - from;
}

describe('a second process on another machine, by mistake', () => {
  let cluster;
  let node;
  let twin;
  let drawing;
  const checker = new Checker();

  before(async () => {
    cluster = await Cluster.start({ settings: { replicas: 2, ack: 2 } });
    [node] = cluster.nodes;
    twin = await twinOf(cluster, node);
    drawing = new DrawingOn({ urls: cluster.urls, channels: CHANNELS, watch: checker });
    await sleep(500);
  });
  after(async () => {
    await drawing?.close();
    await twin?.kill();
    await cluster?.stop();
  });

  it('is named by everyone within three seconds, and is not ready', async (t) => {
    twin.start();
    await until('the second process answers', async () => (await httpGet(`${twin.http}/healthz`, 500)).status === 200, 5_000, 20);
    const [byPeers, byTheFirst, byItself] = await Promise.all([
      timed('its peers say so', () => namedByAll(cluster, node)),
      timed('the first process says so', async () => (await node.status()).twin),
      timed('the second process is not ready because of it', () =>
        shutOutBy(twin, 'ws1 at 127.0.0.1, started earlier')),
    ]);
    t.diagnostic(`named by peers after ${byPeers} ms, by the first after ${byTheFirst} ms; the second shut out after ${byItself} ms`);
    for (const peer of cluster.others(node)) {
      assert.equal(await gauge(peer, 'inkmesh_peer_twin', { peer: node.id }), 1);
      assert.match(await peer.log(), /two processes run as ws1: epoch \w{8} at 127\.0\.0\.1, which this node listens to, and epoch \w{8} at 127\.0\.0\.1, started later/);
    }
    assert.equal(await gauge(node, 'inkmesh_twin'), 1);
    assert.equal(await gauge(node, 'inkmesh_shut_out'), 0);
    assert.equal(await gauge(twin, 'inkmesh_shut_out'), 1);
    assert.equal((await readiness(twin)).status, 503);
    assert.equal((await readiness(node)).status, 200, 'the first goes on');
    assert.match(await node.log(), /another process runs as ws1: epoch \w{8} at 127\.0\.0\.1, started later\. The others listen to this one/);
    const said = await twin.log();
    assert.match(said, /another process runs as ws1: epoch \w{8} at 127\.0\.0\.1, started earlier\. The others listen to that one, not to this.*Stop one of the two/);
    assert.doesNotMatch(said, /lost or put back, and what it lacks/);
    const table = (await run(inkmesh, ['status', cluster.nodes[1].http])).stdout;
    assert.match(table, /ws1 +up, two of it \(also at 127\.0\.0\.1\)/);
    assert.match((await run(inkmesh, ['status', twin.http, '--one'])).stdout, /not ready.*two of it[^]*ws1 is not ready: twin: /);
  });

  it('sends its clients on, and all goes on without it', async () => {
    const from = Date.now();
    const lost = new Client({ urls: [twin.ws, ...cluster.urls.slice(1)], name: 'lost', watch: checker });
    const away = new Promise((resolve) => lost.once('goaway', resolve));
    const code = new Promise((resolve) => lost.once('disconnected', resolve));
    await lost.publish(CHANNELS[0], { at: 'the second one' });
    assert.ok(Number.isInteger((await away).retry_ms));
    assert.equal(await code, 1012);
    assert.notEqual(lost.welcome.epoch, (await twin.status()).epoch);
    await sleep(3_000);
    assert.ok(drawing.longestSince(from) < 1_000 * patience, `an author waited ${drawing.longestSince(from)} ms`);
    await lost.close();
  });

  it('is forgotten once it is stopped, and nothing was lost', async (t) => {
    await twin.stop();
    const gone = await timed('nobody speaks of it any more', async () => {
      for (const peer of cluster.others(node)) if (peerOf(await peer.status(), node.id).twin) return false;
      return !(await node.status()).twin;
    }, 6_000);
    t.diagnostic(`forgotten after ${gone} ms; the longest wait for an acknowledgement was ${drawing.longestSince(0)} ms`);
    await drawing.stop();
    await checker.finish(cluster.nodes);
    assert.equal(peerOf(await cluster.nodes[1].status(), node.id).hollow, false);
  });
});

describe('restarts, one after the other, and a process that stands still', () => {
  it('are not taken for two processes', async () => {
    const cluster = await Cluster.start({ settings: { replicas: 2, ack: 2 } });
    const checker = new Checker();
    const drawing = new DrawingOn({ urls: cluster.urls, channels: CHANNELS, watch: checker });
    try {
      const [node] = cluster.nodes;
      for (const end of ['kill', 'stop', 'kill', 'kill']) {
        await sleep(300);
        await node[end]();
        node.start();
      }
      await node.ready();
      node.pause();
      await sleep(4_000);
      node.resume();
      await sleep(500);
      // Its last packets wait at a peer that stands still, while it restarts.
      cluster.nodes[1].pause();
      await sleep(300);
      await node.kill();
      node.start();
      await sleep(2_500);
      cluster.nodes[1].resume();
      await sleep(3_000);
      for (const each of cluster.nodes) {
        assert.doesNotMatch(await each.log(), /two processes run as|another process runs as/, each.id);
        const status = await each.status();
        assert.equal(status.twin, false);
        assert.ok(status.ready, `${each.id}: ${status.reasons}`);
        for (const peer of status.peers) assert.deepEqual([peer.twin, peer.state], [false, 'up'], `${each.id} of ${peer.id}`);
      }
      await drawing.stop();
      await checker.finish(cluster.nodes);
    } finally {
      await drawing.close();
      await cluster.stop();
    }
  });
});

describe('an address that moves to another machine, where the node runs too', () => {
  let cluster;
  let node;
  let twin;
  let drawing;
  let ways; // of the others to that address
  const checker = new Checker();

  before(async () => {
    cluster = await Cluster.create({ settings: { replicas: 2, ack: 2 }, relayed: true });
    [node] = cluster.nodes;
    for (const each of cluster.nodes) each.start();
    await cluster.ready();
    twin = await twinOf(cluster, node);
    ways = ['gossip', 'mesh'].map((role) => ({ role, relays: cluster.between([node]).filter((relay) => relay.targetPort === node[`${role}Port`]) }));
    for (const { relays } of ways) assert.equal(relays.length, 2);
    drawing = new DrawingOn({ urls: cluster.urls, channels: CHANNELS, watch: checker });
    await sleep(500);
  });
  after(async () => {
    await drawing?.close();
    await twin?.kill();
    await cluster?.stop();
  });
  const moveTo = (process) => {
    for (const { role, relays } of ways) for (const relay of relays) relay.lead(process[`${role}Port`]);
  };

  it('the earlier process says that it is shut out, and its clients go on elsewhere', async (t) => {
    const client = drawing.authors[0];
    assert.equal(client.url, node.ws);
    const away = new Promise((resolve) => client.once('goaway', resolve));
    twin.start();
    await until('the second process answers', async () => (await httpGet(`${twin.http}/healthz`, 500)).status === 200, 5_000, 20);
    moveTo(twin);
    const named = await timed('the earlier one is not ready because of it', () =>
      shutOutBy(node, 'ws1 at 127.0.0.1, started later'));
    t.diagnostic(`shut out after ${named} ms`);
    await away;
    assert.match(await node.log(), /another process runs as ws1: epoch \w{8} at 127\.0\.0\.1, started later\. The others listen to that one, not to this: this one takes no clients\. Stop one of the two/);
    await until('the others name it', async () => peerOf(await cluster.nodes[1].status(), node.id).twin, NAMED_MS);
    await until('the later one is ready', async () => (await readiness(twin)).status === 200, 8_000);
    await sleep(1_000);
  });

  it('the earlier process works again once the later one is stopped, and nothing was lost', async (t) => {
    await twin.stop();
    moveTo(node);
    const back = await timed('the earlier one is ready again', async () => (await readiness(node)).status === 200, 8_000);
    t.diagnostic(`ready again after ${back} ms`);
    assert.match(await node.log(), /the others listen to this process again/);
    const again = new Client({ urls: [node.ws], name: 'again', watch: checker });
    const from = Date.now();
    await again.publish(CHANNELS[1], { at: 'the first one' });
    t.diagnostic(`it acknowledges within ${Date.now() - from} ms`);
    await again.close();
    await drawing.stop();
    await checker.finish(cluster.nodes);
  });
});
