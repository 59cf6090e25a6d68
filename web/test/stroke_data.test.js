import assert from 'node:assert/strict';
import { test } from 'node:test';
import { POINTS_MAX, makeStroke, parseStroke, roundPoint, splitPoints } from '../board/stroke_data.js';
import { outline, trace } from '../board/stroke_path.js';

const pen = (more) => ({ t: 'pen', c: '#1a2B3c', w: 4, p: [[1, 2], [3, 4]], ...more }); // prettier-ignore

test('a stroke that can be drawn', () => {
  assert.deepEqual(parseStroke(pen()), { kind: 'pen', color: '#1a2b3c', width: 4, points: [[1, 2], [3, 4]] }); // prettier-ignore
  assert.equal(parseStroke({ t: 'erase', w: 20, p: [[0, 0]] }).kind, 'erase');
  assert.deepEqual(parseStroke(pen({ p: [[1.5, -2, 0.25]] })).points, [[1.5, -2, 0.25]]);
});

test('all points have pressure or none has', () => {
  assert.deepEqual(parseStroke(pen({ p: [[0, 0, 2], [1, 1], [2, 2, 'x'], [3, 3, -1]] })).points, [[0, 0, 1], [1, 1, 0.5], [2, 2, 0.5], [3, 3, 0]]); // prettier-ignore
  assert.deepEqual(parseStroke(pen({ p: [[0, 0], [1, 1, 0.9]] })).points, [[0, 0], [1, 1]]); // prettier-ignore
});

test('anything else is not drawn, and does no harm', () => {
  const nonsense = [
    undefined, null, 1, 'pen', [], {}, { n: 1 }, pen({ t: 'spray' }), pen({ t: ['pen'] }), pen({ c: 'red' }), pen({ c: '#fff' }),
    pen({ c: 'url(#x)' }), pen({ c: null }), pen({ w: 0 }), pen({ w: -1 }), pen({ w: '4' }), pen({ w: NaN }), pen({ w: 1e9 }),
    pen({ p: [] }), pen({ p: 'x' }), pen({ p: {} }), pen({ p: [1, 2] }), pen({ p: [[1]] }), pen({ p: [[1, '2']] }),
    pen({ p: [[1, null]] }), pen({ p: [[NaN, 1]] }), pen({ p: [[1, Infinity]] }), pen({ p: [[1e9, 0]] }),
    pen({ p: Array(20_000).fill([0, 0]) }), pen({ p: [[1, 2], null] }), JSON.parse('{"__proto__": {"t": "pen"}}'),
  ]; // prettier-ignore
  for (const data of nonsense) assert.equal(parseStroke(data), undefined, JSON.stringify(data)?.slice(0, 80));
});

test('what is drawn here comes back the same', () => {
  const style = { kind: 'pen', color: '#aabbcc', width: 6 };
  const points = [[1.04, 2.06, 0.333], [5, 6, 1]].map(roundPoint); // prettier-ignore
  assert.deepEqual(parseStroke(JSON.parse(JSON.stringify(makeStroke(style, points)))), {
    ...style,
    points: [[1, 2.1, 0.33], [5, 6, 1]], // prettier-ignore
  });
  assert.deepEqual(makeStroke({ ...style, kind: 'erase' }, points), { t: 'erase', w: 6, p: points });
});

test('the longest stroke stays below 64 KiB', () => {
  const points = Array.from({ length: POINTS_MAX }, () => roundPoint([-99999.87654, -99999.87654, 0.123456]));
  assert.ok(JSON.stringify(makeStroke({ kind: 'pen', color: '#000000', width: 400 }, points)).length < 64 * 1024);
});

test('long lines are cut where one piece ends and the next begins', () => {
  const points = Array.from({ length: 10 }, (_, i) => [i, 0]);
  const xs = (pieces) => pieces.map((piece) => piece.map(([x]) => x).join(''));
  assert.deepEqual(xs(splitPoints(points, 4)), ['0123', '3456', '6789']);
  assert.deepEqual(xs(splitPoints(points, 6)), ['012345', '56789']);
  assert.deepEqual(xs(splitPoints(points, 10)), ['0123456789']);
  assert.deepEqual(xs(splitPoints(points.slice(0, 1), 4)), ['0']);
  assert.deepEqual(xs(splitPoints(points.slice(0, 5), 4)), ['0123', '34']);
});

test('every line has an outline of finite numbers, a dot too, and the same one each time', () => {
  const lines = [[[5, 5]], [[5, 5], [5, 5]], [[0, 0, 0], [1, 1, 1]], [[0, 0], [100_000, -100_000]], Array.from({ length: 500 }, (_, i) => [Math.sin(i) * 100, i])]; // prettier-ignore
  for (const kind of ['pen', 'erase']) {
    for (const points of lines) {
      const ink = { kind, color: '#000000', width: 8, points };
      const polygon = outline(ink);
      assert.ok(polygon.length >= 3);
      assert.ok(polygon.flat().every(Number.isFinite));
      assert.deepEqual(outline(structuredClone(ink)), polygon);
    }
  }
});

test('the path goes all around the outline and closes', () => {
  const calls = [];
  const path = {
    moveTo: (...xy) => calls.push(['move', ...xy]),
    quadraticCurveTo: (...xy) => calls.push(['curve', ...xy]),
    closePath: () => calls.push(['close']),
  };
  trace(path, [[0, 0], [4, 0], [4, 4], [0, 4]]); // prettier-ignore
  assert.deepEqual(calls, [
    ['move', 0, 2],
    ['curve', 0, 0, 2, 0],
    ['curve', 4, 0, 4, 2],
    ['curve', 4, 4, 2, 4],
    ['curve', 0, 4, 0, 2],
    ['close'],
  ]);
  trace(path, [[0, 0], [1, 1]]); // prettier-ignore
  assert.equal(calls.length, 6, 'nothing to trace');
});
