// A store is put back from a backup, as docs/operations.md says: with --restored, and by operators who forget it.
// What came after the backup is not lost, no number is used twice, and until the node has compared itself with every
// other one nobody counts on what it says.
import assert from 'node:assert/strict';
import { cp, mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Checker } from './checker.mjs';
import { Client } from './client.mjs';
import { Cluster } from './cluster.mjs';
import { DrawingOn } from './drawing_on.mjs';
import { run, sleep, until } from './process.mjs';
import { peerOf } from './twin.mjs';

const CHANNELS = Array.from({ length: 12 }, (_, i) => `backup_${i}`);

const copyRunning = async (node, folder) => {
  await mkdir(folder);
  const copied = await run('mdb_copy', [node.dataFolder, folder]);
  assert.equal(copied.code, 0, copied.stderr);
};
/** What a snapshot of its disk has: all files as they are at one moment. */
const copyDisk = async (node, folder) => {
  node.pause();
  await cp(node.dataFolder, folder, { recursive: true });
  node.resume();
};
const copyStopped = async (node, folder) => {
  assert.equal((await node.stop()).code, 0);
  await cp(node.dataFolder, folder, { recursive: true });
  node.start();
  await node.ready();
};
const anew = async (node, folder) => {
  await rm(node.dataFolder, { recursive: true });
  await cp(folder, node.dataFolder, { recursive: true });
};
/** The new file may well get the inode of the one that was. */
const instead = async (node, folder) => {
  for (const name of ['data.mdb', 'lock.mdb', 'journal.0', 'journal.1']) await rm(path.join(node.dataFolder, name));
  await cp(path.join(folder, 'data.mdb'), path.join(node.dataFolder, 'data.mdb'));
};
/** As `cp -r` does it where files are there: they stay the same files. What the backup has not stays, too. */
const over = async (node, folder) => {
  assert.equal((await run('cp', ['-r', `${folder}/.`, node.dataFolder])).code, 0);
};

const WAYS = [
  { title: 'mdb_copy of a running node, in a new folder, with --restored', copy: copyRunning, put: anew, options: ['--restored'], because: 'restored', said: /the store was put back from a backup \(--restored\)/ },
  { title: 'mdb_copy of a running node, in the place of the file that was removed', copy: copyRunning, put: instead, because: 'copied', said: /the store is a copy of the one that was/ },
  { title: 'mdb_copy of a running node, over the file that was there', copy: copyRunning, put: over, because: 'lost_records', said: /journal has lost records[^]*the store has lost records/ },
  { title: 'a copy of the stopped node\'s folder, over the files that were there', copy: copyStopped, put: over, because: 'lost_life', said: /peer ws2 has met this node as \w{8}, of which the store has no trace: it was lost or put back, and what it lacks is fetched/ },
  { title: 'a snapshot of a running node\'s disk, over the files that were there', copy: copyDisk, put: over, because: 'set_back', said: /peer ws2 has strokes that this node wrote in its last life \(ws1~\w{8}\), and the store lacks them: it was set back, and what it lacks is fetched/ },
];

describe('a store that is put back', () => {
  let cluster;
  let drawing;
  const checker = new Checker();

  before(async () => {
    cluster = await Cluster.start({ settings: { replicas: 2, ack: 2, storage: { map_size: '8MiB' } } });
    drawing = new DrawingOn({ urls: cluster.urls, channels: CHANNELS, watch: checker });
    await sleep(500);
  });
  after(async () => {
    await drawing?.close();
    await cluster?.stop();
  });

  /** One stroke after the other, past what the journal's two files hold: each is a record of a block. */
  async function drawMuch(node, name) {
    const author = new Client({ urls: [node.ws], name, watch: checker });
    for (let i = 0; i < 120; ++i) await author.publish(CHANNELS[i % CHANNELS.length], { after: i });
    await author.close();
  }

  for (const [i, { title, copy, put, options, because, said }] of WAYS.entries()) {
    it(title, async (t) => {
      const [node, other, away] = cluster.nodes;
      const backup = path.join(cluster.folder, `backup_${i}`);
      await copy(node, backup);
      await drawMuch(node, `after${i}`);
      // What the node and one more have acknowledged, that one may be the only one to know.
      await node.kill();
      await away.kill();
      await put(node, backup);
      const logged = (await node.log()).length;
      node.start(options);
      await until('it answers', () => node.status(), 10_000);
      await until('the other one knows', async () => {
        const peer = peerOf(await other.status(), node.id);
        return peer.state === 'up' && peer.epoch === (await node.status()).epoch;
      });
      await until('it is hollow', async () => (await node.status()).hollow, 3_000);
      await sleep(500);
      assert.equal((await node.status()).hollow_because, because, 'one node was not met yet');
      assert.match((await node.log()).slice(logged), said);
      assert.equal(peerOf(await other.status(), node.id).hollow, true);
      for (const each of [node, other]) assert.equal((await each.page(CHANNELS[0])).complete, false, each.id);
      away.start();
      await cluster.ready();
      const from = Date.now();
      await until('it is compared with everyone', async () => !(await node.status()).hollow, 10_000);
      t.diagnostic(`compared with all ${Date.now() - from} ms after all were ready`);
      await until('histories are whole', async () => {
        for (const each of cluster.nodes) if (!(await each.page(CHANNELS[0])).complete) return false;
        return true;
      }, 10_000);
    });
  }

  it('nothing was lost or repeated, no number has two contents', async (t) => {
    const published = await drawing.stop();
    t.diagnostic(`${published} strokes; the longest wait for an acknowledgement was ${drawing.longestSince(0)} ms`);
    await checker.finish(cluster.nodes);
    for (const node of cluster.nodes) assert.equal((await node.status()).forks, 0);
  });
});
