// Faults of a process: killed, stopped, with a wrong clock, or restarted one after the other as an upgrade does it.
import { readFile } from 'node:fs/promises';
import { sleep, until } from '../e2e/process.mjs';
import { onOne } from './one_host.mjs';

const TWO_MINUTES_MS = 120_000;
const DRAIN_MS = 20_000;
const READY_MS = 20_000;

export const PROCESSES = {
  kill: onOne({
    summary: 'SIGKILL; started again when it heals',
    async begin(world, { node }) {
      await world.bereave(node);
      await world.host(node).kill();
    },
    async heal(world, { node }) {
      const { exit } = world.host(node).child;
      world.restart(node);
      return { bit: exit?.signal === 'SIGKILL', how: `ended by ${exit?.signal}` };
    },
  }),

  pause: onOne({
    summary: 'SIGSTOP, then SIGCONT: its kernel goes on taking connections',
    async begin(world, { node }) {
      const host = world.host(node);
      await until(`${node} runs`, () => host.running); // it may just be between two lives, after a failed flush
      host.pause();
    },
    async heal(world, { node }) {
      const host = world.host(node);
      const [, state] = /^State:\s+(\S)/m.exec(await readFile(`/proc/${host.pid}/status`, 'utf8'));
      host.resume();
      return { bit: state === 'T', how: `process state ${state}` };
    },
  }),

  clock: onOne({
    summary: 'its wall clock steps two minutes forward or back, and returns',
    plan: (chance, ids) => ({ node: chance.pick(ids), ms: chance.pick([1, -1]) * TWO_MINUTES_MS }),
    about: ({ node, ms }) => `${node} ${ms > 0 ? '+' : ''}${ms / 1000} s`,
    async begin(world, fault) {
      const host = world.host(fault.node);
      fault.before = host.counters().clockReads;
      fault.doubts = watchReasons(host, /clock/);
      host.stepClock(fault.ms);
    },
    async heal(world, fault) {
      const host = world.host(fault.node);
      const reads = host.counters().clockReads - fault.before;
      host.stepClock(0);
      const doubted = await fault.doubts();
      return { bit: reads > 0, how: `${reads} looks at a wrong clock${doubted ? '; it was not ready: clock' : ''}` };
    },
  }),

  rolling: {
    summary: 'each node after the other: SIGTERM, started again, waited for',
    plan: (chance, ids) => ({ order: chance.shuffled(ids) }),
    claims: () => ['host *'],
    hosts: ({ order }) => order,
    about: ({ order }) => order.join(', '),
    async begin(world, fault) {
      fault.exits = [];
      fault.rolled = (async () => {
        for (const id of fault.order) {
          if (fault.enough) break;
          const host = world.host(id);
          // A process that is only being loaded knows nothing of signals yet.
          await until(`${id} answers`, () => host.running && host.isAlive(), READY_MS);
          host.down = true;
          fault.exits.push(await host.child.stop('SIGTERM', DRAIN_MS));
          world.restart(id);
          await until(`${id} ready again`, () => host.isReady(), READY_MS);
        }
      })();
    },
    async heal(world, fault) {
      fault.enough = true;
      await fault.rolled;
      for (const { code, signal } of fault.exits) {
        if (code !== 0) world.checker.violation(`rolling restart: a node told to stop ended with ${code ?? signal}`);
      }
      return { bit: fault.exits.length > 0, how: `${fault.exits.length} nodes restarted` };
    },
  },
};

/** Asks a host now and then why it is not ready; the answer says whether it ever named the pattern. */
function watchReasons(host, pattern) {
  let watching = true;
  let seen = false;
  const watch = (async () => {
    while (watching) {
      const { reasons = [] } = await host.status().catch(() => ({}));
      seen ||= reasons.some((reason) => pattern.test(reason));
      await sleep(100);
    }
  })();
  return async () => {
    watching = false;
    await watch;
    return seen;
  };
}
