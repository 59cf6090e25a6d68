// The second mode: one fault comes and never goes. Whoever does not touch the node that has it must go on as if nothing
// were, and nothing that was acknowledged may be missing among the rest.
import { sleep, until } from '../e2e/process.mjs';
import { FAULTS } from './faults.mjs';
import { Run } from './run.mjs';

const GRACE_MS = 4_000; // until the rest have found out: heartbeats stop, stand-ins take over
const GAP_MS = 3_000; // the longest that anyone may wait for an ack after that
const DRAIN_MS = 30_000;

export class StayingRun extends Run {
  get fault() {
    return this.faults[0];
  }
  /** The nodes that the fault leaves alone. */
  get rest() {
    const hurt = FAULTS[this.fault.kind].hosts(this.fault);
    return this.world.hosts.filter((host) => !hurt.includes(host.id));
  }

  /** Every second one who draws never goes near the node that is hurt; the others go there too and come away again. */
  async storm() {
    const { world, journal, fault, checker } = this;
    checker.faultStays = true;
    const apart = world.drawers.filter((_, i) => i % 2 === 0);
    for (const drawer of apart) drawer.moveTo(this.rest.map((host) => host.ws));
    await sleep(fault.atMs);
    await world.begin(fault);
    this.say(`  ${this.clock()}  ${fault.kind} ${fault.drawn.about}, for good`);
    await sleep(GRACE_MS);
    for (const drawer of world.drawers) drawer.startWatch();
    journal.lateMsMax = 0;
    await Promise.all([sleep(this.lengthMs), this.ask(Date.now())]);
    // On a machine that is too busy for the harness itself the nodes wait for their turn as well.
    const boundMs = GAP_MS + 3 * journal.lateMsMax;
    for (const drawer of apart.filter(({ everyMs }) => everyMs > 0)) {
      journal.measured('gap_with_a_fault_that_stays', drawer.waitedMs, { client: drawer.name });
      if (drawer.waitedMs > boundMs) checker.violation(`${drawer.name} never went near ${fault.drawn.about} and waited ${drawer.waitedMs} ms for an ack`);
    }
  }

  /** The fault is still there: all that draw come away, and everything must come right among the rest. */
  async converge() {
    const { world, checker, journal, rest } = this;
    const fromMs = journal.nowMs;
    this.peaceMs = fromMs;
    for (const drawer of world.drawers) {
      drawer.settle();
      drawer.moveTo(rest.map((host) => host.ws));
    }
    try {
      await until('every stroke acknowledged', () => world.drawers.every((drawer) => drawer.outbox.size === 0), DRAIN_MS, 50);
    } catch (error) {
      checker.violation(`with ${this.fault.kind} for good: ${error.message}`);
    }
    await this.finish(rest);
    this.convergedMs = journal.nowMs - fromMs;
    await this.eachAlone(rest, Math.min(this.settings.replicas - 1, rest.length));
    const evidence = await world.evidence(this.fault);
    this.evidence.push({ kind: this.fault.kind, about: this.fault.drawn.about, ...evidence });
  }
}
