// A well-behaved pair of clients on a node that is under attack: one draws, the other must see it, soon and always.
import { Wire } from './wire.mjs';
import { patience, sleep } from './process.mjs';

const EVERY_MS = 50;

export class Canary {
  /** `author` and `reader` are nodes; they may be the same. */
  static async start(author, reader, channel = 'canary') {
    const canary = new Canary();
    canary.channel = channel;
    canary.latencies = [];
    canary.author = await Wire.open(author.ws, { hello: `canary_${Date.now()}` });
    canary.reader = await Wire.open(reader.ws, { hello: `canary_reader_${Date.now()}` });
    await canary.reader.ask({ type: 'subscribe', id: 1, channel, live: true });
    await canary.reader.next('live');
    canary.running = canary.run();
    canary.running.catch(() => {});
    return canary;
  }

  async run() {
    const begin = Date.now();
    for (const [who, wire] of Object.entries({ author: this.author, reader: this.reader })) {
      wire.closed.then(({ code, reason }) => {
        if (!this.stopping) console.log(`the canary's ${who} was closed with ${code} ${reason} after ${Date.now() - begin} ms`);
      });
    }
    for (let op = 1; !this.stopping; ++op) {
      const sent = performance.now();
      this.author.send({ type: 'publish', id: op, channel: this.channel, op, data: { op } });
      const [stroke] = await this.reader.strokes(this.channel, 1);
      if (stroke.op !== op) throw new Error(`the canary drew ${op} and saw ${stroke.op}`);
      this.latencies.push(performance.now() - sent);
      const ack = await this.author.next((message) => message.id === op);
      if (ack.type !== 'ack') throw new Error(`the canary was refused: ${ack.text}`);
      this.author.received.length = 0;
      await sleep(EVERY_MS);
    }
  }

  /** Ends it; fails where it was harmed. Returns its latencies in ms. */
  async stop({ medianMs = 250, maxMs = 3_000 } = {}) {
    this.stopping = true;
    await this.running;
    await Promise.all([this.author.close(), this.reader.close()]);
    const sorted = [...this.latencies].sort((a, b) => a - b);
    const result = { strokes: sorted.length, median: sorted[sorted.length >> 1], max: sorted.at(-1) };
    if (result.median > medianMs * patience || result.max > maxMs * patience) {
      throw new Error(`the canary was harmed: ${JSON.stringify(result)}`);
    }
    return result;
  }
}
