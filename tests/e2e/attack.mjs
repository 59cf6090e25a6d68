// Hostile clients by hand: raw TCP, raw HTTP, and WebSocket frames that no library would send.
import { createHash, randomBytes } from 'node:crypto';
import net from 'node:net';
import { patience, whileOpen } from './process.mjs';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const WAIT_MS = 10_000;

export const opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };

/** A client's frame. `length` lies about the payload's length; `mask: false` leaves out what every client must do. */
export function frame(op, payload = '', { fin = true, rsv = 0, mask = true, length, wide = false } = {}) {
  const body = Buffer.from(payload);
  const size = length ?? body.length;
  const head = [(fin ? 0x80 : 0) | (rsv << 4) | op];
  const maskBit = mask ? 0x80 : 0;
  if (size < 126 && !wide) head.push(maskBit | size);
  else if (size < 65_536 && !wide) head.push(maskBit | 126, size >> 8, size & 255);
  else {
    const long = Buffer.alloc(8);
    long.writeBigUInt64BE(BigInt(size));
    head.push(maskBit | 127, ...long);
  }
  if (!mask) return Buffer.concat([Buffer.from(head), body]);
  const key = randomBytes(4);
  const masked = Buffer.from(body);
  for (let i = 0; i < masked.length; ++i) masked[i] ^= key[i & 3];
  return Buffer.concat([Buffer.from(head), key, masked]);
}

/** A TCP connection that notes what comes and how it ends. Writing to one that is gone is no error here. */
export class Raw {
  static connect(port, { paused = false, from = '127.0.0.1' } = {}) {
    return new Promise((resolve, reject) => {
      const raw = new Raw();
      raw.bytes = Buffer.alloc(0);
      raw.total = 0;
      raw.keep = true;
      raw.socket = net.connect({ port, host: '127.0.0.1', localAddress: from, noDelay: true });
      const forget = whileOpen(() => raw.socket.destroy());
      raw.ended = new Promise((done) => {
        raw.socket.once('close', () => {
          forget();
          raw.isClosed = true;
          done();
        });
      });
      raw.socket.on('error', (error) => {
        raw.error = error;
        reject(error);
      });
      raw.socket.once('connect', () => resolve(raw));
      raw.socket.on('data', (bytes) => {
        raw.total += bytes.length;
        if (raw.keep) raw.bytes = Buffer.concat([raw.bytes, bytes]);
        raw.onBytes?.();
      });
      if (paused) raw.socket.pause();
    });
  }

  /** Writes; false where the connection is gone. Resolves once the kernel has taken it. */
  write(bytes) {
    if (this.isClosed || this.socket.destroyed) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.socket.write(bytes, (error) => resolve(!error));
      this.ended.then(() => resolve(false));
    });
  }

  stopReading() {
    this.socket.pause();
  }
  readOn() {
    this.socket.resume();
  }
  destroy() {
    this.socket.destroy();
  }

  /** Resolves with `probe`'s first truthy answer; it is asked after every byte and at the end. */
  waitFor(what, probe, timeoutMs = WAIT_MS) {
    return new Promise((resolve, reject) => {
      const fail = (why) => {
        clearTimeout(timer);
        this.onBytes = undefined;
        reject(new Error(`${why}, waiting for ${what}; have ${this.bytes.length} bytes`));
      };
      const timer = setTimeout(() => fail('time is over'), timeoutMs * patience);
      const look = () => {
        const found = probe();
        if (!found) return false;
        clearTimeout(timer);
        this.onBytes = undefined;
        resolve(found);
        return true;
      };
      if (look()) return;
      this.onBytes = look;
      this.ended.then(() => look() || fail('closed'));
    });
  }

  /** Resolves when the other side has closed; rejects after a while. */
  async closedByPeer(timeoutMs = WAIT_MS) {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`still open after ${timeoutMs} ms`)), timeoutMs * patience);
    });
    await Promise.race([this.ended, late]);
    clearTimeout(timer);
  }

  // ---- HTTP ---------------------------------------------------------------------------------------------------------

  /** The next HTTP answer's status line and headers. */
  async httpHead(timeoutMs) {
    const end = await this.waitFor('an HTTP head', () => {
      const at = this.bytes.indexOf('\r\n\r\n');
      return at < 0 ? undefined : at + 4;
    }, timeoutMs);
    const head = this.bytes.subarray(0, end).toString();
    this.bytes = this.bytes.subarray(end);
    return { status: Number(head.split(' ')[1]), head };
  }

  // ---- WebSocket ----------------------------------------------------------------------------------------------------

  async upgrade(headers = {}) {
    const nonce = randomBytes(16).toString('base64');
    const all = {
      Host: '127.0.0.1', Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Key': nonce,
      'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Protocol': 'inkmesh.v1', ...headers,
    };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`).join('');
    await this.write(`GET /ws HTTP/1.1\r\n${lines}\r\n`);
    const answer = await this.httpHead();
    const accept = createHash('sha1').update(nonce + GUID).digest('base64');
    if (answer.status === 101 && !answer.head.includes(accept)) throw new Error('wrong Sec-WebSocket-Accept');
    return answer;
  }

  static async webSocket(port, { headers, from } = {}) {
    const raw = await Raw.connect(port, { from });
    const { status, head } = await raw.upgrade(headers);
    if (status !== 101) throw new Error(`no upgrade: ${head}`);
    return raw;
  }

  send(message) {
    return this.write(frame(opcode.text, typeof message === 'string' ? message : JSON.stringify(message)));
  }

  /** Takes the next frame off `bytes`, or nothing. */
  takeFrame() {
    const { bytes } = this;
    if (bytes.length < 2) return undefined;
    let size = bytes[1] & 127;
    let at = 2;
    if (size === 126) {
      if (bytes.length < 4) return undefined;
      size = bytes.readUInt16BE(2);
      at = 4;
    } else if (size === 127) {
      if (bytes.length < 10) return undefined;
      size = Number(bytes.readBigUInt64BE(2));
      at = 10;
    }
    if (bytes.length < at + size) return undefined;
    this.bytes = bytes.subarray(at + size);
    const payload = bytes.subarray(at, at + size);
    return { fin: Boolean(bytes[0] & 128), rsv: (bytes[0] >> 4) & 7, op: bytes[0] & 15, payload };
  }

  nextFrame(timeoutMs) {
    return this.waitFor('a frame', () => this.takeFrame(), timeoutMs);
  }

  /** The next text message as an object; pings are passed over. */
  async nextMessage(timeoutMs) {
    for (;;) {
      const next = await this.nextFrame(timeoutMs);
      if (next.op === opcode.text) return JSON.parse(next.payload.toString());
      if (next.op === opcode.close) throw new Error(`closed with ${next.payload.readUInt16BE(0)}`);
    }
  }

  /** Reads on until the close frame; gives its code (1005: none named, 1006: no close frame at all). */
  async closeCode(timeoutMs = WAIT_MS) {
    for (;;) {
      let next;
      try {
        next = await this.nextFrame(timeoutMs);
      } catch (error) {
        if (this.isClosed) return 1006;
        throw error;
      }
      if (next.op !== opcode.close) continue;
      return next.payload.length >= 2 ? next.payload.readUInt16BE(0) : 1005;
    }
  }
}
