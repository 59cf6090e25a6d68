// An operator copies a node's folder to another machine and starts a process on it: under the same id, or as another
// node. No number ever has two contents, nothing that was acknowledged is lost, and everyone is told what is wrong.
import assert from 'node:assert/strict';
import { cp, rename, rm } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { Checker } from './checker.mjs';
import { Client } from './client.mjs';
import { Cluster, httpGet } from './cluster.mjs';
import { DrawingOn } from './drawing_on.mjs';
import { sleep, until } from './process.mjs';
import { namedByAll, readiness, shutOutBy, twinOf } from './twin.mjs';

const CHANNELS = Array.from({ length: 6 }, (_, i) => `copy_${i}`);
/** Small files of the journal: what was drawn first is in data.mdb soon, and a copy has some of both. */
const SETTINGS = { replicas: 2, ack: 2, storage: { map_size: '8MiB' } };
const TRIES = 5;

/** Starts it on a copy of that folder. Of a node that runs a copy may be torn; then it says so, and is made again. */
async function startOnCopy(node, folder, t) {
  for (let i = 1; ; ++i) {
    await rm(node.dataFolder, { recursive: true, force: true });
    await cp(folder, node.dataFolder, { recursive: true });
    node.start();
    try {
      await until('it answers', async () => {
        if (!node.running) throw new Error('it ended');
        return (await httpGet(`${node.http}/healthz`, 500)).status === 200;
      }, 5_000, 20);
      return;
    } catch (error) {
      assert.ok(!node.running, error.message);
      assert.equal(node.child.exit.code, 1);
      assert.match(node.child.stderr, /Move the folder away/);
      t.diagnostic(`copy ${i} was torn: ${node.child.stderr.trim().split('\n').at(-1)}`);
      assert.ok(i < TRIES, 'every copy is torn');
    }
  }
}

const noFork = async (nodes) => {
  for (const node of nodes) {
    assert.equal((await node.status()).forks, 0, `${node.id} at ${node.port}`);
    assert.doesNotMatch(await node.log(), /fork: |that this node never numbered/, `${node.id} at ${node.port}`);
  }
};

for (const [title, stopped] of [['while it runs', false], ['while it is stopped', true]]) {
  describe(`a second process under one id, on a copy of its folder that was made ${title}`, () => {
    let cluster;
    let node;
    let twin;
    let drawing;
    let own; // the second process's origin, and what it numbered
    const checker = new Checker();

    before(async () => {
      cluster = await Cluster.start({ settings: SETTINGS });
      [node] = cluster.nodes;
      twin = await twinOf(cluster, node);
      drawing = new DrawingOn({ urls: cluster.urls, channels: CHANNELS, watch: checker });
      await sleep(2_500);
    });
    after(async () => {
      await drawing?.close();
      await twin?.kill();
      await cluster?.stop();
    });

    it('is named by everyone, and what was drawn at it is acknowledged', async (t) => {
      let folder = node.dataFolder;
      if (stopped) {
        assert.equal((await node.stop()).code, 0);
        folder = `${node.dataFolder}.copy`;
        await cp(node.dataFolder, folder, { recursive: true });
        node.start();
        await node.ready();
      }
      await startOnCopy(twin, folder, t);
      // Who draws at it before it knows, and whoever goes on from there to the others.
      const visitors = Array.from({ length: 3 }, (_, i) => new Client({ urls: [twin.ws, ...cluster.urls], name: `v${i}`, watch: checker }));
      const drawn = visitors.flatMap((visitor) => CHANNELS.flatMap((channel) =>
        Array.from({ length: 10 }, (_, i) => visitor.publish(channel, { visit: i }))));
      await until('all say so', async () => {
        return await namedByAll(cluster, node) && (await node.status()).twin && (await twin.status()).twin;
      }, 5_000);
      await until('one of the two takes no clients', () => shutOutBy(twin, 'ws1'), 5_000);
      assert.equal((await readiness(node)).status, 200, 'the other goes on');
      assert.equal((await twin.status()).hollow_because, 'copied', 'it lacks what came after the copy');
      for (const peer of cluster.others(node)) assert.match(await peer.log(), /two processes run as ws1: .*Stop one of the two/);
      assert.match(await twin.log(), /another process runs as ws1: .*this one takes no clients\. Stop one of the two/);
      assert.match(await node.log(), /another process runs as ws1: .*Stop one of the two/);
      const acks = await Promise.all(drawn);
      const { epoch, strokes } = await twin.status();
      t.diagnostic(`${acks.length} strokes were acknowledged; the second process had numbered ${strokes.accepted}, ` +
        `${acks.filter((ack) => ack.origin === `ws1~${epoch}`).length} of which are acknowledged as such`);
      own = { origin: `ws1~${epoch}`, numbered: strokes.accepted };
      for (const visitor of visitors) await visitor.close();
      await noFork([...cluster.nodes, twin]);
    });

    it('its folder may take the place of the first one: nothing is lost, nothing is mixed up', async () => {
      await twin.stop();
      await sleep(1_000);
      await node.kill();
      await rename(node.dataFolder, `${node.dataFolder}.first`);
      await rename(twin.dataFolder, node.dataFolder);
      node.start();
      await node.ready();
      await sleep(500);
      await drawing.stop();
      await checker.finish(cluster.nodes);
      const came = [...checker.contents.values()].filter(({ origin }) => origin === own.origin).length;
      assert.equal(came, own.numbered, 'what only it held comes with its folder');
      // And what the first one numbered last, with its own.
      await node.kill();
      await rm(node.dataFolder, { recursive: true });
      await rename(`${node.dataFolder}.first`, node.dataFolder);
      node.start();
      await node.ready();
      await checker.finish(cluster.nodes);
      await noFork(cluster.nodes);
      await until('it is compared with everyone', async () => !(await node.status()).hollow, 10_000);
    });
  });
}

describe('a process on a copy of another node\'s folder', () => {
  let cluster;
  const checker = new Checker();
  before(async () => {
    cluster = await Cluster.start({ settings: SETTINGS });
  });
  after(() => cluster?.stop());

  it('is refused, with the way out, whether that one ran or was stopped; on an empty folder it is refilled', async (t) => {
    const [first, second] = cluster.nodes;
    const drawing = new DrawingOn({ urls: cluster.urls, channels: CHANNELS, watch: checker });
    await sleep(1_000);
    await second.kill();
    await rename(second.dataFolder, `${second.dataFolder}.own`);
    for (const stopped of [false, true]) {
      if (stopped) assert.equal((await first.stop()).code, 0);
      for (let i = 1; ; ++i) {
        await rm(second.dataFolder, { recursive: true, force: true });
        await cp(first.dataFolder, second.dataFolder, { recursive: true });
        second.start();
        assert.equal((await second.child.exited).code, 1, second.child.stderr);
        if (second.child.stderr.includes('is the store of node')) break;
        assert.ok(!stopped && i < TRIES, second.child.stderr);
        t.diagnostic(`copy ${i} was torn: ${second.child.stderr}`);
      }
      assert.match(second.child.stderr, /is the store of node ws1, and this is node ws2\. Give this node a storage\.path of its own, or an empty folder: its peers refill it/);
    }
    first.start();
    await rm(second.dataFolder, { recursive: true });
    second.start();
    await cluster.ready();
    await drawing.stop();
    await checker.finish(cluster.nodes);
    await drawing.close();
  });
});
