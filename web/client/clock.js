/**
 * Time and chance, passed in so that tests decide both.
 *
 * @typedef {object} Clock
 * @property {() => number} now Milliseconds of a clock that never goes back.
 * @property {(run: () => void, ms: number) => unknown} setTimeout
 * @property {(timer: unknown) => void} clearTimeout
 * @property {() => number} random From 0 to below 1.
 */

/** @type {Clock} */
export const systemClock = {
  now: () => performance.now(),
  setTimeout: (run, ms) => globalThis.setTimeout(run, ms),
  clearTimeout: (timer) => globalThis.clearTimeout(timer),
  random: () => Math.random(),
};

/**
 * One timer that is set again and again.
 */
export class Alarm {
  #clock;
  #run;
  #timer;
  #due = Infinity;

  /**
   * @param {Clock} clock
   * @param {() => void} run
   */
  constructor(clock, run) {
    this.#clock = clock;
    this.#run = run;
  }

  /** When it rings, in the clock's milliseconds; Infinity while it is not set. */
  get due() {
    return this.#due;
  }

  /** Sets it to ring in `ms`, instead of whenever it would have. */
  set(ms) {
    this.clear();
    this.#due = this.#clock.now() + ms;
    this.#timer = this.#clock.setTimeout(() => {
      this.#due = Infinity;
      this.#run();
    }, ms);
  }

  /** Sets it to ring in `ms` unless it rings sooner. */
  setAtMost(ms) {
    if (this.#clock.now() + ms < this.#due) this.set(ms);
  }

  clear() {
    if (this.#due !== Infinity) this.#clock.clearTimeout(this.#timer);
    this.#due = Infinity;
  }
}
