// Pages of real handwriting, written into shared drawings on all three nodes at once while each node in turn is killed
// and restarted: the exact set of strokes, the order for each origin, and the painted picture, everywhere the same.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { launch, Window } from './browser.mjs';
import { Checker, drawn } from './checker.mjs';
import { Client } from './client.mjs';
import { Cluster } from './cluster.mjs';
import { CLASSIC, page } from './handwriting.mjs';
import { sleep, until } from './process.mjs';

const BOARDS = ['classic_left', 'classic_right'];
const channelOf = (board) => `drawing_${board}`;
const COLOURS = ['#1d3557', '#b3261e', '#2a6f4e'];
const WRITERS_PER_NODE = 2;
const EVERY_MS = 12;

let cluster;
let browser;
before(async () => {
  cluster = await Cluster.start();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await cluster?.stop();
});

/** Each writer has a third of the classic in its own corner of a board; characters of two writers lie over another. */
function pages() {
  const third = CLASSIC.length / 3;
  return cluster.nodes.flatMap((_, at) => BOARDS.map((board, side) => ({
    start: at,
    board,
    strokes: page(CLASSIC.slice(at * third, (at + 1) * third), {
      at: [40 + side * 300, 30 + at * 260], size: 150, columns: 8, colour: COLOURS[at], width: 5 + 2 * side,
    }),
  })));
}

async function write(client, { board, strokes }) {
  const acks = [];
  for (const stroke of strokes) {
    acks.push(client.publish(channelOf(board), stroke));
    await sleep(EVERY_MS);
  }
  await Promise.all(acks);
}

it('every screen shows the same page, though each node was killed while it was written', async () => {
  const checker = new Checker();
  const work = pages();
  assert.equal(work.length, cluster.nodes.length * WRITERS_PER_NODE);
  const writers = work.map(({ start }, i) => new Client({ urls: cluster.urls, start, name: `writer_${i}`, watch: checker }));
  const followers = cluster.nodes.map((_, start) => new Client({ urls: cluster.urls, start, name: `follower_${start}`, watch: checker }));
  const returners = cluster.nodes.map((_, start) => new Client({ urls: cluster.urls, start, name: `returner_${start}`, watch: checker }));
  for (const client of [...followers, ...returners]) for (const board of BOARDS) await client.subscribe(channelOf(board));
  for (const [i, client] of writers.entries()) await client.subscribe(channelOf(work[i].board));
  // One window that follows along through everything.
  const following = await Window.open(browser, cluster.nodes[0].http, BOARDS[0]);

  const total = work.reduce((sum, { strokes }) => sum + strokes.length, 0);
  const writing = Promise.all(work.map((one, i) => write(writers[i], one)));
  for (const [i, node] of cluster.nodes.entries()) {
    await sleep(350);
    returners[i].leave();
    await node.kill();
    await sleep(500);
    node.start();
    await node.ready();
    returners[i].back();
  }
  await writing;
  const { strokes, copies, acks, histories } = await checker.finish(cluster.nodes);
  console.log(`${total} pen strokes of ${CLASSIC.length * BOARDS.length} characters, ${copies} second copies`);
  assert.equal(acks, total);
  assert.equal(strokes - copies, total);

  for (const board of BOARDS) {
    const expected = drawn(histories.get(channelOf(board))[0].strokes).map(({ client, op }) => `${client} ${op}`);
    for (const client of [...followers, ...returners]) {
      const held = drawn(client.subscriptions.get(channelOf(board)).strokes).map((s) => `${s.client} ${s.op}`);
      assert.deepEqual(held, expected, client.name);
    }
    const pictures = [];
    for (const node of cluster.nodes) {
      const window = await Window.open(browser, node.http, board);
      await window.holds(expected.length);
      pictures.push({ where: node.id, picture: await window.picture() });
      await window.screenshot('handwriting', `${board}-${node.id}`);
      assert.deepEqual(window.errors, []);
      assert.deepEqual(window.elsewhere, [], 'the page asks nobody else for anything');
      await window.close();
    }
    if (board === BOARDS[0]) {
      await following.holds(expected.length);
      pictures.push({ where: 'the window that followed along', picture: await following.picture() });
    }
    assert.ok(pictures[0].picture.painted > 10_000, `only ${pictures[0].picture.painted} pixels are painted`);
    for (const { where, picture } of pictures) {
      assert.deepEqual(picture, pictures[0].picture, `${board}: ${where} shows another picture than ${pictures[0].where}`);
    }
  }
  await following.close();
  for (const client of [...writers, ...followers, ...returners]) await client.close();
});
