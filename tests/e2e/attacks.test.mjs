// Broken and hostile frames, requests and handshakes: a clear error or a clean close each, and the node goes on.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { Raw, frame, opcode } from './attack.mjs';
import { Canary } from './canary.mjs';
import { Cluster } from './cluster.mjs';
import { sleep } from './process.mjs';

let cluster;
let port;
let canary;
let pid;

before(async () => {
  cluster = await Cluster.start({ settings: { limits: { idle_ms: 2_000 } } });
  ({ port, pid } = cluster.nodes[0]);
  canary = await Canary.start(cluster.nodes[0], cluster.nodes[1]);
});
after(async () => {
  try {
    console.log('canary:', JSON.stringify(await canary?.stop()));
  } finally {
    await cluster?.stop();
  }
});
afterEach(() => {
  cluster.assertAllRunning();
  assert.equal(cluster.nodes[0].pid, pid);
});

/** Sends frames on a fresh connection and gives the code of the close that they bring. */
async function closeCodeAfter(...frames) {
  const raw = await Raw.webSocket(port);
  await raw.write(Buffer.concat(frames));
  const code = await raw.closeCode();
  await raw.closedByPeer();
  return code;
}

/** What a node says to raw bytes over TCP: a status, or `closed`. */
async function answerTo(bytes) {
  const raw = await Raw.connect(port);
  await raw.write(bytes);
  try {
    return (await raw.httpHead()).status;
  } catch (error) {
    if (raw.isClosed) return 'closed';
    throw error;
  } finally {
    raw.destroy();
  }
}

const ping = '{"type":"ping"}';
const get = (path, headers = '') => `GET ${path} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`;

describe('broken frames close with 1002', () => {
  const cases = {
    'a frame without a mask': [frame(opcode.text, ping, { mask: false })],
    'a reserved bit (RSV1, compression that nobody agreed on)': [frame(opcode.text, ping, { rsv: 4 })],
    'a reserved bit (RSV3)': [frame(opcode.text, ping, { rsv: 1 })],
    'an unknown data opcode': [frame(3, ping)],
    'an unknown control opcode': [frame(11, '')],
    'a fragmented ping': [frame(opcode.ping, 'x', { fin: false })],
    'a ping of 126 bytes': [frame(opcode.ping, 'x'.repeat(126))],
    'a continuation of nothing': [frame(opcode.continuation, ping)],
    'a new message within a fragmented one': [frame(opcode.text, '{', { fin: false }), frame(opcode.text, ping)],
    'a close of one byte': [frame(opcode.close, 'x')],
    'a close with a code that is not for the wire': [frame(opcode.close, Buffer.from([0x03, 0xed]))],
    'a close with code 0': [frame(opcode.close, Buffer.from([0, 0]))],
  };
  for (const [name, frames] of Object.entries(cases)) {
    it(name, async () => assert.equal(await closeCodeAfter(...frames), 1002));
  }
});

describe('text that is not UTF-8 closes with 1007', () => {
  const bad = {
    'a lone continuation byte': [0x22, 0x80, 0x22],
    'an overlong slash': [0x22, 0xc0, 0xaf, 0x22],
    'a surrogate': [0x22, 0xed, 0xa0, 0x80, 0x22],
    'past U+10FFFF': [0x22, 0xf4, 0x90, 0x80, 0x80, 0x22],
    'cut short': [0x22, 0xe7, 0x94],
  };
  for (const [name, bytes] of Object.entries(bad)) {
    it(name, async () => assert.equal(await closeCodeAfter(frame(opcode.text, Buffer.from(bytes))), 1007));
    it(`${name}, within a publish's data`, async () => {
      const text = Buffer.concat([Buffer.from('{"type":"publish","id":1,"channel":"c","op":1,"data":'), Buffer.from(bytes),
        Buffer.from('}')]);
      assert.equal(await closeCodeAfter(frame(opcode.text, text)), 1007);
    });
  }
  it('in the reason of a close ends it, too', async () => {
    assert.ok([1002, 1007].includes(await closeCodeAfter(frame(opcode.close, Buffer.from([0x03, 0xe8, 0xff, 0xfe])))));
  });
});

