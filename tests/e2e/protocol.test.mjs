// Every request, answer and error of docs/protocol.md over WebSocket, to the letter, on a running cluster of three.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Cluster } from './cluster.mjs';
import { Raw, frame, opcode } from './attack.mjs';
import { rawData } from './json_raw.mjs';
import { Wire } from './wire.mjs';

const ID = /^[A-Za-z0-9_.:-]{1,64}$/;
const ORIGIN = /^ws[123]~[0-9a-z]{8}$/;
const NUMBER_MAX = 2 ** 53 - 1;

let cluster;
let wires = [];
let channels = 0;
const freshChannel = () => `protocol_${++channels}`;

async function open(node = 0, options = {}) {
  const wire = await Wire.open(cluster.urls[node], options);
  wires.push(wire);
  return wire;
}

before(async () => {
  cluster = await Cluster.start({ settings: { limits: { publish_per_s: 20_000, channels_per_connection: 8 } } });
});
after(() => cluster?.stop());

function suite(name, body) {
  describe(name, () => {
    after(async () => {
      for (const wire of wires) wire.terminate();
      wires = [];
    });
    body();
  });
}

const publish = (channel, op, data, more = {}) => ({ type: 'publish', id: op, channel, op, data, ...more });

async function refused(wire, request, ...codes) {
  wire.send(request);
  const error = await wire.next('error');
  assert.ok(codes.includes(error.code), `${JSON.stringify(request).slice(0, 120)}: ${error.code}, not ${codes}`);
  assert.equal(typeof error.message, 'string');
  assert.notEqual(error.message, '');
  if (Number.isSafeInteger(request.id) && request.id >= 0) assert.equal(error.id, request.id);
  return error;
}

async function acked(wire, request) {
  const ack = await wire.ask(request);
  assert.equal(ack.type, 'ack', ack.text);
  return ack;
}

suite('hello', () => {
  it('is answered by welcome with the node, the client and the limits', async () => {
    const wire = await open(1);
    wire.send({ type: 'hello', client: 'ann.B_1:2-3' });
    const welcome = await wire.next('welcome');
    assert.equal(welcome.node, 'ws2');
    assert.equal(welcome.client, 'ann.B_1:2-3');
    assert.equal(welcome.limits.channels, 8);
    assert.equal(welcome.limits.publish_per_s, 20_000);
    assert.equal(welcome.limits.message_bytes, 96 * 1024);
  });

  it('may leave out the client: the node gives an id of its own', async () => {
    const names = new Set();
    for (const node of [0, 1, 1]) {
      const wire = await open(node);
      wire.send({ type: 'hello', token: 'eyJ.is.not-looked-at-yet' });
      const { client } = await wire.next('welcome');
      assert.match(client, ID);
      names.add(client);
    }
    assert.equal(names.size, 3);
  });

  it('is optional: every request works without it', async () => {
    const channel = freshChannel();
    const wire = await open();
    const subscribed = await wire.ask({ type: 'subscribe', id: 1, channel });
    assert.equal(subscribed.type, 'subscribed');
    await wire.next('live');
    await acked(wire, publish(channel, 2, 'x'));
    const [stroke] = await wire.strokes(channel, 1);
    assert.match(stroke.client, ID);
  });

  it('with a client that is no name is refused', async () => {
    for (const client of ['', 'a b', 'ä', 'x'.repeat(65), 7, null, ['a'], {}]) {
      const wire = await open();
      await refused(wire, { type: 'hello', client }, 'bad_message');
      wire.terminate();
    }
    const wire = await open();
    wire.send({ type: 'hello', client: 'x'.repeat(64) });
    await wire.next('welcome');
  });

  it('the subprotocol is inkmesh.v1, named or not', async () => {
    assert.equal((await open(0, { protocols: ['other', 'inkmesh.v1'] })).socket.protocol, 'inkmesh.v1');
    const unnamed = await open(0, { protocols: [] });
    assert.equal(unnamed.socket.protocol, '');
    unnamed.send({ type: 'ping' });
    await unnamed.next('pong');
  });

  it('WebSockets are at /ws and nowhere else', async () => {
    const raw = await Raw.connect(cluster.nodes[0].port);
    await raw.write('GET /elsewhere HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n\r\n');
    assert.equal((await raw.httpHead()).status, 404);
    raw.destroy();
  });
});

