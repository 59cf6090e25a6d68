// The checker itself: a good run passes, and each broken promise is found and named.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Checker, drawn, sameCursor } from './checker.mjs';

const A = 'ws1~aaaaaaaa';
const B = 'ws2~bbbbbbbb';

const stroke = (origin, seq, op, more = {}) =>
  ({ type: 'stroke', channel: 'c', origin, seq, ts: 1000 + op, client: 'ann', op, data: { op }, ...more });

/** A run of one client and one node; `change` spoils it. */
async function run(change = {}) {
  const checker = new Checker({ ack: 2 });
  const client = { name: 'ann', connections: 1, wanted: true, url: 'x' };
  const receive = (message) => checker.received(client, message);
  receive({ type: 'subscribed', channel: 'c', mode: 'full', cursor: change.fullFrom ?? {} });
  for (const op of [1, 2, 3]) checker.published(client, 'c', op, JSON.stringify({ op }));
  const strokes = change.strokes ?? [stroke(A, 1, 1), stroke(A, 2, 2), stroke(B, 1, 3)];
  receive(strokes[0]);
  receive({ type: 'live', channel: 'c', cursor: change.liveAt ?? { [A]: 1 } });
  if (change.backWith) receive({ type: 'subscribed', channel: 'c', mode: 'delta', cursor: change.backWith });
  for (const next of strokes.slice(1)) receive(next);
  const acks = change.acks ?? [[A, 1, 1], [A, 2, 2], [B, 1, 3]];
  for (const [origin, seq, op] of acks) {
    receive({ type: 'ack', id: op, channel: 'c', origin, seq, ts: 1000 + op, copies: change.copies ?? 2 });
  }
  const held = change.held ?? [stroke(A, 1, 1), stroke(A, 2, 2), stroke(B, 1, 3)];
  const cursor = {};
  for (const { origin, seq } of held) cursor[origin] = seq;
  const node = (id) => ({ id, history: async () => ({ strokes: held, cursor, complete: true }) });
  return checker.finish([node('ws1'), node('ws2')], { timeoutMs: 300 });
}

describe('the checker', () => {
  it('passes a good run', async () => {
    const result = await run();
    assert.deepEqual([result.published, result.acks, result.strokes, result.copies], [3, 3, 3, 0]);
  });

  const held = [stroke(A, 1, 1), stroke(A, 2, 2), stroke(B, 1, 3)];
  const broken = {
    'a gap': [{ strokes: [held[0], stroke(A, 3, 2), held[2]] }, /3 came, 2 was due/],
    'a repeat': [{ strokes: [...held, held[1]] }, /2 came, 3 was due/],
    'going back': [{ strokes: [held[0], held[1], held[0], held[2]] }, /1 came, 3 was due/],
    'a stroke that a follower never got': [{ strokes: held.slice(0, 2) }, /not converged/],
    'an acknowledged stroke that is gone': [{ held: held.slice(0, 2), strokes: held.slice(0, 2) }, /acknowledged .* not there/],
    'two contents of one seq': [{ strokes: [held[0], stroke(A, 2, 2, { ts: 999 }), held[2]] }, /two contents/],
    'other data than was published': [{ strokes: [held[0], stroke(A, 2, 2, { data: {} }), held[2]] }, /not what/],
    'a stroke that nobody published': [{ strokes: [...held, stroke(B, 2, 9)] }, /never published/],
    'too few copies': [{ copies: 1 }, /acked with 1 copies/],
    'an ack for another place': [{ acks: [[A, 1, 1], [A, 2, 2], [B, 1, 3], [B, 1, 1]] }, /acked as/],
    'full that begins somewhere': [{ fullFrom: { [A]: 5 } }, /full from/],
    'a delta that begins elsewhere': [{ backWith: { [A]: 2 } }, /came back with/],
    'live at what was not seen': [{ liveAt: { [A]: 2 } }, /live at/],
    'a history with a gap': [{ held: [held[0], stroke(A, 3, 2), held[2]] }, /1 then 3/],
    'ts that does not grow': [{ held: [held[0], stroke(A, 2, 2, { ts: 1 }), held[2]] }, /does not grow/],
  };
  for (const [name, [change, pattern]] of Object.entries(broken)) {
    it(`finds ${name}`, async () => assert.rejects(run(change), pattern));
  }

  it('draws each (client, op) once, at its lowest place', () => {
    const copies = [stroke(B, 1, 1, { ts: 5 }), stroke(A, 1, 2, { ts: 3 }), stroke(A, 2, 1, { ts: 4 })];
    assert.deepEqual(drawn(copies).map(({ origin, seq }) => [origin, seq]), [[A, 1], [A, 2]]);
  });

  it('takes an origin at 0 for absent', () => {
    assert.ok(sameCursor({ [A]: 0, [B]: 2 }, { [B]: 2 }));
    assert.ok(!sameCursor({ [A]: 1 }, {}));
  });
});
