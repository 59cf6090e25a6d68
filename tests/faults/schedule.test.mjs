// What the harness itself must keep: a seed decides everything, no fault is in another's way, no disk too many is lost.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { FaultChecker } from './drawing.mjs';
import { FAULTS } from './faults.mjs';
import { distribution } from './journal.mjs';
import { clash, forGood, schedule } from './schedule.mjs';

const ids = ['ws1', 'ws2', 'ws3', 'ws4', 'ws5'];
const kinds = Object.keys(FAULTS);
const plan = (seed) => schedule({ seed, ids, kinds, lengthMs: 60_000 });

it('a seed decides the schedule', () => {
  assert.deepEqual(plan(5), plan(5));
  assert.notDeepEqual(plan(5), plan(6));
});

it('over many seeds: in time, never in each other\'s way, one to three at once, one lost disk, every kind', () => {
  const seen = new Set();
  let three = 0;
  for (let seed = 0; seed < 300; ++seed) {
    const faults = plan(seed);
    for (const [i, fault] of faults.entries()) {
      seen.add(fault.kind);
      assert.ok(fault.forMs >= 1 && fault.forMs <= 30_000 && fault.atMs + fault.forMs <= 60_000, JSON.stringify(fault));
      const during = faults.filter((other) => other.atMs <= fault.atMs && fault.atMs < other.atMs + other.forMs);
      assert.ok(during.length <= 3);
      if (during.length === 3) ++three;
      for (const other of faults.slice(i + 1)) {
        const apart = other.atMs >= fault.atMs + fault.forMs || fault.atMs >= other.atMs + other.forMs;
        assert.ok(apart || !clash(fault.claims, other.claims), `${JSON.stringify(fault)} and ${JSON.stringify(other)}`);
      }
    }
    assert.ok(faults.filter(({ kind }) => FAULTS[kind].losesDisk).length <= 1);
  }
  assert.deepEqual([...seen].sort(), [...kinds].sort());
  assert.ok(three > 100);
});

it('a fault that stays leaves others alone', () => {
  for (const kind of kinds.filter((name) => FAULTS[name].stays)) {
    const fault = forGood({ seed: 3, ids, kind });
    assert.equal(FAULTS[kind].hosts(fault).length, 1, kind);
  }
});

it('ranks of distributions', () => {
  assert.deepEqual(distribution([3, 1, 2]), { n: 3, p50: 2, p99: 3, max: 3 });
  assert.equal(distribution(Array.from({ length: 1_000 }, (_, i) => i + 1)).p99, 990);
});

/** A checker and one who draws, without a cluster: what it is told, it must judge. */
function bench() {
  const journal = { nowMs: 0, note() {}, published() {}, acked() {}, delivered() {} };
  const checker = new FaultChecker({ ack: 2, journal });
  const client = { name: 'ann', connections: 1, promised: new Map(), welcome: { node: 'ws1' }, wanted: true };
  const stroke = (seq) => ({ type: 'stroke', channel: 'c', origin: 'ws1~a', seq, ts: seq, client: 'ann', op: seq, data: seq });
  const draw = (seq) => {
    checker.published(client, 'c', seq, String(seq));
    checker.received(client, { type: 'ack', id: seq, channel: 'c', origin: 'ws1~a', seq, ts: seq, copies: 2 });
  };
  return { checker, client, stroke, draw };
}

it('complete without an earlier acknowledged stroke is a violation', () => {
  const { checker, client, stroke, draw } = bench();
  draw(1);
  draw(2);
  client.promised.set('c', checker.promised('c'));
  checker.received(client, { type: 'subscribed', id: 9, channel: 'c', mode: 'full', cursor: {} });
  checker.received(client, stroke(1));
  checker.received(client, { type: 'live', channel: 'c', cursor: { 'ws1~a': 1 }, complete: false });
  assert.deepEqual(checker.violations, []);
  checker.received(client, { type: 'live', channel: 'c', cursor: { 'ws1~a': 1 }, complete: true });
  assert.match(checker.violations[0], /complete with ws1~a at 1, but 2 was acknowledged/);
});

it('an acknowledged stroke in too few stores is named, and two contents of one seq', () => {
  const { checker, stroke, draw } = bench();
  draw(1);
  draw(2);
  const own = new Map([['ws1', new Map([['c', [stroke(1), stroke(2)]]])], ['ws2', new Map([['c', [stroke(1)]]])]]);
  assert.deepEqual(checker.replicas(own, 2), ['c ws1~a 2: 1 of 2 copies']);
  own.get('ws2').set('c', [stroke(1), { ...stroke(2), data: 7 }]);
  assert.deepEqual(checker.replicas(own, 2), []);
  assert.match(checker.violations[0], /two contents/);
});
