// Two windows on different nodes draw together with a real mouse; nodes are killed under them, come back, all go away.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { launch, Window } from './browser.mjs';
import { drawn } from './checker.mjs';
import { Cluster } from './cluster.mjs';
import { patience, sleep, until } from './process.mjs';

const BOARD = 'together';
const CHANNEL = `drawing_${BOARD}`;
const BACK_MS = 1_000;

let cluster;
let browser;
let left;
let right;

before(async () => {
  cluster = await Cluster.start();
  browser = await launch();
  left = await Window.open(browser, cluster.nodes[0].http, BOARD);
  right = await Window.open(browser, cluster.nodes[1].http, BOARD);
});
after(async () => {
  await browser?.close();
  await cluster?.stop();
});

let lines = 0;
/** The points of a wave somewhere on the stage, another one each time. */
function wave() {
  const y = 0.2 + (lines % 12) * 0.05;
  const x = 0.15 + Math.floor(lines / 12) * 0.13;
  ++lines;
  return Array.from({ length: 6 }, (_, i) => [x + i * 0.05, y + (i % 2) * 0.04]);
}

/** Everything that was drawn is in both windows, once, and looks the same; gives the picture. */
async function same(count) {
  for (const window of [left, right]) {
    const state = await window.holds(count);
    assert.deepEqual(state.violations, []);
    assert.deepEqual(window.errors, []);
    assert.deepEqual(window.elsewhere, [], 'a page asks nobody but the nodes for anything');
  }
  const pictures = [await left.picture(), await right.picture()];
  assert.deepEqual(pictures[0], pictures[1]);
  assert.equal(pictures[0].painted > 0, count > 0);
  const { strokes } = await cluster.nodes.find((node) => node.running).history(CHANNEL);
  assert.equal(drawn(strokes).length, count);
  return pictures[0];
}

describe('two windows on two nodes', () => {
  it('draw together', async () => {
    assert.deepEqual([(await left.state()).node, (await right.state()).node], ['ws1', 'ws2']);
    await left.mouse(wave());
    await right.holds(1);
    await right.mouse(wave());
    await left.mouse(wave());
    const picture = await same(3);
    assert.deepEqual([picture.width, picture.height], [1600, 1000]);
  });

  it('see each other: who is here, the other\'s pointer, and a line while it is being drawn', async () => {
    const names = [(await left.state()).client, (await right.state()).client];
    for (const window of [left, right]) {
      const { present } = await window.when('two people', (now) => now.present.length === 2);
      assert.deepEqual(present.map((who) => who.client).sort(), [...names].sort());
    }
    const box = await right.page.locator('#stage').boundingBox();
    const at = (x, y) => [box.x + x * box.width, box.y + y * box.height];
    await right.page.mouse.move(...at(0.4, 0.5));
    await right.page.mouse.move(...at(0.42, 0.5));
    await left.when('the other\'s pointer', (now) => now.pointers.some(({ client }) => client === names[1]));
    await right.page.mouse.down();
    await right.page.mouse.move(...at(0.6, 0.6), { steps: 8 });
    await left.when('the other\'s line while it is drawn', (now) => now.lines === 1);
    await left.screenshot('browser', 'while-the-other-draws');
    assert.equal((await left.state()).strokes, 3, 'it is no stroke yet');
    await right.page.mouse.up();
    await same(4);
    await left.when('the line is a stroke now', (now) => now.lines === 0);
  });

  it('a reload shows the same picture', async () => {
    const before = await left.picture();
    await left.reload();
    await left.holds(4);
    assert.deepEqual(await left.picture(), before);
  });
});

describe('kill -9 of the node behind a window', () => {
  let total = 4;

  it(`it draws again through another within ${BACK_MS} ms, with nothing missing or drawn twice`, async () => {
    const at = (await left.state()).node;
    assert.equal(at, 'ws1');
    // The mouse goes on meanwhile.
    let stop = false;
    let byMouse = 0;
    const drawing = (async () => {
      for (; !stop; ++byMouse) await left.mouse(wave());
    })();
    await left.watchReturn(at);
    await sleep(400);
    const killed = Date.now();
    await cluster.node(at).kill();
    const noted = await left.returned();
    await sleep(300);
    stop = true;
    await drawing;
    total += byMouse + noted.drawn;
    const backMs = noted.backAt - killed;
    console.log(`connected to ${(await left.state()).node} ${noted.connectedAt - killed} ms after the kill, drawing again after ` +
      `${backMs} ms`);
    assert.ok(backMs < BACK_MS * patience, `${backMs} ms`);
    await same(total);
    await left.screenshot('browser', 'after-the-kill');
  });

  it('started again, the node catches up and shows the same', async () => {
    const node = cluster.nodes[0];
    node.start();
    await node.ready();
    const returned = await Window.open(browser, node.http, BOARD);
    assert.equal((await returned.state()).node, 'ws1');
    await returned.holds(total);
    assert.deepEqual(await returned.picture(), await same(total));
    await returned.close();
  });

  it('the eraser, and undrawn pixels, are the same everywhere', async () => {
    await left.page.locator('#kinds [data-value=erase]').click();
    await left.mouse([[0.1, 0.2], [0.9, 0.6]]);
    ++total;
    await left.page.locator('#kinds [data-value=pen]').click();
    const before = await same(total);
    await right.reload();
    await right.holds(total);
    assert.deepEqual(await right.picture(), before);
  });
});

describe('nobody there', () => {
  it('what is drawn offline is kept, shown as waiting, and sent on return', async () => {
    const { strokes: total } = await left.state();
    for (const node of cluster.nodes) await node.kill();
    await left.when('the loss is noticed', (now) => now.phase !== 'connected');
    for (let i = 0; i < 3; ++i) await left.mouse(wave());
    const offline = await left.when('three wait', (now) => now.waiting === 3 && now.notInDrawing === 3);
    assert.equal(offline.strokes, total);
    await until('the page says that it is offline', async () =>
      (await left.page.locator('#chip').getAttribute('data-tone')) === 'bad', 5_000);
    await left.screenshot('browser', 'offline');
    for (const node of cluster.nodes) node.start();
    await cluster.ready();
    await same(total + 3);
    await until('the page says that it is well', async () =>
      (await left.page.locator('#chip').getAttribute('data-tone')) === 'good', 5_000);
  });

  it('it survives a reload just as the network returns', async () => {
    const { strokes: total } = await left.state();
    await left.context.setOffline(true);
    const { url } = await left.state();
    const node = cluster.nodes.find(({ port }) => url.includes(`:${port}/`));
    await node.kill(); // the emulated cut leaves open WebSockets alone
    await left.when('the loss is noticed', (now) => now.phase !== 'connected');
    await left.mouse(wave());
    await left.when('it waits', (now) => now.waiting === 1);
    await sleep(200);
    node.start();
    await node.ready();
    // A reload at the very moment of the return: sent by the old page, by the new one or by both, it is drawn once.
    await left.context.setOffline(false);
    await left.reload();
    await same(total + 1);
    await cluster.ready();
  });

  it('all of it is at every node', async () => {
    const { strokes: total } = await left.state();
    await until('all nodes hold it', async () => {
      for (const node of cluster.nodes) if (drawn((await node.history(CHANNEL)).strokes).length !== total) return false;
      return true;
    });
    await right.screenshot('browser', 'at-the-end');
  });
});
