// One WebSocket, one message at a time: for tests that say exactly what goes out and what must come back.
import WebSocket from 'ws';
import { patience, whileOpen } from './process.mjs';

const ANSWER_MS = 10_000;

export class Wire {
  /** Opens a connection; `protocols` as the browser's constructor takes them. */
  static async open(url, { protocols = ['inkmesh.v1'], headers, hello, perMessageDeflate = false } = {}) {
    const wire = new Wire();
    wire.socket = new WebSocket(url, protocols, { headers, perMessageDeflate, skipUTF8Validation: false });
    const forget = whileOpen(() => wire.socket.terminate());
    wire.received = [];
    wire.waiting = [];
    wire.closed = new Promise((resolve) => {
      wire.socket.once('close', (code, reason) => {
        forget();
        wire.closeCode = code;
        resolve({ code, reason: reason.toString() });
        for (const { reject, what } of wire.waiting.splice(0)) reject(new Error(`closed with ${code}, waiting for ${what}`));
      });
    });
    wire.socket.on('message', (bytes, isBinary) => wire.take(bytes, isBinary));
    await new Promise((resolve, reject) => {
      wire.socket.once('open', resolve);
      wire.socket.once('error', reject);
    });
    wire.socket.on('error', (error) => {
      wire.error = error;
    });
    if (hello) {
      wire.send({ type: 'hello', client: hello });
      wire.welcome = await wire.next('welcome');
    }
    return wire;
  }

  take(bytes, isBinary) {
    const text = bytes.toString();
    const message = isBinary ? { type: 'BINARY' } : JSON.parse(text);
    Object.defineProperty(message, 'text', { value: text });
    this.received.push(message);
    this.settle();
  }

  settle() {
    for (const waiter of [...this.waiting]) {
      const index = this.received.findIndex(waiter.matches);
      if (index < 0) continue;
      const [message] = this.received.splice(index, 1);
      this.waiting.splice(this.waiting.indexOf(waiter), 1);
      waiter.resolve(message);
    }
  }

  /** Sends a value as JSON, a string or a Buffer as it is (as a text frame). */
  send(message) {
    const raw = typeof message === 'string' || Buffer.isBuffer(message);
    this.socket.send(raw ? message : JSON.stringify(message), { binary: false });
  }

  /** The first message, received already or to come, of a type or that a function takes; removed from `received`. */
  next(type, timeoutMs = ANSWER_MS) {
    const matches = typeof type === 'function' ? type : (message) => message.type === type;
    return new Promise((resolve, reject) => {
      const waiter = { matches, what: type.toString() };
      const timer = setTimeout(() => {
        this.waiting.splice(this.waiting.indexOf(waiter), 1);
        const have = this.received.slice(-5).map((message) => message.text.slice(0, 200));
        reject(new Error(`no ${waiter.what} within ${timeoutMs} ms; have: ${have.join(' | ') || 'nothing'}`));
      }, timeoutMs * patience);
      waiter.resolve = (message) => {
        clearTimeout(timer);
        resolve(message);
      };
      waiter.reject = (error) => {
        clearTimeout(timer);
        reject(error);
      };
      this.waiting.push(waiter);
      if (this.closeCode !== undefined) this.waiting.pop().reject(new Error(`is closed with ${this.closeCode}`));
      else this.settle();
    });
  }

  /** Sends a request and gives its answer (or error), found by id. */
  ask(request) {
    this.send(request);
    return this.next((message) => message.id === request.id && message.type !== 'stroke' && message.type !== 'strokes');
  }

  /** All that has come, once an answered ping has shown that nothing of before is on its way. */
  async drained() {
    this.send({ type: 'ping' });
    await this.next('pong');
    return this.received;
  }

  /** Strokes of a channel, in the order in which they came, until `count` are there; removed from `received`. */
  async strokes(channel, count) {
    const strokes = [];
    while (strokes.length < count) {
      const message = await this.next((m) => (m.type === 'stroke' || m.type === 'strokes') && m.channel === channel);
      strokes.push(...(message.type === 'stroke' ? [message] : message.strokes));
    }
    return strokes;
  }

  async close(code = 1000) {
    this.socket.close(code);
    const timer = setTimeout(() => this.socket.terminate(), 2_000);
    const result = await this.closed;
    clearTimeout(timer);
    return result;
  }
  terminate() {
    this.socket.terminate();
  }
}
