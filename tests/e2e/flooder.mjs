// A hostile process of its own, so that its work is not in the way of whoever measures:
//   node flooder.mjs KIND PORT SECONDS COUNT
// Floods a node for a while, then prints one line of JSON about what became of its connections.
import { Raw, frame, opcode } from './attack.mjs';
import { sleep } from './process.mjs';

const [kind, portText, secondsText, countText] = process.argv.slice(2);
const port = Number(portText);
const count = Number(countText);
const deadline = Date.now() + Number(secondsText) * 1000;
const timeLeft = () => Date.now() < deadline;

const tally = { opened: 0, refused: 0, closed: 0, written: 0 };

async function connect(open) {
  try {
    const raw = await open();
    raw.keep = false;
    raw.bytes = Buffer.alloc(0);
    ++tally.opened;
    raw.ended.then(() => ++tally.closed);
    return raw;
  } catch {
    ++tally.refused;
    return undefined;
  }
}
// Another address than the well-behaved have: a limit for each address must not lock those out.
const from = '127.0.0.2';
const webSocket = () => connect(() => Raw.webSocket(port, { from }));

/** Writes the same bytes over and over without ever reading; the kernel's buffers may fill: then it waits. */
async function pour(raw, bytes) {
  if (!raw) return;
  raw.stopReading();
  while (timeLeft() && !raw.isClosed) {
    const written = await Promise.race([raw.write(bytes), sleep(Math.max(0, deadline - Date.now()))]);
    if (written !== true) break;
    tally.written += bytes.length;
  }
  // A socket that does not read does not learn that it was closed.
  raw.readOn();
  await Promise.race([raw.ended, sleep(500)]);
}

/** On `count` connections at once: first `begin`, then the same bytes again and again. */
async function pourAll(open, bytes, begin) {
  await Promise.all(Array.from({ length: count }, async () => {
    const raw = await open();
    if (begin) await raw?.write(begin);
    await pour(raw, bytes);
  }));
}

const many = (one, times) => Buffer.concat(Array.from({ length: times }, () => one));
const text = (message) => frame(opcode.text, JSON.stringify(message));
const tcp = () => connect(() => Raw.connect(port, { from }));

const floods = {
  /** Connections that never say a whole request; opened anew as they are closed. */
  async half_open() {
    const open = new Set();
    while (timeLeft()) {
      const wanted = Math.min(200, count - open.size);
      await Promise.all(Array.from({ length: wanted }, async (_, i) => {
        const raw = await tcp();
        if (!raw) return;
        open.add(raw);
        raw.ended.then(() => open.delete(raw));
        if (i % 2) raw.write('GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websock');
      }));
      tally.mostAtOnce = Math.max(tally.mostAtOnce ?? 0, open.size);
      await sleep(wanted > 0 ? 1 : 50);
    }
  },
  ping_frames: () => pourAll(webSocket, many(frame(opcode.ping, 'x'.repeat(125)), 500)),
  pings: () => pourAll(webSocket, many(text({ type: 'ping' }), 500)),
  bad_messages: () => pourAll(webSocket, many(text({ type: 'nonsense' }), 500)),
  subscriptions: () => pourAll(webSocket, many(Buffer.concat([text({ type: 'subscribe', id: 1, channel: 'heavy' }),
    text({ type: 'unsubscribe', id: 2, channel: 'heavy' })]), 200)),
  presence: () => pourAll(webSocket, many(text({ type: 'presence', id: 2, channel: 'heavy' }), 500),
    text({ type: 'subscribe', id: 1, channel: 'heavy' })),
  signals: () => pourAll(webSocket, many(text({ type: 'signal', channel: 'heavy', data: 'x'.repeat(1000) }), 50)),
  empty_fragments: () => pourAll(webSocket, many(frame(opcode.continuation, '', { fin: false }), 5_000),
    frame(opcode.text, '', { fin: false })),
  small_fragments: () => pourAll(webSocket, many(frame(opcode.continuation, 'x', { fin: false }), 5_000),
    frame(opcode.text, '"', { fin: false })),
  bodies: () => pourAll(tcp, 'x'.repeat(1 << 20),
    'POST /channels/c/strokes HTTP/1.1\r\nHost: x\r\nContent-Length: 30000000\r\n\r\n'),
  pipelined_history: () => pourAll(tcp,
    many(Buffer.from('GET /channels/heavy/strokes HTTP/1.1\r\nHost: x\r\n\r\n'), 200)),
  pipelined_page: () => pourAll(tcp, many(Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), 200)),

  /** Publishes far past the rate and never reads what it is told. */
  async publishes() {
    let op = 0;
    await Promise.all(Array.from({ length: count }, async () => {
      const raw = await webSocket();
      raw?.stopReading();
      while (raw && timeLeft() && !raw.isClosed) {
        const batch = Buffer.concat(Array.from({ length: 200 }, () =>
          text({ type: 'publish', id: 1, channel: 'flooded', op: ++op, data: 'x'.repeat(200) })));
        const written = await Promise.race([raw.write(batch), sleep(Math.max(0, deadline - Date.now()))]);
        if (written !== true) break;
        tally.written += batch.length;
      }
    }));
  },

  /** Opens the heaviest drawing and reads nothing. */
  async never_read() {
    await Promise.all(Array.from({ length: count }, async () => {
      const raw = await webSocket();
      raw?.stopReading();
      await raw?.write(text({ type: 'subscribe', id: 1, channel: 'heavy' }));
    }));
    while (timeLeft()) await sleep(50);
  },

  /** Comes and goes, half of the time in the middle of a handshake. */
  async churn() {
    await Promise.all(Array.from({ length: count }, async () => {
      for (let i = 0; timeLeft(); ++i) {
        const raw = i % 2 ? await webSocket() : await tcp();
        if (i % 4 < 2) await raw?.write('GET /ws HTTP/1.1\r\n');
        raw?.socket.resetAndDestroy();
      }
    }));
  },
};

if (!floods[kind]) throw new Error(`no flood ${kind}; there are ${Object.keys(floods)}`);
await floods[kind]();
console.log(JSON.stringify({ kind, ...tally }));
process.exit(0);