describe('sizes', () => {
  it('a length past the limit closes with 1009 before anything of it has come', async () => {
    for (const length of [96 * 1024 + 1, 1 << 30, 2 ** 52]) {
      assert.equal(await closeCodeAfter(frame(opcode.text, '', { length })), 1009, `${length}`);
    }
  });

  it('a length whose first bit is set is 1002 or 1009', async () => {
    const bytes = Buffer.concat([Buffer.from([0x81, 0xff]), Buffer.alloc(8, 0xff), Buffer.alloc(4)]);
    assert.ok([1002, 1009].includes(await closeCodeAfter(bytes)));
  });

  it('fragments that together pass the limit close with 1009', async () => {
    const frames = [frame(opcode.text, '"', { fin: false })];
    for (let i = 0; i < 40; ++i) frames.push(frame(opcode.continuation, 'x'.repeat(4096), { fin: false }));
    assert.equal(await closeCodeAfter(...frames), 1009);
  });

  it('a fragmented message is read, split within a character and with a ping between', async () => {
    const raw = await Raw.webSocket(port);
    const text = Buffer.from('{"type":"hello","note":"画","client":"split"}');
    const at = text.indexOf(0xe7) + 1;
    await raw.write(frame(opcode.text, text.subarray(0, at), { fin: false }));
    await raw.write(frame(opcode.ping, 'between'));
    await raw.write(frame(opcode.continuation, text.subarray(at, at + 1), { fin: false }));
    await raw.write(frame(opcode.continuation, text.subarray(at + 1)));
    const pong = await raw.nextFrame();
    assert.deepEqual([pong.op, pong.payload.toString()], [opcode.pong, 'between']);
    assert.equal((await raw.nextMessage()).client, 'split');
    raw.destroy();
  });

  it('a message byte by byte is read', async () => {
    const raw = await Raw.webSocket(port);
    for (const byte of frame(opcode.text, ping)) {
      await raw.write(Buffer.from([byte]));
      await sleep(1);
    }
    assert.equal((await raw.nextMessage()).type, 'pong');
    raw.destroy();
  });

  it('a close is answered with its code', async () => {
    assert.equal(await closeCodeAfter(frame(opcode.close, Buffer.from([0x03, 0xe8]))), 1000);
  });
});

describe('messages that would hurt a careless parser get an error each, and the connection stays', () => {
  const publish = (data) => `{"type":"publish","id":1,"channel":"c","op":1,"data":${data}}`;
  const cases = {
    'brackets, 90,000 deep': '['.repeat(90_000),
    'objects, 20,000 deep': '{"a":'.repeat(18_000),
    'nested data that never closes': publish('['.repeat(60_000)),
    'deep, closed data': publish('['.repeat(30_000) + ']'.repeat(30_000)),
    'a number of 60,000 digits as op': `{"type":"publish","id":1,"channel":"c","op":${'9'.repeat(60_000)},"data":1}`,
    'a cursor that is an array of 20,000': `{"type":"subscribe","id":1,"channel":"c","cursor":[${'0,'.repeat(20_000)}0]}`,
    'a channel of 60,000 bytes': `{"type":"subscribe","id":1,"channel":"${'x'.repeat(60_000)}"}`,
    'an escaped NUL in a channel': '{"type":"subscribe","id":1,"channel":"a\\u0000b"}',
    'a lone escaped surrogate in a channel': '{"type":"subscribe","id":1,"channel":"\\ud800"}',
    'a type of 60,000 bytes': `{"type":"${'x'.repeat(60_000)}"}`,
    'the same key thousands of times': `{${'"type":"x",'.repeat(5_000)}"type":"x"}`,
  };
  for (const [name, text] of Object.entries(cases)) {
    it(name, async () => {
      const raw = await Raw.webSocket(port);
      await raw.send(text);
      const error = await raw.nextMessage();
      assert.equal(error.type, 'error');
      assert.ok(['bad_message', 'bad_channel', 'too_large'].includes(error.code), error.code);
      assert.ok(JSON.stringify(error).length < 2_000, 'an error does not echo what it was sent');
      await raw.send(ping);
      assert.equal((await raw.nextMessage()).type, 'pong');
      raw.destroy();
    });
  }
});

