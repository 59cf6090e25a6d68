// Every HTTP call of docs/protocol.md, to the letter, on a running cluster of three.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Cluster, httpGet, parseMetrics } from './cluster.mjs';
import { Wire } from './wire.mjs';

let cluster;
let channels = 0;
const freshChannel = () => `http_${++channels}`;
const strokesUrl = (node, channel, query = '') => `${cluster.nodes[node].http}/channels/${channel}/strokes${query}`;

async function post(node, channel, body, headers = {}) {
  const response = await fetch(strokesUrl(node, channel), {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, text, json: text.startsWith('{') ? JSON.parse(text) : undefined };
}

async function getJson(url) {
  const answer = await httpGet(url);
  assert.match(answer.headers.get('content-type'), /^application\/json/);
  return { ...answer, json: JSON.parse(answer.text) };
}

before(async () => {
  cluster = await Cluster.start({ settings: { limits: { publish_per_s: 100_000 } } });
});
after(() => cluster?.stop());

describe('probes', () => {
  it('GET /healthz and /readyz answer 200 with JSON', async () => {
    for (const node of cluster.nodes) {
      for (const path of ['/healthz', '/readyz']) assert.equal((await getJson(node.http + path)).status, 200);
    }
  });

  it('GET /metrics is Prometheus text with a sample for each peer', async () => {
    const answer = await httpGet(`${cluster.nodes[0].http}/metrics`);
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get('content-type'), /^text\/plain/);
    const samples = parseMetrics(answer.text);
    assert.ok(samples.every((sample) => sample.name.startsWith('inkmesh_')), 'names start with inkmesh_');
    for (const peer of ['ws2', 'ws3']) assert.ok(samples.some((sample) => sample.labels.peer === peer), peer);
    const typed = [...answer.text.matchAll(/^# TYPE (\S+) (counter|gauge|histogram|summary)$/gm)].map((m) => m[1]);
    for (const { name } of samples) {
      const base = name.replace(/_(bucket|sum|count)$/, '');
      assert.ok(typed.includes(name) || typed.includes(base), `${name} has a # TYPE`);
    }
  });

  it('GET /status tells node, pid, epoch, nodes, peers, channels, connections, interest and store', async () => {
    const node = cluster.nodes[1];
    const { json } = await getJson(`${node.http}/status`);
    assert.equal(json.node, 'ws2');
    assert.equal(json.pid, node.pid);
    assert.match(json.epoch, /^[0-9a-z]{8}$/);
    const addresses = Object.fromEntries(json.nodes.map((entry) => [entry.id, JSON.stringify(entry)]));
    for (const other of cluster.nodes) assert.ok(addresses[other.id].includes(`127.0.0.1:${other.port}`), addresses[other.id]);
    assert.deepEqual(json.peers.map((peer) => [peer.id, peer.state]).sort(), [['ws1', 'up'], ['ws3', 'up']]);
    for (const field of ['channels', 'connections', 'interest', 'store']) assert.notEqual(json[field], undefined, field);
  });

  it('GET / and /?board=abc123 are the whiteboard, from inside the binary', async () => {
    for (const path of ['/', '/?board=abc123']) {
      const answer = await httpGet(cluster.nodes[2].http + path);
      assert.equal(answer.status, 200);
      assert.match(answer.headers.get('content-type'), /^text\/html/);
      assert.match(answer.text, /<canvas|<script/);
    }
  });

  it('what is not there is 404, a wrong method 405', async () => {
    const { http } = cluster.nodes[0];
    assert.equal((await httpGet(`${http}/nothing/here`)).status, 404);
    assert.equal((await httpGet(`${http}/../../etc/passwd`)).status, 404);
    assert.equal((await httpGet(`${http}/%2e%2e/%2e%2e/etc/passwd`)).status, 404);
    for (const [method, path] of [['DELETE', '/channels/c/strokes'], ['PUT', '/channels/c/strokes'], ['POST', '/status']]) {
      const response = await fetch(http + path, { method, headers: { connection: 'close' } });
      assert.equal(response.status, 405, `${method} ${path}`);
      await response.text();
    }
  });
});

describe('POST /channels/{channel}/strokes', () => {
  it('is answered 201 with the ack\'s fields once durable, and reaches subscribers', async () => {
    const channel = freshChannel();
    const reader = await Wire.open(cluster.urls[2], { hello: 'reader' });
    await reader.ask({ type: 'subscribe', id: 1, channel });
    await reader.next('live');
    const answer = await post(0, channel, { client: 'backend', op: 1, data: { posted: true } },
      { authorization: 'Bearer not-looked-at-yet' });
    assert.equal(answer.status, 201, answer.text);
    assert.equal(answer.json.channel, channel);
    assert.match(answer.json.origin, /^ws1~/);
    assert.equal(answer.json.seq, 1);
    assert.ok(answer.json.ts > 0);
    assert.ok(answer.json.copies >= 2);
    const [stroke] = await reader.strokes(channel, 1);
    assert.deepEqual([stroke.client, stroke.op, stroke.data, stroke.ts], ['backend', 1, { posted: true }, answer.json.ts]);
    await reader.close();
  });

  it('again is a duplicate; with other data it is op_reused', async () => {
    const channel = freshChannel();
    const first = await post(0, channel, { client: 'backend', op: 5, data: 1 });
    const again = await post(1, channel, { client: 'backend', op: 5, data: 1, retry: true });
    assert.ok(again.status === 200 || again.status === 201, again.text);
    assert.deepEqual([again.json.origin, again.json.seq, again.json.duplicate], [first.json.origin, 1, true]);
    const reused = await post(0, channel, { client: 'backend', op: 5, data: 2 });
    assert.equal(reused.status, 409);
    assert.equal(reused.json.code, 'op_reused');
  });

  it('with a body that is none, or not allowed, is a 4xx with the protocol\'s code', async () => {
    const channel = freshChannel();
    const good = { client: 'backend', op: 1, data: 1 };
    const cases = [
      ['', 400, 'bad_message'], ['{', 400, 'bad_message'], ['[]', 400, 'bad_message'], ['{}', 400, 'bad_message'],
      [{ ...good, op: 0 }, 400, 'bad_message'], [{ ...good, op: '1' }, 400, 'bad_message'],
      [{ ...good, client: 'a b' }, 400, 'bad_message'], [{ client: 'backend', op: 1 }, 400, 'bad_message'],
      [{ ...good, data: 'x'.repeat(65_536) }, 413, 'too_large'],
    ];
    for (const [body, status, code] of cases) {
      const answer = await post(0, channel, body);
      const shown = JSON.stringify(body).slice(0, 80);
      assert.equal(answer.status, status, `${shown}: ${answer.status} ${answer.text}`);
      assert.equal(answer.json?.code, code, `${shown}: ${answer.text}`);
    }
    for (const bad of ['a%20b', '%E7%94%BB', 'x'.repeat(129)]) {
      const answer = await post(0, bad, good);
      assert.equal(answer.status, 400, `${bad}: ${answer.text}`);
      assert.equal(answer.json?.code, 'bad_channel');
    }
    assert.equal((await cluster.nodes[0].history(channel)).strokes.length, 0);
  });
});

describe('GET /channels/{channel}/strokes', () => {
  const count = 2500;
  const channel = 'http_paged';
  let acks;

  before(async () => {
    const wire = await Wire.open(cluster.urls[0], { hello: 'pager' });
    for (let op = 1; op <= count; ++op) wire.send({ type: 'publish', id: op, channel, op, data: op });
    acks = [];
    while (acks.length < count) {
      const answer = await wire.next((m) => m.type === 'ack' || m.type === 'error', 60_000);
      assert.equal(answer.type, 'ack', answer.text);
      acks.push(answer);
    }
    await wire.close();
  });

  it('gives pages of at most 1,000 strokes, each past the last one\'s cursor, from every node', async () => {
    for (const node of cluster.nodes) {
      const sizes = [];
      let query = '';
      let page;
      let next = 1;
      do {
        page = await node.page(channel, query);
        sizes.push(page.strokes.length);
        for (const stroke of page.strokes) assert.equal(stroke.seq, next++);
        assert.equal(page.cursor[acks[0].origin], next - 1);
        query = `?cursor=${encodeURIComponent(JSON.stringify(page.cursor))}`;
      } while (page.more);
      assert.equal(next - 1, count);
      assert.ok(sizes.every((size) => size > 0 && size <= 1000), `${sizes}`);
      assert.equal(page.complete, true);
      const end = await node.page(channel, query);
      assert.deepEqual([end.strokes, end.more], [[], false]);
    }
  });

  it('since gives the strokes from a timestamp on', async () => {
    const { origin } = acks[0];
    const since = acks.find((ack) => ack.seq === 2000).ts;
    for (const node of cluster.nodes) {
      const page = await node.page(channel, `?since=${since}`);
      assert.ok(page.strokes[0].seq <= 2000 && page.strokes[0].seq > 1000, `begins at ${page.strokes[0].seq}`);
      assert.equal(page.strokes.at(-1).seq, page.cursor[origin]);
      if (!page.more) assert.equal(page.cursor[origin], count);
    }
  });

  it('an unknown channel is empty; a cursor that is none is 400', async () => {
    const empty = await cluster.nodes[1].page(freshChannel());
    assert.deepEqual([empty.strokes, empty.cursor, empty.more, empty.complete], [[], {}, false, true]);
    for (const query of ['?cursor=x', '?cursor=%5B%5D', '?cursor=%7B%22ws1~5k2m9x1q%22%3A-1%7D', '?since=-1', '?since=abc',
      '?since=1.5', '?cursor=%zz']) {
      const { status, json } = await getJson(strokesUrl(0, channel, query));
      assert.equal(status, 400, query);
      assert.equal(json.code, 'bad_message', query);
    }
    assert.equal((await getJson(strokesUrl(0, 'a%20b'))).json.code, 'bad_channel');
  });
});
