import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bench } from './support/client_bench.mjs';

const NODES = [
  { id: 'ws1', client: 'ws1:8081' },
  { id: 'ws2', client: 'ws2:8082' },
];

/** A fetch that answers /status, and says what it was asked for. */
function statusOf(nodes, asked = []) {
  return Object.assign(
    async (url) => {
      asked.push(url);
      const answer = nodes();
      if (!answer) throw new TypeError('failed to fetch');
      return { ok: true, json: async () => ({ nodes: answer }) };
    },
    { asked },
  );
}

test('connects to the address it is given at once, and learns the others from its status', async () => {
  const fetch = statusOf(() => NODES);
  const { client, network } = await bench({ urls: [], discover: 'http://ws1:8081', fetch });
  assert.equal(network.attempts[0].url, 'ws://ws1:8081/ws');
  assert.deepEqual(fetch.asked, ['http://ws1:8081/status']);
  assert.deepEqual(client.nodes, [
    { url: 'ws://ws1:8081/ws', id: 'ws1' },
    { url: 'ws://ws2:8082/ws', id: 'ws2' },
  ]);
  client.close();
});

test('with stay it asks for no others', async () => {
  const fetch = statusOf(() => NODES);
  const { client } = await bench({ urls: [], discover: 'http://balancer', fetch, stay: true });
  assert.deepEqual(fetch.asked, []);
  assert.deepEqual(
    client.nodes.map(({ url }) => url),
    ['ws://balancer/ws'],
  );
  client.close();
});

test('a status that does not come is asked for again with a later connection', async () => {
  let nodes;
  const fetch = statusOf(() => nodes);
  const { client, network, clock } = await bench({ urls: [], discover: 'http://ws1:8081', fetch });
  assert.equal(client.nodes.length, 1);
  nodes = NODES;
  network.last.die(1006);
  await clock.advance(1_000);
  assert.equal(client.nodes.length, 2);
  client.close();
});

test('moves to a node that it was told of', async () => {
  const fetch = statusOf(() => NODES);
  const { client, network, clock } = await bench({ urls: [], discover: 'http://ws1:8081', fetch });
  network.kill('ws://ws1:8081/ws');
  await clock.advance(100);
  assert.equal(client.state.url, 'ws://ws2:8082/ws');
  client.close();
});