describe('compression', () => {
  it('is not agreed on, and a compressed bomb sent all the same closes with 1002', async () => {
    const raw = await Raw.connect(port);
    const { status, head } = await raw.upgrade({ 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' });
    assert.equal(status, 101);
    assert.doesNotMatch(head, /permessage-deflate/i);
    const { deflateRawSync } = await import('node:zlib');
    await raw.write(frame(opcode.text, deflateRawSync(Buffer.alloc(60 << 20)), { rsv: 4 }));
    assert.ok([1002, 1009].includes(await raw.closeCode()));
  });

  it('of an HTTP body is not undone', async () => {
    const { gzipSync } = await import('node:zlib');
    const bomb = gzipSync(Buffer.alloc(30 << 20));
    const status = await answerTo(Buffer.concat([Buffer.from('POST /channels/c/strokes HTTP/1.1\r\nHost: x\r\n' +
      `Content-Encoding: gzip\r\nContent-Length: ${bomb.length}\r\n\r\n`), bomb]));
    assert.ok([400, 413, 415].includes(status), `${status}`);
  });
});

describe('HTTP that is none is refused or closed', () => {
  const refusedOr = (statuses) => (status) => assert.ok([...statuses, 'closed'].includes(status), `got ${status}`);
  const refused = refusedOr([400, 404, 405, 408, 411, 413, 414, 417, 426, 431, 501, 505]);
  const cases = {
    'random bytes': Buffer.from(Array.from({ length: 4_000 }, (_, i) => (i * 7919 + 13) & 255)),
    'a TLS hello': Buffer.from('16030100c8010000c40303' + '5a'.repeat(190), 'hex'),
    'NULs': Buffer.alloc(20_000),
    'a request line of 100,000 bytes': `GET /${'x'.repeat(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
    'a header of 100,000 bytes': get('/healthz', `X: ${'y'.repeat(100_000)}\r\n`),
    '20,000 headers': get('/healthz', 'X-A: b\r\n'.repeat(20_000)),
    'an unknown method': 'BREW / HTTP/1.1\r\nHost: x\r\n\r\n',
    'a body of 10 GB, announced': 'POST /channels/c/strokes HTTP/1.1\r\nHost: x\r\nContent-Length: 10737418240\r\n\r\n',
    'a length that is no number': 'POST /channels/c/strokes HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n',
    'a negative length': 'POST /channels/c/strokes HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
    'a length past 64 bits':
      'POST /channels/c/strokes HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n{}',
    'an upgrade without a key': get('/ws', 'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n'),
    'an upgrade of version 8': get('/ws', 'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 8\r\n' +
      'Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n'),
    'a GET of /ws that asks for no upgrade': get('/ws'),
    'a path out of the files': get('/../../../../etc/passwd'),
    'an escaped path out of the files': get('/%2e%2e/%2e%2e/%2e%2e/etc/passwd'),
    'a NUL in a path': get('/%00'),
  };
  for (const [name, bytes] of Object.entries(cases)) {
    it(name, async () => refused(await answerTo(bytes)));
  }

  it('a body without end is cut off', async () => {
    const raw = await Raw.connect(port);
    raw.keep = false;
    await raw.write('POST /channels/c/strokes HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
    let taken = 0;
    while (taken < 400 && (await Promise.race([raw.write(chunk), sleep(3_000)])) === true) ++taken;
    assert.ok(taken < 400, `${taken * 64} KiB of a body were taken`);
    await raw.closedByPeer();
  });
});

describe('those who dawdle', () => {
  it('a connection that says nothing is closed within some seconds', async () => {
    const raw = await Raw.connect(port);
    await raw.closedByPeer(8_000);
  });

  it('headers a byte at a time are cut off', async () => {
    const raw = await Raw.connect(port);
    const begin = Date.now();
    let open = true;
    raw.ended.then(() => {
      open = false;
    });
    for (const byte of get('/healthz', 'X-Slow: ' + 'y'.repeat(400) + '\r\n')) {
      if (!open) break;
      await raw.write(byte);
      await sleep(50);
    }
    await raw.closedByPeer(1_000);
    assert.ok(Date.now() - begin < 15_000);
  });

  it('a client that answers no ping is closed after twice the idle time, one that answers stays', async () => {
    const dead = await Raw.webSocket(port);
    const good = await Raw.webSocket(port);
    let goodPings = 0;
    const answering = (async () => {
      for (;;) {
        const next = await good.nextFrame(20_000);
        if (next.op !== opcode.ping) continue;
        ++goodPings;
        await good.write(frame(opcode.pong, next.payload));
      }
    })().catch(() => {});
    await dead.closedByPeer(12_000);
    assert.ok(!good.isClosed);
    assert.ok(goodPings > 0);
    good.destroy();
    await answering;
  });
});
