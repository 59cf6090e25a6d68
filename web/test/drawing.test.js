import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Drawing, compareStrokes } from '../client/inkmesh.js';

const stroke = (ts, origin, seq, client = `c${origin}`, op = seq) => ({ ts, origin, seq, client, op, data: null });
const ids = (drawing) => drawing.strokes.map(({ ts, origin, seq }) => `${ts} ${origin} ${seq}`);

/** A repeatable shuffle. */
function shuffled(list, seed) {
  const out = [...list];
  let state = seed;
  for (let i = out.length - 1; i > 0; --i) {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    const j = state % (i + 1);
    [out[i], out[j]] = [out[j], out[i]];
  }
  return out;
}

test('ordered by ts, then origin as a plain string, then seq', () => {
  const list = [
    stroke(2, 'a', 1),
    stroke(1, 'b', 2),
    stroke(1, 'b', 1),
    stroke(1, 'B', 9),
    stroke(1, 'a~', 3),
    stroke(1, 'a', 4),
  ];
  const sorted = [...list].sort(compareStrokes).map(({ origin, seq }) => `${origin} ${seq}`);
  assert.deepEqual(sorted, ['B 9', 'a 4', 'a~ 3', 'b 1', 'b 2', 'a 1']);
});

test('whatever order strokes come in, the drawing is the same', () => {
  const all = [];
  for (let i = 0; i < 300; ++i) all.push(stroke(1_000 + (i % 97), `ws${i % 3}`, i + 1));
  const expected = new Drawing();
  expected.add(all);
  for (let seed = 1; seed <= 20; ++seed) {
    const drawing = new Drawing();
    const order = shuffled(all, seed);
    for (let i = 0; i < order.length; i += 1 + (seed % 7)) drawing.add(order.slice(i, i + 1 + (seed % 7)));
    assert.deepEqual(ids(drawing), ids(expected));
  }
});

test('a (client, op) is drawn once, at the lowest of its copies', () => {
  const late = stroke(50, 'ws2', 1, 'ann', 7);
  const early = stroke(20, 'ws1', 9, 'ann', 7);
  const other = stroke(30, 'ws1', 10, 'bob', 1);
  for (const order of [
    [late, early, other],
    [early, late, other],
    [other, late, early],
    [late, other, early],
  ]) {
    const drawing = new Drawing();
    for (const each of order) drawing.add([each]);
    assert.deepEqual(ids(drawing), ['20 ws1 9', '30 ws1 10']);
    const atOnce = new Drawing();
    atOnce.add(order);
    assert.deepEqual(ids(atOnce), ids(drawing));
  }
});

test('the same op of another client is another stroke', () => {
  const drawing = new Drawing();
  drawing.add([stroke(1, 'a', 1, 'ann', 1), stroke(2, 'a', 2, 'bob', 1)]);
  assert.equal(drawing.strokes.length, 2);
  assert.ok(drawing.has('ann', 1));
  assert.ok(!drawing.has('ann', 2));
});

test('add tells how much of the drawing is as it was', () => {
  const drawing = new Drawing();
  assert.equal(drawing.add([stroke(10, 'a', 1), stroke(20, 'a', 2), stroke(30, 'a', 3)]), 0);
  assert.equal(drawing.add([stroke(40, 'a', 4)]), 3, 'at the end');
  assert.equal(drawing.add([stroke(40, 'a', 4)]), 4, 'nothing new');
  assert.equal(drawing.add([stroke(25, 'b', 1)]), 2, 'in between');
  assert.equal(drawing.add([stroke(50, 'c', 1, 'ca', 1)]), 5, 'a higher copy');
  assert.equal(drawing.add([stroke(5, 'c', 2, 'ca', 3)]), 0, 'a lower copy');
  assert.deepEqual(ids(drawing), ['5 c 2', '10 a 1', '20 a 2', '25 b 1', '40 a 4']);
});

test('the unchanged part is really unchanged, against a simple model', () => {
  let state = 7;
  const random = (n) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >> 8) % n;
  };
  const drawing = new Drawing();
  const every = [];
  for (let round = 0; round < 120; ++round) {
    const batch = Array.from({ length: 1 + random(4) }, () =>
      stroke(random(500), `ws${random(4)}`, 1 + random(1_000), `c${random(5)}`, 1 + random(60)),
    );
    const before = [...drawing.strokes];
    const same = drawing.add(batch);
    every.push(...batch);
    assert.deepEqual(drawing.strokes.slice(0, same), before.slice(0, same));
    const model = new Map();
    for (const each of [...every].sort(compareStrokes)) {
      const key = `${each.client} ${each.op}`;
      if (!model.has(key)) model.set(key, each);
    }
    const expected = [...model.values()].sort(compareStrokes).map(({ ts, origin, seq }) => `${ts} ${origin} ${seq}`);
    assert.deepEqual(ids(drawing), expected);
  }
});

test('a hundred thousand strokes in batches from three origins take their places', { timeout: 60_000 }, () => {
  const drawing = new Drawing();
  for (let origin = 0; origin < 3; ++origin) {
    for (let i = 0; i < 33_000; i += 100) {
      drawing.add(Array.from({ length: 100 }, (_, j) => stroke((i + j) * 3 + origin, `ws${origin}`, i + j + 1)));
    }
  }
  assert.equal(drawing.strokes.length, 99_000);
  assert.ok(drawing.strokes.every((each, i, all) => i === 0 || compareStrokes(all[i - 1], each) < 0));
});
