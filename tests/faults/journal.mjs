// What happened when: every event as a line of JSON, and what the timeline draws of it.
import { createWriteStream } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const DELAYED_MS = 1_000;

export class Journal {
  constructor(file) {
    this.file = file;
    this.out = createWriteStream(file);
    this.beganMs = Date.now();
    this.seconds = []; // {published, acked, delivered, delayed}
    this.waiting = new Map(); // channel client op -> ms, of what is not acknowledged
    this.faults = []; // {kind, hosts, fromMs, toMs, text}
    this.hostStates = []; // {node, state, ms}
    this.samples = new Map(); // measure -> [{ms, ...}]
    this.loopDelay = monitorEventLoopDelay({ resolution: 10 });
    this.loopDelay.enable();
    this.lateMsMax = 0; // how late the harness itself was at worst: what it measured can be wrong by so much
    this.sampler = setInterval(() => this.#sample(), 100);
  }

  get nowMs() {
    return Date.now() - this.beganMs;
  }

  second(ms = this.nowMs) {
    const index = Math.floor(ms / 1000);
    while (this.seconds.length <= index) this.seconds.push({ published: 0, acked: 0, delivered: 0, delayed: 0 });
    return this.seconds[index];
  }

  note(what, fields = {}) {
    if (this.ended) return;
    const ms = this.nowMs;
    this.out.write(`${JSON.stringify({ ms, what, ...fields })}\n`);
    if (what === 'node') this.hostStates.push({ ms, ...fields });
  }

  published(key) {
    ++this.second().published;
    this.waiting.set(key, this.nowMs);
  }
  acked(key) {
    ++this.second().acked;
    this.waiting.delete(key);
  }
  delivered() {
    ++this.second().delivered;
  }

  /** Delayed: how many strokes at worst in a second have waited for their ack for longer than DELAYED_MS. */
  #sample() {
    const now = this.nowMs;
    let delayed = 0;
    for (const since of this.waiting.values()) {
      if (now - since <= DELAYED_MS) break; // in the order in which they were published
      ++delayed;
    }
    const second = this.second(now);
    second.lateMs = Math.max(second.lateMs ?? 0, Math.round(this.loopDelay.max / 1e6));
    this.lateMsMax = Math.max(this.lateMsMax, second.lateMs);
    this.loopDelay.reset();
    second.delayed = Math.max(second.delayed, delayed);
  }

  measured(measure, ms, fields = {}) {
    if (!this.samples.has(measure)) this.samples.set(measure, []);
    this.samples.get(measure).push(ms);
    this.note('measured', { measure, took_ms: ms, ...fields });
  }

  async end() {
    clearInterval(this.sampler);
    this.loopDelay.disable();
    this.ended = true;
    await new Promise((resolve) => this.out.end(resolve));
  }
}

/** n, p50, p99 and max of samples; nearest rank. */
export function distribution(samples) {
  const sorted = [...samples].sort((a, b) => a - b);
  const rank = (share) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  return { n: sorted.length, p50: rank(0.5), p99: rank(0.99), max: sorted.at(-1) };
}
