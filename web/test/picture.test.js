import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Picture } from '../board/picture.js';

/** Remembers what lies on what. @implements {import('../board/picture.js').Surface} */
class ListSurface {
  strokes = ['something from before'];
  paints = 0;
  copies = new Set();
  copiesMost = 0;

  clear() {
    this.strokes = [];
  }
  paint(stroke) {
    ++this.paints;
    this.strokes.push(stroke);
  }
  copy() {
    const copy = { strokes: [...this.strokes] };
    this.copies.add(copy);
    this.copiesMost = Math.max(this.copiesMost, this.copies.size);
    return copy;
  }
  restore(copy) {
    assert.ok(this.copies.has(copy), 'a copy that was given back is not restored');
    this.strokes = [...copy.strokes];
  }
  free(copy) {
    assert.ok(this.copies.delete(copy), 'a copy is given back once');
  }
}

const numbers = (n) => Array.from({ length: n }, (_, i) => i);

test('begins with an empty sheet, and paints in order', () => {
  const surface = new ListSurface();
  const picture = new Picture(surface);
  assert.deepEqual(surface.strokes, []);
  picture.update(['a', 'b'], 0);
  picture.paint();
  assert.deepEqual(surface.strokes, ['a', 'b']);
  assert.ok(picture.done);
});

test('what is added at the end is painted on top, once', () => {
  const surface = new ListSurface();
  const picture = new Picture(surface, { every: 3 });
  const strokes = [];
  for (let i = 0; i < 50; ++i) {
    strokes.push(i);
    picture.update(strokes, i);
    picture.paint();
  }
  assert.equal(surface.paints, 50);
  assert.deepEqual(surface.strokes, strokes);
});

test('a late stroke repaints from the copy before it, not from the start', () => {
  const surface = new ListSurface();
  const picture = new Picture(surface, { every: 100, keptMax: 20 });
  const strokes = numbers(1_000);
  picture.update(strokes, 0);
  picture.paint();
  surface.paints = 0;
  strokes.splice(950, 0, 'late');
  picture.update(strokes, 950);
  picture.paint();
  assert.deepEqual(surface.strokes, strokes);
  assert.equal(surface.paints, 101);
});

test('incremental is the same as painting all, whatever comes when', () => {
  let state = 3;
  const random = (n) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >> 8) % n;
  };
  const surface = new ListSurface();
  const picture = new Picture(surface, { every: 7, keptMax: 4 });
  let strokes = [];
  for (let round = 0; round < 3_000; ++round) {
    if (random(200) === 0) strokes = [];
    const at = random(4) ? strokes.length : random(strokes.length + 1);
    const gone = random(10) === 0 ? random(3) : 0;
    const same = strokes.length === 0 ? 0 : at;
    strokes = [...strokes.slice(0, at), `new ${round}`, ...strokes.slice(at + gone)];
    picture.update(strokes, same);
    let budget = random(3) ? Infinity : random(5);
    picture.paint(() => --budget < 0);
    if (random(3)) continue;
    picture.paint();
    assert.deepEqual(surface.strokes, strokes);
  }
  assert.ok(surface.copiesMost <= 4);
});

test('keeps few copies, the closer together the nearer the end', () => {
  const surface = new ListSurface();
  const picture = new Picture(surface, { every: 10, keptMax: 6 });
  picture.update(numbers(2_000), 0);
  picture.paint();
  assert.equal(picture.copies.length, 6);
  assert.equal(picture.copies[5], 2_000);
  assert.equal(picture.copies[4], 1_990);
  assert.ok(picture.copies[0] < 1_500, `${picture.copies}`);
});

test('stops when time is up, and goes on later', () => {
  const surface = new ListSurface();
  const picture = new Picture(surface);
  picture.update(numbers(10), 0);
  let left = 4;
  picture.paint(() => --left === 0);
  assert.equal(picture.painted, 4);
  assert.ok(!picture.done);
  picture.paint();
  assert.deepEqual(surface.strokes, numbers(10));
});
