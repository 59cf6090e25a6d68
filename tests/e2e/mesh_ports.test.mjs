// The mesh seen from outside: gossip really is ZeroMQ PUB/SUB, strokes really travel to a ROUTER, and neither port
// minds what a stranger sends.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, afterEach, before, describe, it } from 'node:test';
import { Raw } from './attack.mjs';
import { Canary } from './canary.mjs';
import { Cluster } from './cluster.mjs';
import { sleep, watchMemory } from './process.mjs';
import { Wire } from './wire.mjs';
import { Zmtp, zmtpFrame } from './zmtp.mjs';

const GROWTH_MAX_MIB = 100;

let cluster;
let node;
before(async () => {
  cluster = await Cluster.start();
  [node] = cluster.nodes;
});
after(() => cluster?.stop());

const metric = async (name) => (await node.metrics()).filter((sample) => sample.name === name)
  .reduce((sum, sample) => sum + sample.value, 0);

describe('gossip', () => {
  it('is published on a PUB socket to whoever subscribes: heartbeats, and each change of interest at once', async () => {
    const listener = await Zmtp.connect(node.gossipPort, 'SUB');
    assert.equal(listener.peer.socketType, 'PUB');
    await listener.subscribe();
    const heard = [];
    const listening = (async () => {
      for (;;) heard.push({ at: Date.now(), bytes: (await listener.next(10_000)).payload.length });
    })().catch(() => {});
    await sleep(2_200);
    assert.ok(heard.length >= 3 && heard.length <= 7, `${heard.length} heartbeats in 2.2 s`);
    const beat = heard.at(-1).bytes;

    const client = await Wire.open(node.ws);
    heard.length = 0;
    const begin = Date.now();
    await client.ask({ type: 'subscribe', id: 1, channel: 'gossiped' });
    await sleep(300);
    const news = heard.find(({ bytes }) => bytes !== beat);
    assert.ok(news, 'interest was not published');
    assert.ok(news.at - begin < 250, `only after ${news.at - begin} ms`);
    // A second client of the same channel changes nothing that others need to know.
    const second = await Wire.open(node.ws);
    heard.length = 0;
    await second.ask({ type: 'subscribe', id: 1, channel: 'gossiped' });
    await sleep(300);
    assert.deepEqual(heard.filter(({ bytes }) => bytes === news.bytes), []);
    await Promise.all([client.close(), second.close()]);
    listener.destroy();
    await listening;
  });

  it('strokes do not travel on it', async () => {
    const listener = await Zmtp.connect(node.gossipPort, 'SUB');
    await listener.subscribe();
    const heard = [];
    const listening = (async () => {
      for (;;) heard.push((await listener.next(10_000)).payload.toString('latin1'));
    })().catch(() => {});
    const author = await Wire.open(node.ws, { hello: 'secretive' });
    const mark = 'a-mark-that-only-the-stroke-has';
    for (let op = 1; op <= 20; ++op) await author.ask({ type: 'publish', id: op, channel: 'gossip_free', op, data: mark });
    await sleep(700);
    assert.ok(heard.length > 0);
    assert.ok(!heard.some((payload) => payload.includes(mark)));
    await author.close();
    listener.destroy();
    await listening;
  });
});

it('the inbox of strokes is a ROUTER', async () => {
  const stranger = await Zmtp.connect(node.meshPort, 'DEALER', 'stranger');
  assert.equal(stranger.peer.socketType, 'ROUTER');
  stranger.destroy();
});

describe('a stranger at the mesh\'s ports', () => {
  let canary;
  let memory;
  before(async () => {
    canary = await Canary.start(node, cluster.nodes[1]);
    memory = await watchMemory(node.pid);
  });
  after(async () => {
    const { grown } = await memory.stop();
    console.log(`memory +${grown.toFixed(0)} MiB, canary ${JSON.stringify(await canary.stop())}`);
    assert.ok(grown < GROWTH_MAX_MIB, `memory grew by ${grown.toFixed(0)} MiB`);
  });
  afterEach(() => cluster.assertAllRunning());

  it('who sends nonsense to the ROUTER is counted and ignored', async () => {
    const before = await metric('inkmesh_mesh_malformed_total');
    for (const identity of ['stranger', 'ws2', 'ws1', '', '\u0000']) {
      const stranger = await Zmtp.connect(node.meshPort, 'DEALER', identity);
      for (const size of [0, 1, 2, 7, 64, 1000, 100_000]) await stranger.send(randomBytes(size));
      // One version byte that may be right, then counts that cannot be.
      for (let version = 0; version < 8; ++version) await stranger.send(Buffer.concat([Buffer.from([version]), Buffer.alloc(64, 0xff)]));
      for (let parts = 0; parts < 200; ++parts) await stranger.send(randomBytes(10), { more: parts < 199 });
      await sleep(50);
      stranger.destroy();
    }
    await sleep(300);
    const counted = (await metric('inkmesh_mesh_malformed_total')) - before;
    assert.ok(counted >= 20, `only ${counted} were counted as malformed`);
    const { peers } = await node.status();
    assert.deepEqual(peers.map((peer) => peer.state), ['up', 'up']);
  });

  it('who announces a message past the limit is cut off before it has sent it', async () => {
    const stranger = await Zmtp.connect(node.meshPort, 'DEALER', 'large');
    await stranger.raw.write(zmtpFrame('', { length: 2 ** 40 }));
    await stranger.raw.closedByPeer();
  });

  it('who speaks no ZeroMQ, or says nothing, does no harm', async () => {
    const mute = [];
    for (const port of [node.meshPort, node.gossipPort]) {
      for (let i = 0; i < 100; ++i) mute.push(await Raw.connect(port));
      for (const bytes of [randomBytes(10_000), 'GET / HTTP/1.1\r\n\r\n', Buffer.alloc(64, 0xff), Buffer.alloc(10_000)]) {
        const raw = await Raw.connect(port);
        await raw.write(bytes);
        mute.push(raw);
      }
    }
    await sleep(500);
    for (const raw of mute) raw.destroy();
  });

  it('who subscribes to gossip 20,000 times and never reads does no harm', async () => {
    const greedy = await Zmtp.connect(node.gossipPort, 'SUB');
    greedy.raw.stopReading();
    const many = Buffer.concat(Array.from({ length: 20_000 }, (_, i) => zmtpFrame(`\u0001prefix-${i}`)));
    await greedy.raw.write(many);
    await greedy.subscribe();
    await sleep(1_000);
    greedy.destroy();
  });
});
