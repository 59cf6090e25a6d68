// People who draw on while something happens to the nodes: at a steady pace, without waiting for acknowledgements.
import { Client } from './client.mjs';
import { sleep } from './process.mjs';

const PACE_MS = 40;

export class DrawingOn {
  /** An author at each of `urls`, on all `channels` by turns; their names begin with `name`. */
  constructor({ urls, channels, watch, name = 'on' }) {
    this.channels = channels;
    this.acks = [];
    this.waits = []; // {startedMs, tookMs, author}
    this.authors = urls.map((_, start) => new Client({ urls, name: `${name}${start}`, start, watch }));
    this.drawing = true;
    this.running = this.run();
  }

  async run() {
    for (let i = 0; this.drawing; ++i) {
      for (const author of this.authors) this.acks.push(this.draw(author, this.channels[i % this.channels.length], i));
      await sleep(PACE_MS);
    }
  }

  async draw(author, channel, i) {
    const startedMs = Date.now();
    await author.publish(channel, { i, text: '画'.repeat(10) });
    this.waits.push({ startedMs, tookMs: Date.now() - startedMs, author: author.name });
  }

  /** The longest wait for an acknowledgement of what was published from then on. */
  longestSince(ms) {
    return Math.max(0, ...this.waits.filter((wait) => wait.startedMs >= ms).map((wait) => wait.tookMs));
  }

  /** Everything that was published is acknowledged. */
  async stop() {
    this.drawing = false;
    await this.running;
    await Promise.all(this.acks);
    return this.acks.length;
  }

  async close() {
    for (const author of this.authors) await author.close();
  }
}
