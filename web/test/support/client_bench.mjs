import { InkmeshClient } from '../../client/inkmesh.js';
import { FakeClock, settle } from './fake_clock.mjs';
import { FakeNetwork } from './fake_socket.mjs';

export const URLS = ['ws://ws1/ws', 'ws://ws2/ws', 'ws://ws3/ws'];

/** A client on a pretended network and clock, connected to ws1 unless told otherwise. */
export async function bench({ prepare, ...options } = {}) {
  const network = new FakeNetwork();
  prepare?.(network);
  const clock = new FakeClock();
  const violations = [];
  const client = new InkmeshClient({
    urls: URLS,
    client: 'ann',
    WebSocket: network.WebSocket,
    clock,
    onViolation: (violation) => violations.push(violation),
    ...options,
  });
  await settle();
  return { network, clock, client, violations };
}

export const stroke = (origin, seq, more = {}) => ({
  origin,
  seq,
  ts: 1_000 + seq,
  client: 'bob',
  op: seq,
  data: { n: seq },
  ...more,
});
