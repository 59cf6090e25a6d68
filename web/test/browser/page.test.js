import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Bench, draw, inked, live, picture, scribble, settled, state, strokes } from './bench.mjs';

const bench = new Bench();
before(() => bench.start(), { timeout: 120_000 });
after(() => bench.stop());

const wave = (x, y, n = 30) => Array.from({ length: n }, (_, i) => [x + i * 8, y + Math.sin(i / 3) * 40]);
const EMPTY_AFTER = 2_000;

test('two windows on two nodes draw the same picture', async () => {
  const a = await bench.open(0, 'two');
  const b = await bench.open(1, 'two');
  assert.notEqual((await state(a)).node, (await state(b)).node);
  const empty = await picture(a);
  await scribble(a, wave(300, 300));
  await a.keyboard.press('3');
  await scribble(b, wave(350, 320));
  await scribble(a, wave(400, 340));
  await a.keyboard.press('e');
  await scribble(a, wave(320, 330));
  await settled(a, 4);
  await settled(b, 4);
  const order = (page) => strokes(page).then((list) => list.map(({ origin, seq }) => `${origin} ${seq}`));
  assert.deepEqual(await order(a), await order(b));
  assert.equal(await picture(a), await picture(b));
  assert.notEqual(await picture(a), empty);
  const before = await picture(a);
  await a.reload();
  await live(a);
  assert.equal(await picture(a), before, 'the same after a reload');
  assert.deepEqual([...a.faults, ...b.faults], []);
  await a.context().close();
  await b.context().close();
});

test('it asks nobody but its own node for anything', async () => {
  const page = await bench.open(0, 'own');
  await scribble(page, wave(300, 300));
  await settled(page, 1);
  assert.deepEqual([...page.requested], [bench.cluster.nodes[0].address]);
  await page.context().close();
});

test('the other window sees the line and the pointer before the pen is lifted', async () => {
  const a = await bench.open(0, 'lines');
  const b = await bench.open(1, 'lines');
  await scribble(a, wave(300, 300), { lift: false });
  await b.waitForFunction(() => window.inkmesh.board.state().lines === 1);
  await b.locator('.pointer').waitFor();
  await b.waitForFunction(() => {
    const canvas = document.getElementById('live');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return data.some((value) => value > 0);
  });
  assert.equal((await state(b)).strokes, 0);
  await a.mouse.up();
  await settled(b, 1);
  await b.waitForFunction(() => window.inkmesh.board.state().lines === 0);
  await b.waitForFunction(() => {
    const canvas = document.getElementById('live');
    return canvas
      .getContext('2d')
      .getImageData(0, 0, canvas.width, canvas.height)
      .data.every((value) => value === 0);
  });
  assert.ok((await inked(b, 'picture')) > 100);
  await a.context().close();
  await b.context().close();
});

test('who is here, by name', async () => {
  const a = await bench.open(0, 'people');
  const b = await bench.open(1, 'people');
  await a.waitForFunction(() => document.querySelectorAll('.avatars .avatar').length === 2);
  await b.locator('#avatars').click();
  await b.locator('#name').fill('Zoë <b>');
  await b.locator('#name').press('Enter');
  await a.waitForFunction(() => document.querySelector('#people-list').textContent.includes('Zoë <b>'));
  await b.context().close();
  await a.waitForFunction(() => document.querySelectorAll('.avatars .avatar').length === 1);
  await a.context().close();
});

test('a stroke that comes late is painted in its place: incremental is the same as all at once', async () => {
  const a = await bench.open(0, 'late');
  const channel = 'drawing_late';
  const data = (i) => ({
    t: i % 5 === 4 ? 'erase' : 'pen',
    c: ['#e5383b', '#2667ff', '#2a9d5c'][i % 3],
    w: 10 + (i % 4) * 12,
    p: Array.from({ length: 12 }, (_, k) => [
      300 + ((i * 37) % 400) + k * 25,
      200 + ((i * 91) % 500) + Math.sin(k + i) * 60,
    ]),
  });
  for (let i = 0; i < 450; ++i) {
    // Every seventh was drawn earlier than what is on the screen by now: one was cut off from the others.
    const late = i % 7 === 6;
    const ts = 1_000_000 + (late ? i - 5 - ((i * 13) % Math.max(i - 5, 1)) : i) * 10 + (late ? 5 : 0);
    bench.cluster.append(channel, {
      origin: late ? 'ws9~late0000' : 'ws1~00000001',
      client: late ? 'eve' : 'bob',
      op: i + 1,
      data: data(i),
      ts,
    });
    if (i % 30 === 0) await a.waitForTimeout(5);
  }
  await settled(a, 450);
  const b = await bench.open(1, 'late');
  await settled(b, 450);
  assert.equal(await picture(a), await picture(b));
  const sorted = await strokes(a);
  assert.ok(sorted.every(({ ts }, i) => i === 0 || ts >= sorted[i - 1].ts));
  await a.context().close();
  await b.context().close();
});

