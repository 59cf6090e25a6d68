// A rolling upgrade to a release that speaks another version of the mesh's language, node by node, while people draw.
// Nodes of two versions do not understand each other: the cluster is two halves meanwhile, and says so.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { Checker } from './checker.mjs';
import { Client } from './client.mjs';
import { Cluster, inkmesh, inkmeshOtherVersion } from './cluster.mjs';
import { DrawingOn } from './drawing_on.mjs';
import { patience, run, sleep, until } from './process.mjs';

const OTHER = 250; // as tests/e2e/CMakeLists.txt builds it
const CHANNELS = Array.from({ length: 8 }, (_, i) => `upgrade_${i}`);

let cluster;
let ours; // the version that the shipped program speaks
let drawing;
const checker = new Checker();

before(async () => {
  cluster = await Cluster.start({ settings: { replicas: 2, ack: 2 } });
  ours = (await cluster.nodes[0].status()).mesh_version;
  assert.notEqual(ours, OTHER);
  drawing = new DrawingOn({ urls: cluster.urls, channels: CHANNELS, watch: checker });
  await sleep(1_000);
});
after(async () => {
  await drawing?.close();
  await cluster?.stop();
});

async function upgrade(node) {
  assert.equal((await node.stop()).code, 0);
  node.program = inkmeshOtherVersion;
  node.start();
  await node.ready();
  assert.equal((await node.status()).mesh_version, OTHER);
}

/** Each node of one half says of each node of the other half which version that speaks. */
async function saidOfEachOther(older, newer) {
  for (const [nodes, others, version] of [[older, newer, OTHER], [newer, older, ours]]) {
    for (const node of nodes) {
      for (const other of others) {
        await until(`${node.id} says that ${other.id} speaks version ${version}`, async () =>
          (await node.status()).peers.find((peer) => peer.id === other.id).other_mesh_version === version, 5_000);
        const sample = (await node.metrics()).find(({ name, labels }) => name === 'inkmesh_peer_other_version' && labels.peer === other.id);
        assert.equal(sample.value, version);
        assert.ok((await node.log()).includes(`peer ${other.id} speaks version ${version} of the mesh's language`), `${node.id} of ${other.id}`);
        assert.match((await run(inkmesh, ['status', node.http])).stdout, new RegExp(`${other.id} .*speaks mesh version ${version}`));
      }
    }
  }
}

/** An author at that node alone. */
async function acknowledged(node, name, withinMs) {
  const author = new Client({ urls: [node.ws], name, watch: checker });
  const from = Date.now();
  const ack = author.publish(CHANNELS[0], { name }).then(() => Date.now() - from);
  const took = await Promise.race([ack, sleep(withinMs * patience)]);
  return { took, ack: ack.finally(() => author.close()) };
}

it('one node of three is upgraded: the other two go on; at that one strokes wait', async (t) => {
  const [first, second, third] = cluster.nodes;
  await upgrade(first);
  await saidOfEachOther([second, third], [first]);
  assert.match((await run(inkmesh, ['status', first.http])).stdout, /\nws1 (acknowledges no publishes|has \d+ publishes waiting): each must be stored by 2 nodes/);
  for (const node of [second, third]) {
    const { took } = await acknowledged(node, `two_${node.id}`, 2_000);
    assert.ok(took !== undefined, `${node.id} acknowledges`);
    t.diagnostic(`${node.id} acknowledges within ${took} ms`);
  }
  const alone = await acknowledged(first, 'alone_ws1', 2_000);
  assert.equal(alone.took, undefined, 'one disk is not two');
  const of = ({ strokes }) => strokes.some((stroke) => stroke.client === 'alone_ws1');
  const here = await first.history(CHANNELS[0]);
  assert.ok(of(here), 'it is shown where it was drawn');
  assert.equal(here.complete, false);
  assert.ok(!of(await second.history(CHANNELS[0])), 'and does not cross');

  await upgrade(second);
  await saidOfEachOther([third], [first, second]);
  const from = Date.now();
  await alone.ack;
  t.diagnostic(`what waited at the first is acknowledged ${Date.now() - from} ms after the second was ready`);
  const { took } = await acknowledged(second, 'two_new', 2_000);
  assert.ok(took !== undefined, 'two of the new version acknowledge');
  const last = await acknowledged(third, 'alone_ws3', 1_000);
  assert.equal(last.took, undefined);

  await upgrade(third);
  await last.ack;
});

it('all are upgraded: nothing that was acknowledged is missing anywhere', async (t) => {
  const published = await drawing.stop();
  t.diagnostic(`${published} strokes; the longest wait for an acknowledgement was ${drawing.longestSince(0)} ms`);
  await checker.finish(cluster.nodes);
  for (const node of cluster.nodes) {
    await until(`${node.id} hears of no other version`, async () =>
      (await node.status()).peers.every((peer) => peer.other_mesh_version === 0 && peer.state === 'up'), 10_000);
    assert.equal((await node.status()).hollow, false);
  }
});
