import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LiveLines, cleanName } from '../board/live_lines.js';
import { LiveSender } from '../board/live_sender.js';
import { Pen } from '../board/pen.js';
import { POINTS_MAX } from '../board/stroke_data.js';
import { FakeClock } from './support/fake_clock.mjs';

const STYLE = { kind: 'pen', color: '#112233', width: 4 };

/** One tab that draws and one that looks on, with a wire between that can lose signals. */
function pair() {
  const clock = new FakeClock();
  const pen = new Pen();
  const signals = [];
  const drawing = new Set();
  const wire = { loses: () => false };
  const lines = new LiveLines((client, op) => drawing.has(`${client} ${op}`), clock.now);
  const send = (data) => {
    const signal = JSON.parse(JSON.stringify(data));
    signals.push(signal);
    if (!wire.loses(signal)) lines.take({ client: 'ann', data: signal });
    return true;
  };
  const sender = new LiveSender(send, pen, () => 'Ann', clock);
  const arrive = (op) => {
    drawing.add(`ann ${op}`);
    lines.strokesArrived([{ client: 'ann', op }]);
  };
  return { clock, pen, sender, lines, signals, wire, arrive };
}

test('the other sees the line grow while it is being drawn', async () => {
  const { clock, pen, lines } = pair();
  pen.start(STYLE, [10, 10]);
  await clock.advance(40);
  for (let i = 1; i <= 10; ++i) {
    pen.move([[10 + i * 5, 10]]);
    await clock.advance(10);
  }
  await clock.advance(40);
  const [line] = lines.lines;
  assert.deepEqual([line.kind, line.color, line.width], ['pen', '#112233', 4]);
  assert.equal(line.points.length, 11);
  assert.deepEqual(lines.pointers, [{ client: 'ann', at: [60, 10], drawing: true }]);
});

test('the line stays until its stroke is in the drawing, whichever comes first', async () => {
  for (const strokeFirst of [false, true]) {
    const { clock, pen, sender, lines, arrive } = pair();
    pen.start(STYLE, [0, 0]);
    await clock.advance(40);
    pen.end();
    if (strokeFirst) arrive(3);
    assert.equal(lines.lines.length, 1);
    sender.finished(1, [3]);
    if (!strokeFirst) {
      assert.equal(lines.lines.length, 1, 'no gap on the screen');
      arrive(3);
    }
    assert.equal(lines.lines.length, 0);
  }
});

test('a line that is taken back disappears', async () => {
  const { clock, pen, lines } = pair();
  pen.start(STYLE, [0, 0]);
  await clock.advance(40);
  assert.equal(lines.lines.length, 1);
  pen.cancel();
  assert.equal(lines.lines.length, 0);
});

test('however fast the pen, at most 31 signals a second', async () => {
  const { clock, pen, sender, signals } = pair();
  pen.start(STYLE, [0, 0]);
  for (let i = 0; i < 1_000; ++i) {
    pen.move([[i, i % 7]]);
    sender.hover([i, i % 7]);
    await clock.advance(1);
  }
  assert.ok(signals.length <= 31, `${signals.length} signals`);
  assert.ok(signals.length >= 25);
});

test('lost signals leave no line behind', async () => {
  const { clock, pen, sender, lines, wire } = pair();
  wire.loses = (signal) => signal.t === 'up';
  pen.start(STYLE, [0, 0]);
  await clock.advance(40);
  pen.end();
  sender.finished(1, [1]);
  assert.equal(lines.lines.length, 1);
  await clock.advance(5_000);
  lines.sweep();
  assert.equal(lines.lines.length, 0);
});

test('a pointer that rests is forgotten; one that leaves goes at once', async () => {
  const { clock, sender, lines } = pair();
  sender.hover([5, 6]);
  await clock.advance(40);
  assert.deepEqual(lines.pointers, [{ client: 'ann', at: [5, 6], drawing: false }]);
  await clock.advance(9_000);
  lines.sweep();
  assert.deepEqual(lines.pointers, []);
  sender.hover([7, 8]);
  await clock.advance(40);
  sender.hover(undefined);
  await clock.advance(40);
  assert.deepEqual(lines.pointers, []);
});

test('names travel with the signals', async () => {
  const { clock, sender, lines } = pair();
  sender.introduce();
  await clock.advance(1_000);
  assert.equal(lines.nameOf('ann'), 'Ann');
  assert.equal(cleanName('  a\u0000\u202eb\n  '), 'ab');
  assert.equal(Array.from(cleanName('😀'.repeat(100))).length, 24);
});

test('signals that are anything at all do no harm, and take little room', () => {
  const lines = new LiveLines(() => false, () => 0); // prettier-ignore
  const nonsense = [null, 1, 'x', [], {}, { t: 'line' }, { t: 'at', x: 'a', y: {} }, { t: 'at', x: NaN, y: 1 }, { t: 'up', l: 1 }, { t: 'up', l: 1, o: [null] }, { t: 'line', l: 1, k: 'pen', c: 'x', w: 1, i: 0, p: [[1, 1]] }, { t: 'me', n: { a: 1 } }]; // prettier-ignore
  for (const data of nonsense) lines.take({ client: 'eve', data });
  assert.deepEqual(lines.lines, []);
  assert.deepEqual(lines.pointers, []);
  const points = Array.from({ length: 200 }, (_, i) => [i, i]);
  for (let i = 0; i < 1_000; ++i) lines.take({ client: 'eve', data: { t: 'line', l: i % 100, k: 'pen', c: '#000000', w: 1, i: 0, p: points } }); // prettier-ignore
  assert.ok(lines.lines.length <= 20);
  for (const line of lines.lines) assert.ok(line.points.length <= 5_000);
  for (let i = 0; i < 2_000; ++i) lines.take({ client: `eve${i}`, data: { t: 'at', x: 1, y: 1 } });
  assert.ok(lines.pointers.length <= 500);
});

test('a very long line is published in parts while it is being drawn', () => {
  const pen = new Pen();
  const parts = [];
  pen.on('drew', ({ points, line }) => parts.push([line, points.length, points[0], points[points.length - 1]]));
  pen.start(STYLE, [0, 0]);
  for (let i = 1; i < POINTS_MAX + 500; ++i) pen.move([[i, 0]]);
  pen.end();
  assert.deepEqual(parts, [
    [1, POINTS_MAX, [0, 0], [POINTS_MAX - 1, 0]],
    [2, 501, [POINTS_MAX - 1, 0], [POINTS_MAX + 499, 0]],
  ]);
});
