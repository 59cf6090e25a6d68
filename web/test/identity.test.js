import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryStorage, claimIdentity, randomClient, sendLeftovers } from '../client/inkmesh.js';
import { FakeClock, settle } from './support/fake_clock.mjs';
import { FakeNetwork } from './support/fake_socket.mjs';

/** Web Locks, as far as a tab needs them. */
class FakeLocks {
  held = new Map();

  async request(name, options, run) {
    if (this.held.has(name)) return run(null);
    const done = Promise.resolve(run({ name }));
    this.held.set(name, done);
    await done;
    this.held.delete(name);
    return undefined;
  }

  /** A page is gone, and with it its locks. */
  release() {
    this.held.clear();
  }
}

/** A session storage that a duplicated tab copies. */
class FakeSession {
  constructor(items = {}) {
    this.items = { ...items };
  }
  getItem(key) {
    return this.items[key] ?? null;
  }
  setItem(key, value) {
    this.items[key] = String(value);
  }
}

const lasting = {}; // a storage that keeps things; only claimed names are looked at here
const sleep = async () => {};

test('names are valid clients, and never the same', () => {
  const names = new Set(Array.from({ length: 1_000 }, randomClient));
  assert.equal(names.size, 1_000);
  for (const name of names) assert.match(name, /^[A-Za-z0-9_.:-]{1,64}$/);
});

test('a reload keeps the name', async () => {
  const locks = new FakeLocks();
  const sessionStorage = new FakeSession();
  const before = await claimIdentity({ storage: lasting, locks, sessionStorage, sleep });
  locks.release();
  assert.equal(await claimIdentity({ storage: lasting, locks, sessionStorage, sleep }), before);
});

test('a duplicated tab gets a name of its own, though its session storage is a copy', async () => {
  const locks = new FakeLocks();
  const original = new FakeSession();
  const first = await claimIdentity({ storage: lasting, locks, sessionStorage: original, sleep });
  const copy = new FakeSession(original.items);
  const second = await claimIdentity({ storage: lasting, locks, sessionStorage: copy, sleep });
  assert.notEqual(second, first);
  assert.notDeepEqual(copy.items, original.items);
});

test('a page that still holds its lock for a moment after a reload is waited for', async () => {
  const locks = new FakeLocks();
  const sessionStorage = new FakeSession();
  const before = await claimIdentity({ storage: lasting, locks, sessionStorage, sleep });
  let waits = 0;
  const after = await claimIdentity({
    storage: lasting,
    locks,
    sessionStorage,
    sleep: async () => {
      if (++waits === 2) locks.release();
    },
  });
  assert.equal(after, before);
});

test('without locks, or where nothing lasts, every page has a new name', async () => {
  const sessionStorage = new FakeSession();
  const names = new Set();
  for (let i = 0; i < 3; ++i) {
    names.add(await claimIdentity({ storage: lasting, locks: undefined, sessionStorage, sleep }));
    names.add(await claimIdentity({ storage: new MemoryStorage(), locks: new FakeLocks(), sessionStorage, sleep }));
  }
  assert.equal(names.size, 6);
});

test('what a closed tab left is sent under its own name; what an open one has is let alone', async () => {
  const locks = new FakeLocks();
  const storage = new MemoryStorage();
  await storage.put('gone', { op: 4, channel: 'drawing_a', text: '{"n":4}' });
  await storage.put('open', { op: 9, channel: 'drawing_a', text: '1' });
  await storage.put('self', { op: 1, channel: 'drawing_a', text: '1' });
  locks.request('inkmesh.client.open', {}, () => new Promise(() => {}));
  const network = new FakeNetwork();
  const connect = { urls: ['ws://ws1/ws'], WebSocket: network.WebSocket, clock: new FakeClock() };
  const sent = sendLeftovers({ self: 'self', storage, connect, locks });
  await settle();
  assert.equal(network.attempts.length, 1);
  const [socket] = network.attempts;
  assert.equal(socket.of('hello')[0].client, 'gone');
  const [publish] = socket.of('publish');
  assert.deepEqual([publish.op, publish.retry, publish.data], [4, true, { n: 4 }]);
  socket.take({ type: 'ack', id: publish.id, channel: 'drawing_a', origin: 'ws1~a', seq: 1, ts: 1, copies: 2 });
  assert.equal(await sent, 1);
  await settle();
  assert.deepEqual((await storage.clients()).sort(), ['open', 'self']);
  assert.equal(socket.readyState, 3);
  assert.ok(!locks.held.has('inkmesh.client.gone'));
});
