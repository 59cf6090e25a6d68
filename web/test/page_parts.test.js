import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOf, readAddress } from '../board/address.js';
import { colorOf, givenName, initials } from '../board/people.js';
import { describe } from '../board/status_view.js';
import { Tools } from '../board/tools.js';

test('the address names the board, and whether to stay', () => {
  assert.deepEqual(readAddress('?board=abc123'), { board: 'abc123', channel: 'drawing_abc123', stay: false });
  assert.equal(readAddress('').channel, 'drawing_demo');
  assert.equal(readAddress('?board=').board, 'demo');
  assert.equal(readAddress('?board=our%20b%C3%B6ard/1').board, 'our-b-ard-1');
  assert.equal(readAddress('?stay=1').stay, true);
  assert.equal(readAddress('?stay').stay, true);
  assert.equal(readAddress('?stay=0').stay, false);
  for (const name of ['x'.repeat(500), '日本', '"><script>', 'a b', '..']) {
    assert.match(readAddress(`?board=${encodeURIComponent(name)}`).channel, /^[A-Za-z0-9_.:-]{1,128}$/);
  }
});

test('the shared address opens the same board', () => {
  assert.equal(addressOf('http://h:1/?stay=1#x', 'b'), 'http://h:1/?stay=1&board=b');
});

test('the connection in words', () => {
  const seen = { phase: 'connected', node: 'ws2', waiting: 0, downMs: -Infinity, waitingMs: -Infinity, replay: 'live' };
  const words = (more) => Object.values(describe({ ...seen, ...more })).join(' | ');
  assert.equal(words({}), 'good | ws2 | ');
  assert.equal(words({ replay: 'replaying' }), 'busy | ws2 | Loading the drawing…');
  assert.equal(words({ waiting: 1, waitingMs: 100 }), 'good | ws2 | ');
  assert.equal(words({ waiting: 1, waitingMs: 800 }), 'busy | ws2 | 1 stroke waiting');
  assert.equal(words({ waiting: 3, trouble: 'storage_full' }), 'busy | The node is full | 3 strokes waiting');
  assert.equal(words({ phase: 'waiting', downMs: 100 }), 'busy | Reconnecting… | ');
  assert.equal(words({ phase: 'connecting', downMs: 2_000, waiting: 3 }), 'bad | Offline | 3 strokes waiting');
  assert.equal(words({ phase: 'connecting', downMs: 2_000 }), 'bad | Offline | You can go on drawing');
});

test('everyone has a name and a colour, the same on every screen', () => {
  assert.equal(givenName('abc'), givenName('abc'));
  assert.match(colorOf('abc'), /^#[0-9a-f]{6}$/);
  const names = new Set(Array.from({ length: 200 }, (_, i) => givenName(`client${i}`)));
  assert.ok(names.size > 150);
  assert.equal(initials('Amber Otter'), 'AO');
  assert.equal(initials('zoë'), 'Z');
  assert.equal(initials('😀 x'), '😀X');
});

test('tools: an eraser is wide, a colour takes up the pen, and the choice is kept', () => {
  const kept = new Map();
  const storage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value), removeItem: (key) => kept.delete(key) }; // prettier-ignore
  const tools = new Tools(storage);
  tools.choose({ kind: 'erase' });
  assert.equal(tools.style().kind, 'erase');
  assert.ok(tools.style().width > tools.width);
  tools.choose({ color: '#e5383b' });
  assert.deepEqual(tools.style(), { kind: 'pen', color: '#e5383b', width: 6 });
  assert.equal(tools.style(true).kind, 'erase', 'the other end of the stylus');
  for (let i = 0; i < 9; ++i) tools.stepWidth(1);
  assert.equal(tools.width, 24);
  const again = new Tools(storage);
  assert.deepEqual([again.color, again.width], ['#e5383b', 24]);
  kept.set('inkmesh.tools', '{broken');
  assert.equal(new Tools(storage).width, 6);
});