suite('messages', () => {
  it('ping is answered by pong', async () => {
    const wire = await open();
    wire.send({ type: 'ping', more: 'is ignored' });
    assert.deepEqual(Object.keys(await wire.next('pong')), ['type']);
  });

  it('unknown fields are ignored, in every request', async () => {
    const channel = freshChannel();
    const wire = await open();
    const odd = { zzz: [{ deep: [null] }], Type: 'x', cursors: 1, Id: -1 };
    wire.send({ type: 'hello', client: 'odd', ...odd });
    await wire.next('welcome');
    assert.equal((await wire.ask({ type: 'subscribe', id: 1, channel, ...odd })).type, 'subscribed');
    await wire.next('live');
    await acked(wire, publish(channel, 2, 'x', odd));
    assert.equal((await wire.ask({ type: 'presence', id: 3, channel, ...odd })).type, 'presence');
    assert.equal((await wire.ask({ type: 'unsubscribe', id: 4, channel, ...odd })).type, 'unsubscribed');
  });

  it('an unknown type, no type, or what is no object is bad_message, and the connection stays', async () => {
    const wire = await open();
    await refused(wire, { type: 'draw', id: 5 }, 'bad_message');
    await refused(wire, { id: 6 }, 'bad_message');
    await refused(wire, { type: 7, id: 7 }, 'bad_message');
    for (const text of ['', ' ', '[]', 'null', '"ping"', '1', '{', '{"type":"ping"', '{"type":"ping"}}', '{"type":"ping",}',
      "{'type':'ping'}", '{"type":"ping"}{"type":"ping"}', '\u0000', '{"type":"ping","x":01}', '{"type":"ping","x":NaN}',
      '{"type":"ping","x":"\n"}', '{"type":"ping" /* */}', '\ufeff{"type":"ping"}']) {
      wire.send(text);
      const error = await wire.next('error');
      assert.equal(error.code, 'bad_message', text);
    }
    assert.deepEqual(await wire.drained(), []);
  });

  it('id is echoed as it came, 0 to 2^53 - 1; any other is bad_message', async () => {
    const channel = freshChannel();
    const wire = await open();
    for (const id of [0, 1, NUMBER_MAX]) {
      assert.equal((await wire.ask({ type: 'subscribe', id, channel })).type, 'subscribed');
    }
    for (const id of ['1', -1, 1.5, null, true, [], {}]) {
      await refused(wire, { type: 'subscribe', id, channel }, 'bad_message');
    }
    for (const id of ['9007199254740992', '18446744073709551616', '1e300']) {
      wire.send(`{"type":"subscribe","id":${id},"channel":"${channel}"}`);
      assert.equal((await wire.next('error')).code, 'bad_message', id);
    }
  });

  it('a channel is 1 to 128 of the named characters, else bad_channel, in every request', async () => {
    const wire = await open();
    const requests = [
      { type: 'subscribe', id: 1 },
      { type: 'publish', id: 2, op: 1, data: 1 },
      { type: 'signal', data: 1 },
      { type: 'presence', id: 3 },
      { type: 'unsubscribe', id: 4 },
    ];
    for (const request of requests) {
      for (const channel of ['', 'a b', 'a/b', 'ä', '画', 'a\u0000', 'x'.repeat(129)]) {
        await refused(wire, { ...request, channel }, 'bad_channel');
      }
      await refused(wire, { ...request, channel: 7 }, 'bad_channel', 'bad_message');
      await refused(wire, request, 'bad_channel', 'bad_message');
    }
    await acked(wire, publish('aZ09_.:-'.padEnd(128, 'x'), 1, 1));
    await acked(wire, publish('c', 1, 1));
  });

  it('a binary frame is refused: as bad_message or by 1003', async () => {
    const raw = await Raw.webSocket(cluster.nodes[0].port);
    await raw.write(frame(opcode.binary, '{"type":"ping"}'));
    const answer = await raw.nextFrame();
    if (answer.op === opcode.close) assert.equal(answer.payload.readUInt16BE(0), 1003);
    else assert.equal(JSON.parse(answer.payload.toString()).code, 'bad_message');
    raw.destroy();
  });
});

