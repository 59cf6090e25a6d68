import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NodeList } from '../client/node_list.js';

const half = () => 0.5;
const urls = (list) => list.entries.map(({ url }) => url);

test('the given address comes first, then those that a node told', () => {
  const list = new NodeList({ urls: ['ws://127.0.0.1:8081/ws'], random: half });
  list.learn(
    [
      { id: 'ws1', client: '127.0.0.1:8081' },
      { id: 'ws2', client: '127.0.0.1:8082' },
    ],
    'http://127.0.0.1:8081',
  );
  assert.deepEqual(urls(list), ['ws://127.0.0.1:8081/ws', 'ws://127.0.0.1:8082/ws']);
  assert.equal(list.entries[0].id, 'ws1');
  assert.equal(list.next(0).url, 'ws://127.0.0.1:8081/ws');
});

test('a page over https connects with wss', () => {
  const list = new NodeList({ urls: ['wss://a.example/ws'], random: half });
  list.learn([{ id: 'ws2', client: 'b.example:443' }], 'https://a.example');
  assert.equal(urls(list)[1], 'wss://b.example:443/ws');
});

test('IPv6 addresses, and a node that listens on all of its own', () => {
  const list = new NodeList({ urls: ['ws://h/ws'], random: half });
  list.learn(
    [
      { id: 'a', client: '[2001:db8::7]:8081' },
      { id: 'b', client: '0.0.0.0:8082' },
      { id: 'c', client: '[::]:8083' },
    ],
    'http://h.example:8081',
  );
  assert.deepEqual(urls(list).slice(1), [
    'ws://[2001:db8::7]:8081/ws',
    'ws://h.example:8082/ws',
    'ws://h.example:8083/ws',
  ]);
});

test('what was told and is no longer there is forgotten; the given address never is', () => {
  const list = new NodeList({ urls: ['ws://h:1/ws'], random: half });
  list.learn([{ id: 'a', client: 'h:2' }], 'http://h:1');
  list.learn([{ id: 'b', client: 'h:3' }], 'http://h:1');
  assert.deepEqual(urls(list), ['ws://h:1/ws', 'ws://h:3/ws']);
});

test('anything at all as a node list', () => {
  const list = new NodeList({ urls: ['ws://h:1/ws'], random: half });
  for (const nodes of [
    undefined,
    null,
    'x',
    {},
    [null, 1, {}, { id: 1, client: 2 }, { id: 'a', client: 'not an address' }],
  ]) {
    list.learn(nodes, 'http://h:1');
  }
  assert.deepEqual(urls(list), ['ws://h:1/ws']);
});

test('a node fails under all of its addresses', () => {
  const list = new NodeList({ urls: ['ws://localhost:1/ws'], random: half });
  list.learn(
    [
      { id: 'a', client: '127.0.0.1:1' },
      { id: 'b', client: '127.0.0.1:2' },
    ],
    'http://localhost:1',
  );
  list.identify(list.entries[0], 'a');
  list.failed(list.entries[0], 5);
  assert.equal(list.next(6).id, 'b');
  assert.equal(list.size, 2);
});

test('each is tried in turn, the longest failed first', () => {
  const list = new NodeList({ urls: ['ws://a/ws', 'ws://b/ws', 'ws://c/ws'], random: half });
  const tried = [];
  for (let now = 1; now <= 6; ++now) {
    const entry = list.next(now);
    tried.push(entry.url);
    list.failed(entry, now);
  }
  assert.deepEqual(tried.slice(0, 3), tried.slice(3));
  assert.equal(new Set(tried).size, 3);
});

test('a node that asked to be avoided is the last resort', () => {
  const list = new NodeList({ urls: ['ws://a/ws', 'ws://b/ws'], random: half });
  list.avoid(list.entries[0], 100);
  list.failed(list.entries[1], 50);
  assert.equal(list.next(60).url, 'ws://b/ws');
  assert.equal(list.next(100).url, 'ws://a/ws');
  list.avoid(list.entries[1], 100);
  assert.equal(list.next(60).url, 'ws://a/ws', 'with nobody else it is tried all the same');
});

test('clients of a dead node spread over the others', () => {
  const nodes = Array.from({ length: 5 }, (_, i) => ({ id: `n${i}`, client: `h:${i + 1}` }));
  const chosen = new Set();
  for (let i = 0; i < 100; ++i) {
    const list = new NodeList({ urls: ['ws://h:1/ws'] });
    list.learn(nodes, 'http://h:1');
    list.failed(list.entries[0], 1);
    chosen.add(list.next(2).id);
  }
  assert.deepEqual([...chosen].sort(), ['n1', 'n2', 'n3', 'n4']);
});

test('no address is an error', () => {
  assert.throws(() => new NodeList({ urls: [] }), TypeError);
});
