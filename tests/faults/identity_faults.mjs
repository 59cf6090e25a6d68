// Faults of who a node is: another node's store, and a second process under the same id.
import { cp, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { inkmesh } from '../e2e/cluster.mjs';
import { Child, sleep } from '../e2e/process.mjs';
import { onOne } from './one_host.mjs';

const REFUSED_MS = 10_000;
const TWIN = 'twin';
const TWIN_PLACE = 30; // its address's last number, from 0

export const IDENTITY = {
  foreign_folder: onOne({
    summary: 'it is started on a copy of another node\'s store: that is refused; then on its own again',
    stays: false,
    plan(chance, ids) {
      const [node, other] = chance.shuffled(ids);
      return { node, other };
    },
    claims: ({ node, other }) => [`host ${node}`, `host ${other}`],
    about: ({ node, other }) => `${node} on ${other}'s`,
    async begin(world, fault) {
      const host = world.host(fault.node);
      await world.bereave(fault.node);
      await host.kill();
      fault.own = `${host.dataFolder}.own`;
      await rename(host.dataFolder, fault.own);
      // Of a node that runs: as inconsistent as such copies are.
      await cp(world.host(fault.other).dataFolder, host.dataFolder, { recursive: true });
      host.start();
      const timer = setTimeout(() => host.child.stop('SIGKILL'), REFUSED_MS);
      fault.exit = await host.child.exited;
      clearTimeout(timer);
      fault.said = host.child.stderr;
    },
    async heal(world, fault) {
      const host = world.host(fault.node);
      await rm(host.dataFolder, { recursive: true, force: true });
      await rename(fault.own, host.dataFolder);
      world.restart(fault.node);
      const isRefused = fault.exit.code === 1 && /is the store of node|Move the folder away/.test(fault.said);
      if (!isRefused) world.checker.violation(`${fault.node} on ${fault.other}'s store: ${JSON.stringify(fault.exit)} ${fault.said.slice(-400)}`);
      return { bit: isRefused, how: fault.said.includes('is the store of node') ? 'refused: another node\'s store' : 'refused: a damaged store' };
    },
  }),

  twin: onOne({
    summary: 'a second process under its id, on another machine and an empty disk: all say so, and go on without it',
    claims: ({ node }) => [`host ${node}`, TWIN], // there is one place for it
    stays: true,
    shortestMs: 5_000,
    async begin(world, fault) {
      const { lab } = world;
      const host = world.host(fault.node);
      fault.before = told(world, fault.node);
      await lab.place(TWIN, TWIN_PLACE);
      const { netns, disk } = lab.places.get(TWIN);
      const config = path.join(lab.folder, `${TWIN}.yaml`);
      await writeFile(config, host.clusterFile(path.join(disk, 'store'), true));
      fault.child = new Child('nsenter', [`--net=/run/netns/${netns}`, '--', inkmesh, 'node', '--config', config, '--node', fault.node], {
        logFile: path.join(lab.folder, `${TWIN}.log`), cwd: lab.folder,
      });
      fault.startedMs = Date.now();
      fault.named = untilNamed(world, fault);
    },
    async heal(world, fault) {
      const ran = fault.child.running;
      fault.isHealing = true;
      const namedMs = await fault.named;
      const shutOut = /this one takes no clients/.test(fault.child.stderr);
      await fault.child.stop('SIGKILL');
      await world.lab.displace(TWIN);
      if (namedMs !== undefined) world.journal.measured('twin_to_named', namedMs, { node: fault.node });
      if (!ran) return { bit: false, how: `it ended: ${fault.child.stderr.slice(-200)}` };
      return { bit: namedMs !== undefined, how: `named after ${namedMs} ms; it ${shutOut ? 'took' : 'did not say that it took'} no clients` };
    },
  }),
};

/** Milliseconds from the second process's start until a peer names it; undefined where none does. */
async function untilNamed(world, fault) {
  while (!fault.isHealing) {
    if (told(world, fault.node) > fault.before) return Date.now() - fault.startedMs;
    await sleep(50);
  }
  return undefined;
}

/** How often the others have said that a node runs twice. */
function told(world, id) {
  const pattern = new RegExp(`two processes run as ${id}: `, 'g');
  return world.hosts.filter((host) => host.id !== id).reduce((sum, host) => sum + host.logged(pattern), 0);
}
