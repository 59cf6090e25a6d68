import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Bench, draw, inked, live, picture, scribble, settled, state, strokes } from './bench.mjs';

const bench = new Bench();
before(() => bench.start(), { timeout: 120_000 });
after(() => bench.stop());

const wave = (x, y, n = 30) => Array.from({ length: n }, (_, i) => [x + i * 8, y + Math.sin(i / 3) * 40]);
const connected = (page) => page.waitForFunction(() => window.inkmesh.board.state().phase === 'connected');

test('its node dies: it draws on through another, and nothing is missing or drawn twice', async () => {
  const a = await bench.open(0, 'dies');
  const b = await bench.open(1, 'dies');
  for (let i = 0; i < 5; ++i) await scribble(a, wave(250 + i * 20, 200 + i * 30, 8));
  await scribble(a, wave(300, 400, 20), { lift: false });
  await bench.cluster.nodes[0].kill();
  const killed = Date.now();
  await connected(a);
  const away = Date.now() - killed;
  await a.mouse.move(600, 600);
  await a.mouse.up();
  await settled(a, 6);
  await settled(b, 6);
  assert.notEqual((await state(a)).node, 'ws1');
  assert.equal(await picture(a), await picture(b));
  assert.ok(away < 4_000, `${away} ms without a node`);
  assert.equal(new Set((await strokes(b)).map(({ client, op }) => `${client} ${op}`)).size, 6);
  await bench.cluster.nodes[0].start();
  await a.context().close();
  await b.context().close();
});

test('a node that hangs is left soon', async () => {
  const page = await bench.open(0, 'hangs');
  const before = (await state(page)).node;
  bench.cluster.nodes.find(({ id }) => id === before).hung = true;
  const hung = Date.now();
  await page.waitForFunction((node) => {
    const now = window.inkmesh.board.state();
    return now.phase === 'connected' && now.node !== node;
  }, before);
  const away = Date.now() - hung;
  bench.cluster.nodes.forEach((node) => (node.hung = false));
  assert.ok(away < 6_000, `${away} ms`);
  await page.context().close();
});

test('goaway: to another node without losing a stroke', async () => {
  const page = await bench.open(1, 'away');
  const before = (await state(page)).node;
  await draw(page, wave(100, 100));
  bench.cluster.nodes.find(({ id }) => id === before).goaway(10_000);
  await draw(page, wave(100, 200));
  await page.waitForFunction((node) => ![undefined, node].includes(window.inkmesh.board.state().node), before);
  await settled(page, 2);
  await page.context().close();
});

test('drawn without any node: shown, said so, kept over a reload of the page, and sent on return', async () => {
  const page = await bench.open(2, 'offline');
  await draw(page, wave(200, 200));
  await settled(page, 1);
  const { client } = await state(page);
  bench.cluster.acking = false; // the log takes it, but its author is never told
  await scribble(page, wave(300, 300));
  await page.waitForFunction(() => window.inkmesh.board.state().strokes === 2);
  await page.reload();
  await live(page);
  assert.equal((await state(page)).client, client, 'the tab keeps its op counter');
  assert.equal((await state(page)).waiting, 1);
  await Promise.all(bench.cluster.nodes.map((node) => node.kill()));
  await page.waitForFunction(() => window.inkmesh.board.state().phase !== 'connected');
  for (let i = 0; i < 3; ++i) await scribble(page, wave(300, 350 + i * 60));
  await page.waitForFunction(() => document.getElementById('chip').textContent.includes('4 strokes waiting'));
  await page.waitForFunction(() => document.getElementById('chip').dataset.tone === 'bad');
  assert.ok((await inked(page, 'waiting')) > 300, 'they are on the screen');
  bench.cluster.acking = true;
  for (const node of bench.cluster.nodes) await node.start();
  await settled(page, 5);
  assert.equal(await inked(page, 'waiting'), 0);
  const ops = bench.cluster.channel('drawing_offline').strokes.map(({ client: author, op }) => `${author} ${op}`);
  assert.equal(new Set(ops).size, ops.length, 'nothing twice');
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test('what a closed tab could not send, the next one sends', async () => {
  const context = await bench.browser.newContext();
  const first = await bench.open(0, 'closed', { context });
  bench.cluster.acking = false;
  const { client } = await state(first);
  await draw(first, wave(100, 100));
  await first.waitForFunction(() => window.inkmesh.board.state().strokes === 1);
  await first.close();
  bench.cluster.acking = true;
  bench.cluster.channel('drawing_closed').strokes.length = 0; // the node and its disk are lost
  bench.cluster.channel('drawing_closed').byOp.clear();
  const second = await bench.open(0, 'closed', { context });
  await second.waitForFunction(() => window.inkmesh.board.state().strokes === 1);
  assert.equal((await strokes(second))[0].client, client);
  assert.notEqual((await state(second)).client, client);
  await context.close();
});

test('a duplicated tab is another client', async () => {
  const context = await bench.browser.newContext();
  const first = await bench.open(0, 'twice', { context });
  // What a browser does that duplicates a tab: the new one gets a copy of the session storage.
  const [second] = await Promise.all([
    context.waitForEvent('page'),
    first.evaluate(() => void window.open(location.href, '_blank')),
  ]);
  await live(second);
  const copied = await second.evaluate(() => sessionStorage.getItem('inkmesh.client'));
  const a = (await state(first)).client;
  const b = (await state(second)).client;
  assert.notEqual(a, b);
  assert.equal(copied, b);
  await Promise.all([draw(first, wave(100, 100)), draw(second, wave(100, 300))]);
  await settled(first, 2);
  await settled(second, 2);
  assert.equal(await picture(first), await picture(second));
  await context.close();
});

test('stay=1: it waits for its own address and goes to no other', async () => {
  const page = await bench.open(1, 'stay', { query: '&stay=1' });
  await bench.cluster.nodes[1].kill();
  await page.waitForFunction(() => window.inkmesh.board.state().failures >= 2);
  assert.equal((await state(page)).nodes.length, 1);
  await bench.cluster.nodes[1].start();
  await connected(page);
  assert.equal((await state(page)).node, 'ws2');
  await page.context().close();
});