test('a lower copy of a stroke moves it, on every screen', async () => {
  const a = await bench.open(0, 'copies');
  const channel = 'drawing_copies';
  const line = (color, y) => ({ t: 'pen', c: color, w: 40, p: [[300, y], [900, 700 - y]] }); // prettier-ignore
  const put = (origin, client, op, data, ts) => bench.cluster.append(channel, { origin, client, op, data, ts });
  put('ws1~00000001', 'bob', 1, line('#e5383b', 200), 20);
  put('ws1~00000001', 'ann', 1, line('#2667ff', 500), 30);
  await settled(a, 2);
  const above = await picture(a);
  put('ws2~00000001', 'ann', 1, line('#2667ff', 500), 10);
  await a.waitForFunction(() => window.inkmesh.board.strokes()[0].client === 'ann');
  assert.equal((await strokes(a)).length, 2);
  assert.notEqual(await picture(a), above);
  const b = await bench.open(1, 'copies');
  assert.equal(await picture(b), await picture(a));
  await a.context().close();
  await b.context().close();
});

test('strokes that cannot be drawn harm nothing', async () => {
  const page = await bench.open(0, 'nonsense');
  const nonsense = [
    null,
    1,
    'x',
    [],
    {},
    { t: 'pen' },
    { t: 'pen', c: 'red', w: 1, p: [[1, 1]] },
    { t: 'pen', c: '#000000', w: 1, p: [[1e300, 1]] },
  ];
  for (const [i, data] of nonsense.entries()) {
    bench.cluster.append('drawing_nonsense', { origin: 'ws1~00000001', client: 'eve', op: i + 1, data });
  }
  await settled(page, nonsense.length);
  assert.ok((await strokes(page)).every(({ drawable }) => !drawable));
  await scribble(page, wave(300, 300));
  await settled(page, nonsense.length + 1);
  assert.ok((await inked(page, 'picture')) > 100);
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test('touch draws with one finger and moves the sheet with two', async () => {
  const page = await bench.open(2, 'touch', { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true });
  const session = await page.context().newCDPSession(page);
  const touch = (type, ...points) =>
    session.send('Input.dispatchTouchEvent', { type, touchPoints: points.map(([x, y], id) => ({ x, y, id })) });
  await touch('touchStart', [100, 300]);
  for (let i = 1; i <= 20; ++i) await touch('touchMove', [100 + i * 5, 300 + i * 3]);
  await touch('touchEnd');
  await settled(page, 1);
  const before = await page.evaluate(() => document.getElementById('sheet').style.transform);
  await touch('touchStart', [150, 350]);
  await touch('touchStart', [150, 350], [250, 450]);
  for (let i = 1; i <= 10; ++i) await touch('touchMove', [150 - i * 4, 350 - i * 4], [250 + i * 4, 450 + i * 4]);
  await touch('touchEnd');
  assert.notEqual(await page.evaluate(() => document.getElementById('sheet').style.transform), before);
  assert.equal((await state(page)).strokes, 1, 'two fingers draw nothing');
  assert.equal((await state(page)).waiting, 0);
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test('the keyboard alone draws', async () => {
  const page = await bench.open(0, 'keys');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  for (let i = 0; i < 10; ++i) await page.keyboard.press('ArrowRight');
  for (let i = 0; i < 5; ++i) await page.keyboard.press('Shift+ArrowDown');
  await page.keyboard.press('Enter');
  await settled(page, 1);
  assert.ok((await inked(page, 'picture')) > 100);
  await page.keyboard.press('Enter');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('Escape');
  assert.equal((await state(page)).waiting, 0, 'taken back');
  await page.context().close();
});

test('a very long line goes out as several strokes', async () => {
  const page = await bench.open(0, 'long');
  const points = Array.from({ length: 9_000 }, (_, i) => [
    800 + Math.cos(i / 50) * (i / 20),
    500 + Math.sin(i / 50) * (i / 20),
    0.5,
  ]);
  const ops = await draw(page, points, { color: '#8338ec', width: 3 });
  assert.equal(ops.length, 5);
  await settled(page, 5);
  const { strokes: log } = bench.cluster.channel('drawing_long');
  for (const { data } of log) assert.ok(JSON.stringify(data).length < 64 * 1024);
  await page.context().close();
});

test('a part of the drawing that cannot be reached is said so', async () => {
  bench.cluster.complete = false;
  const page = await bench.open(0, 'part');
  await page.locator('#notice').waitFor({ state: 'visible' });
  bench.cluster.complete = true;
  bench.cluster.nodes[0].deliver('drawing_part', { type: 'live', channel: 'drawing_part', cursor: {}, complete: true });
  await page.locator('#notice').waitFor({ state: 'hidden', timeout: EMPTY_AFTER });
  await page.context().close();
});