suite('publish', () => {
  it('is acknowledged with origin, seq, ts and the copies it is durable on', async () => {
    const channel = freshChannel();
    const wire = await open(0, { hello: 'p1' });
    const before = Date.now() * 1000;
    for (const op of [17, 3, NUMBER_MAX]) {
      const ack = await acked(wire, publish(channel, op, { op }));
      assert.match(ack.origin, ORIGIN);
      assert.ok(ack.origin.startsWith('ws1~'));
      assert.equal(ack.channel, channel);
      assert.ok(ack.copies >= 2, ack.text);
      assert.ok(ack.ts >= before && ack.ts <= Date.now() * 1000 + 1_000_000);
      assert.ok(!ack.duplicate);
    }
    const last = await acked(wire, publish(channel, 4, {}));
    assert.equal(last.seq, 4);
  });

  it('needs no subscription, and its author receives nothing without one', async () => {
    const wire = await open();
    await acked(wire, publish(freshChannel(), 1, 1));
    assert.deepEqual(await wire.drained(), []);
  });

  it('an author that is subscribed receives its own stroke', async () => {
    const channel = freshChannel();
    const wire = await open(0, { hello: 'own' });
    await wire.ask({ type: 'subscribe', id: 1, channel });
    const ack = await acked(wire, publish(channel, 2, { own: true }));
    const [stroke] = await wire.strokes(channel, 1);
    const { origin, seq, ts } = ack;
    assert.deepEqual(stroke, { type: 'stroke', channel, origin, seq, ts, client: 'own', op: 2, data: { own: true } });
  });

  it('op is a whole number from 1 to 2^53 - 1, required; so is data', async () => {
    const channel = freshChannel();
    const wire = await open();
    for (const op of ['0', '-1', '1.5', '"1"', 'null', 'true', '9007199254740992', '1e99', '[]']) {
      wire.send(`{"type":"publish","id":1,"channel":"${channel}","op":${op},"data":1}`);
      const error = await wire.next('error');
      assert.equal(error.code, 'bad_message', op);
      assert.equal(error.id, 1);
    }
    await refused(wire, { type: 'publish', id: 2, channel, data: 1 }, 'bad_message');
    await refused(wire, { type: 'publish', id: 3, channel, op: 1 }, 'bad_message');
    await refused(wire, { type: 'publish', id: 4, channel, op: 1, data: 1, retry: 'yes' }, 'bad_message');
    await acked(wire, publish(channel, 1, null));
  });

  it('again with the same (client, op) is drawn once and acknowledged as duplicate, at every node', async () => {
    const channel = freshChannel();
    const wire = await open(0, { hello: 'twice' });
    const first = await acked(wire, publish(channel, 9, { a: 1 }));
    const again = async (at, retry) => acked(at, publish(channel, 9, { a: 1 }, retry ? { retry } : {}));
    const elsewhere = [await open(1, { hello: 'twice' }), await open(2, { hello: 'twice' })];
    for (const [at, retry] of [[wire, false], [wire, true], [elsewhere[0], true], [elsewhere[1], true]]) {
      const ack = await again(at, retry);
      assert.deepEqual([ack.origin, ack.seq, ack.ts, ack.duplicate], [first.origin, first.seq, first.ts, true]);
      assert.ok(ack.copies >= 2);
    }
    assert.equal((await cluster.nodes[1].history(channel)).strokes.length, 1);
  });

  it('two at once of the same (client, op) are one stroke', async () => {
    const channel = freshChannel();
    const wire = await open(0, { hello: 'atonce' });
    for (let i = 0; i < 5; ++i) wire.send({ ...publish(channel, 1, 'same'), id: i });
    const acks = [];
    for (let i = 0; i < 5; ++i) acks.push(await wire.next((m) => m.id === i));
    assert.deepEqual(acks.map((ack) => ack.seq), [1, 1, 1, 1, 1]);
    assert.equal(acks.filter((ack) => !ack.duplicate).length, 1);
  });

  it('the same (client, op) with other data is op_reused; on another channel it is another stroke', async () => {
    const channel = freshChannel();
    const wire = await open(0, { hello: 'reuse' });
    await acked(wire, publish(channel, 1, 'first'));
    await refused(wire, publish(channel, 1, 'other'), 'op_reused');
    await refused(wire, publish(channel, 1, 'other', { retry: true }), 'op_reused');
    const elsewhere = await open(2, { hello: 'reuse' });
    await refused(elsewhere, publish(channel, 1, 'third', { retry: true }), 'op_reused');
    assert.ok(!(await acked(wire, publish(freshChannel(), 1, 'other'))).duplicate);
  });

  it('data over 64 KiB is too_large, of exactly 64 KiB it is not', async () => {
    const channel = freshChannel();
    const wire = await open();
    const exactly = 'x'.repeat(65_536 - 2);
    await acked(wire, publish(channel, 1, exactly));
    await refused(wire, publish(channel, 2, `${exactly}x`), 'too_large');
    await refused(wire, { type: 'signal', channel, data: `${exactly}x` }, 'too_large');
  });

  it('a frame of 96 KiB is read, one byte more closes with 1009', async () => {
    const wire = await open();
    const ping = '{"type":"ping"}';
    wire.send(ping.padEnd(96 * 1024));
    await wire.next('pong');
    wire.send(ping.padEnd(96 * 1024 + 1));
    assert.equal((await wire.closed).code, 1009);
  });

  it('data of 64 levels is taken, of 65 refused; deeper unknown fields do no harm', async () => {
    const channel = freshChannel();
    const wire = await open();
    const nested = (depth) => '['.repeat(depth) + ']'.repeat(depth);
    const request = (op, data) => `{"type":"publish","id":${op},"channel":"${channel}","op":${op},"data":${data}}`;
    wire.send(request(1, nested(64)));
    assert.equal((await wire.next((m) => m.id === 1)).type, 'ack');
    wire.send(request(2, nested(65)));
    const error = await wire.next('error');
    assert.ok(['bad_message', 'too_large'].includes(error.code), error.text);
    wire.send(`{"type":"ping","x":${nested(20_000)}}`);
    assert.ok(['error', 'pong'].includes((await wire.next((m) => m.type === 'error' || m.type === 'pong')).type));
    assert.equal((await cluster.nodes[0].history(channel)).strokes.length, 1);
  });

  it('delivers data as the JSON that came in, live, replayed, from another node, and over HTTP', async () => {
    const channel = freshChannel();
    const texts = ['null', 'true', '0', '-0', '1.0', '1.50e+10', '1E400', '-1e-999', '123456789012345678901234567890',
      '0.1000000000000000055511151231257827', '""', '"\\u0041\\/\\n\\u00e9é画🖌"', '"\\ud83d\\ude00"', '[]', '{}', '[ 1 ,\t2 ]',
      '{ "a" : 1 , "a" : 2 }', '{"type":"publish","op":1,"data":{"data":[]}}', '"\u007f\u2028\u2029"', '"\\u0000"',
      '{"__proto__":1}', '[[[[[[]]]]]]', '"</script>"', '9007199254740993', '[1,[2,[3]],{"x":[{}]}]'];
    const author = await open(0, { hello: 'raw' });
    const follower = await open(1);
    await follower.ask({ type: 'subscribe', id: 1, channel });
    await follower.next('live');
    for (const [i, data] of texts.entries()) {
      author.send(`{"type":"publish","id":${i + 1},"channel":"${channel}","op":${i + 1},"data":${data}}`);
      const answer = await author.next((m) => m.id === i + 1);
      assert.equal(answer.type, 'ack', `${data}: ${answer.text}`);
    }
    const collect = async (wire) => {
      const raw = [];
      while (raw.length < texts.length) {
        const message = await wire.next((m) => m.type === 'stroke' || m.type === 'strokes');
        raw.push(...rawData(message.text));
      }
      return raw;
    };
    assert.deepEqual(await collect(follower), texts);
    const late = await open(2);
    await late.ask({ type: 'subscribe', id: 1, channel });
    assert.deepEqual(await collect(late), texts);
    const answer = await fetch(`${cluster.nodes[2].http}/channels/${channel}/strokes`);
    assert.deepEqual(rawData(await answer.text()), texts);
  });

  it('a client that publishes faster than publish_per_s is told rate_limited with retry_ms, and may go on', async () => {
    const channel = freshChannel();
    const strict = await Cluster.start({ nodes: 1, settings: { replicas: 1, ack: 1, limits: { publish_per_s: 20 } } });
    try {
      const wire = await Wire.open(strict.urls[0], { hello: 'fast' });
      assert.equal(wire.welcome.limits.publish_per_s, 20);
      for (let op = 1; op <= 60; ++op) wire.send(publish(channel, op, op));
      let acks = 0;
      let error;
      for (let i = 0; i < 60; ++i) {
        const answer = await wire.next((m) => m.type === 'ack' || m.type === 'error');
        if (answer.type === 'ack') ++acks;
        else error = answer;
      }
      assert.equal(error?.code, 'rate_limited');
      assert.ok(error.retry_ms > 0 && error.retry_ms < 10_000, error.text);
      assert.ok(acks >= 15 && acks <= 45, `${acks} of 60 were taken`);
      await new Promise((resolve) => setTimeout(resolve, error.retry_ms));
      await acked(wire, publish(channel, error.id, error.id));
      await wire.close();
    } finally {
      await strict.stop();
    }
  });
});
