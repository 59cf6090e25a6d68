// One run: a cluster, those who draw, the faults of a seed, then peace, and what must hold after it.
import { mkdir, copyFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { sleep, until } from '../e2e/process.mjs';
import { FaultChecker, Drawer } from './drawing.mjs';
import { Journal } from './journal.mjs';
import { Lab } from './lab.mjs';
import { buildShim } from './host.mjs';
import { Chance } from './random.mjs';
import { World } from './world.mjs';
import { writeTimeline } from './timeline.mjs';

const WARM_UP_MS = 2_000;
const CONVERGE_MS = 60_000;
const ASK_MS = 1_000;
const CHANNELS = 4;

export class Run {
  constructor({ seed, nodes, faults, settings, folder, lengthMs, say, drawers = 2 * nodes, stroke = {} }) {
    Object.assign(this, { seed, faults, settings, folder, lengthMs, say });
    this.ids = Array.from({ length: nodes }, (_, i) => `ws${i + 1}`);
    this.drawerCount = drawers;
    this.stroke = { everyMs: 70, bytes: 16_000, ...stroke };
    this.channels = Array.from({ length: CHANNELS }, (_, i) => `drawing_${seed}_${i}`);
    this.evidence = [];
  }

  async prepare() {
    await mkdir(this.folder, { recursive: true });
    this.lab = await Lab.create(this.ids);
    this.journal = new Journal(path.join(this.folder, 'history.jsonl'));
    this.journal.note('run', { seed: this.seed, nodes: this.ids, settings: this.settings, length_ms: this.lengthMs });
    this.checker = new FaultChecker({ ack: this.settings.ack, journal: this.journal });
    const shim = await buildShim(this.lab.folder);
    this.world = new World({
      lab: this.lab, ids: this.ids, shim, journal: this.journal, checker: this.checker, settings: this.settings,
    });
    await this.world.start();
    const chance = new Chance(this.seed ^ 0x5eed);
    for (let i = 0; i < this.drawerCount; ++i) {
      // One in five only looks on.
      const drawer = new Drawer({
        urls: this.world.urls, name: `d${i}`, start: i, checker: this.checker, journal: this.journal,
        channels: chance.shuffled(this.channels).slice(0, 2), everyMs: i % 5 === 4 ? 0 : this.stroke.everyMs,
        bytes: this.stroke.bytes, chance: new Chance(this.seed * 1000 + i),
      });
      drawer.draw();
      this.world.drawers.push(drawer);
    }
    await sleep(WARM_UP_MS);
  }

  /** Begins and heals each fault at its time. */
  async storm() {
    const began = Date.now();
    const errors = [];
    await Promise.all([this.ask(began), ...this.faults.map(async (fault) => {
      try {
        await sleep(Math.max(0, began + fault.atMs - Date.now()));
        await this.world.begin(fault);
        this.say(`  ${this.clock()}  ${fault.drawn.kind} ${fault.drawn.about} for ${(fault.forMs / 1000).toFixed(1)} s`);
        await sleep(fault.forMs);
        const evidence = await this.world.heal(fault);
        this.evidence.push({ kind: fault.kind, about: fault.drawn.about, ...evidence });
      } catch (error) {
        errors.push(new Error(`fault ${fault.id}, ${fault.kind}: ${error.message}`, { cause: error }));
      }
    })]);
    if (errors.length > 0) throw errors[0];
    const left = began + this.lengthMs - Date.now();
    if (left > 0) await sleep(left);
  }

  clock() {
    return `${(this.journal.nowMs / 1000).toFixed(1).padStart(6)} s`;
  }

  /** Asks a node for a whole history now and then: what calls itself complete must hold what was acknowledged before. */
  async ask(began) {
    const chance = new Chance(this.seed ^ 0xa5c);
    while (Date.now() < began + this.lengthMs) {
      await sleep(ASK_MS);
      const host = chance.pick(this.world.hosts);
      const channel = chance.pick(this.channels);
      if (!host.running || host.paused) continue;
      const promised = this.checker.promised(channel);
      try {
        const { cursor, complete } = await host.history(channel);
        this.journal.note('asked', { node: host.id, channel, complete });
        if (complete) this.checker.complete(`GET at ${host.id} of ${channel}`, cursor, promised);
      } catch (error) {
        this.journal.note('asked', { node: host.id, channel, failed: error.message }); // it may die at any moment
      }
    }
  }

  /** Every fault is healed: everything must come right. */
  async converge() {
    const { world, checker, journal } = this;
    const fromMs = journal.nowMs;
    journal.note('peace');
    this.peaceMs = fromMs;
    for (const drawer of world.drawers) drawer.settle();
    const attempt = async (what, probe) => {
      try {
        await until(what, probe, CONVERGE_MS, 50);
      } catch (error) {
        checker.violation(`after all faults were healed: ${error.message}`);
      }
    };
    await attempt('every node ready', async () => (await Promise.all(world.hosts.map((host) => host.isReady()))).every(Boolean));
    await attempt('every stroke acknowledged', () => world.drawers.every((drawer) => drawer.outbox.size === 0));
    await this.finish(world.hosts);
    this.convergedMs = journal.nowMs - fromMs;
    await this.eachAlone(world.hosts, Math.min(this.settings.replicas, this.ids.length));
  }

  async finish(hosts) {
    try {
      const { histories, ...figures } = await this.checker.finish(hosts, { timeoutMs: CONVERGE_MS, copiesMax: this.ids.length });
      this.figures = figures;
    } catch (error) {
      this.journal.note('unmet', { text: error.message });
    }
  }

  /** Cuts every link, so that each node can only tell what is in its own store. */
  async eachAlone(hosts, homes) {
    const { world, checker, lab } = this;
    let lacking = [];
    for (let round = 0; round < 4; ++round) {
      const addresses = world.hosts.map((host) => host.address);
      await Promise.all(hosts.map((host) => lab.filter(host.id, { drop: addresses.filter((a) => a !== host.address) })));
      await sleep(3_000);
      const own = await this.ownStrokes(hosts).catch((error) => error);
      await Promise.all(hosts.map((host) => lab.filter(host.id, {})));
      // One on a damaged store may end only now, when it alone is asked for all of it; then it is refilled.
      lacking = own instanceof Error ? [own.message] : checker.replicas(own, homes);
      if (lacking.length === 0) return;
      await sleep(5_000); // what is not there yet may come
    }
    checker.violation(`${lacking.length} acknowledged strokes are in fewer than ${homes} stores: ${lacking.slice(0, 3).join('; ')}`);
  }

  /** node -> channel -> strokes, as each tells by itself. */
  async ownStrokes(hosts) {
    const own = new Map();
    for (const host of hosts) {
      own.set(host.id, new Map());
      for (const channel of this.checker.channels) own.get(host.id).set(channel, (await host.history(channel)).strokes);
    }
    return own;
  }

  verdict() {
    const { checker, journal } = this;
    return {
      seed: this.seed,
      passed: checker.violations.length === 0,
      violations: checker.violations,
      published: checker.publishes.size,
      acks: checker.acks,
      deliveries: checker.deliveries,
      complete_answers: checker.completes,
      ...this.figures,
      harness_late_ms_max: journal.lateMsMax,
      converged_ms: this.convergedMs,
      evidence: this.evidence,
      samples: Object.fromEntries(journal.samples),
    };
  }

  /** Everything, and never a namespace or a mount left behind. */
  async go() {
    try {
      this.preparing = this.prepare();
      await this.preparing;
      await this.storm();
      await this.converge();
      return this.verdict();
    } finally {
      await this.clear();
    }
  }

  /** Once, whoever asks first: the end of the run, a failure, or Ctrl-C. */
  clear() {
    this.clearing ??= this.#clear();
    return this.clearing;
  }
  async #clear() {
    await this.preparing?.catch(() => {}); // go() tells of it; what is half made could not be removed
    await this.world?.stop();
    if (this.journal) {
      await writeTimeline(path.join(this.folder, 'timeline.html'), this);
      await this.journal.end();
      await writeFile(path.join(this.folder, 'verdict.json'), `${JSON.stringify(this.verdict(), null, 1)}\n`);
    }
    for (const host of this.world?.hosts ?? []) {
      await copyFile(host.logFile, path.join(this.folder, `${host.id}.log`)).catch(() => {});
    }
    await this.lab?.remove();
  }
}
