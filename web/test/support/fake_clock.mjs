/** A clock that stands still until it is moved; chance is always the same. @implements {import('../../client/clock.js').Clock} */
export class FakeClock {
  #now = 0;
  #timers = new Map();
  #next = 1;

  constructor(chance = 0.5) {
    this.chance = chance;
    this.now = () => this.#now;
    this.random = () => this.chance;
    this.setTimeout = (run, ms) => {
      this.#timers.set(this.#next, { run, due: this.#now + Math.max(ms, 0) });
      return this.#next++;
    };
    this.clearTimeout = (timer) => this.#timers.delete(timer);
  }

  get timers() {
    return this.#timers.size;
  }

  /** Runs every timer that is due within `ms`, in order, with what they set off. */
  async advance(ms) {
    const end = this.#now + ms;
    await settle();
    for (;;) {
      const due = [...this.#timers].filter(([, timer]) => timer.due <= end).sort(([, a], [, b]) => a.due - b.due)[0];
      if (!due) break;
      const [id, { run, due: at }] = due;
      this.#timers.delete(id);
      this.#now = Math.max(this.#now, at);
      run();
      await settle();
    }
    this.#now = end;
  }

  /** Time passes and no timer runs: the machine slept. */
  sleep(ms) {
    this.#now += ms;
  }
}

/** Lets everything run that waits for no timer. */
export async function settle() {
  for (let i = 0; i < 3; ++i) await new Promise((resolve) => setImmediate(resolve));
}
