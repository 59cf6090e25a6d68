// ZeroMQ's wire protocol (ZMTP 3.0, NULL mechanism) by hand: enough to listen to a PUB and to talk to a ROUTER from
// outside, and to say what no library would.
import { Raw } from './attack.mjs';

const GREETING_BYTES = 64;
const FLAG = { more: 1, long: 2, command: 4 };

function greeting() {
  const bytes = Buffer.alloc(GREETING_BYTES);
  bytes[0] = 0xff;
  bytes[9] = 0x7f;
  bytes[10] = 3;
  bytes.write('NULL', 12);
  return bytes;
}

export function zmtpFrame(payload, { more = false, command = false, length } = {}) {
  const body = Buffer.from(payload);
  const size = length ?? body.length;
  const flags = (more ? FLAG.more : 0) | (command ? FLAG.command : 0);
  if (size < 256) return Buffer.concat([Buffer.from([flags, size]), body]);
  const head = Buffer.alloc(9);
  head[0] = flags | FLAG.long;
  head.writeBigUInt64BE(BigInt(size), 1);
  return Buffer.concat([head, body]);
}

function command(name, body = Buffer.alloc(0)) {
  return zmtpFrame(Buffer.concat([Buffer.from([name.length]), Buffer.from(name), body]), { command: true });
}

function property(name, value) {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(value.length);
  return Buffer.concat([Buffer.from([name.length]), Buffer.from(name), size, Buffer.from(value)]);
}

export class Zmtp {
  /** Connects as a socket of `type`; `peer` then says what the other side is. */
  static async connect(port, type, identity = '') {
    const zmtp = new Zmtp();
    zmtp.raw = await Raw.connect(port);
    await zmtp.raw.write(greeting());
    await zmtp.raw.waitFor('a greeting', () => zmtp.raw.bytes.length >= GREETING_BYTES);
    const answer = zmtp.raw.bytes.subarray(0, GREETING_BYTES);
    zmtp.raw.bytes = zmtp.raw.bytes.subarray(GREETING_BYTES);
    zmtp.peer = { version: answer[10], mechanism: answer.subarray(12, 32).toString().replace(/\0+$/, '') };
    const properties = [property('Socket-Type', type)];
    if (type !== 'SUB') properties.push(property('Identity', identity));
    await zmtp.raw.write(command('READY', Buffer.concat(properties)));
    const ready = await zmtp.next();
    zmtp.peer.socketType = /Socket-Type.{4}(\w+)/s.exec(ready.payload.toString('latin1'))?.[1];
    return zmtp;
  }

  takeFrame() {
    const { bytes } = this.raw;
    if (bytes.length < 2) return undefined;
    const long = bytes[0] & FLAG.long;
    if (long && bytes.length < 9) return undefined;
    const size = long ? Number(bytes.readBigUInt64BE(1)) : bytes[1];
    const at = long ? 9 : 2;
    if (bytes.length < at + size) return undefined;
    this.raw.bytes = bytes.subarray(at + size);
    return { isCommand: Boolean(bytes[0] & FLAG.command), more: Boolean(bytes[0] & FLAG.more), payload: bytes.subarray(at, at + size) };
  }

  /** The next frame; pings are answered. */
  async next(timeoutMs) {
    for (;;) {
      const frame = await this.raw.waitFor('a ZMTP frame', () => this.takeFrame(), timeoutMs);
      if (!frame.isCommand || frame.payload.subarray(1, 5).toString() !== 'PING') return frame;
      await this.raw.write(command('PONG', frame.payload.subarray(7)));
    }
  }

  subscribe(prefix = '') {
    return this.send(Buffer.concat([Buffer.from([1]), Buffer.from(prefix)]));
  }
  send(payload, options) {
    return this.raw.write(zmtpFrame(payload, options));
  }
  destroy() {
    this.raw.destroy();
  }
}
