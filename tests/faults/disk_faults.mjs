// Faults of a disk and of the power behind it.
import { access, open, readFile, rm, statfs } from 'node:fs/promises';
import path from 'node:path';
import { sleep } from '../e2e/process.mjs';
import { sh } from './lab.mjs';
import { onOne } from './one_host.mjs';
import { Chance } from './random.mjs';

// FS_IOC_SHUTDOWN with "no log flush": what was not synced is gone, as after a power cut. What is written right before it
// shows that.
const POWER_CUT = `import fcntl, os, struct, sys
disk = os.open(sys.argv[1], os.O_RDONLY)
open(sys.argv[2], "w").write("unsynced")
fcntl.ioctl(disk, 0x8004587d, struct.pack("I", 2))`;

const FLUSH_FAILED = /Input\/output error/g;
const DISK_FULL = /over 90 % full|Make room on its disk/g;

const WAY_OUT = /Move the folder away/g;

const isThere = (file) => access(file).then(() => true, () => false);

export const POWER = {
  power_cut: onOne({
    summary: 'the power goes: what was not synced is lost; then the machine boots',
    async begin(world, fault) {
      const host = world.host(fault.node);
      fault.unsynced = path.join(host.disk, 'never_synced');
      await world.bereave(fault.node);
      await sh('python3', ['-c', POWER_CUT, host.disk, fault.unsynced]);
      await host.kill();
      await world.lab.unmount(fault.node);
    },
    async heal(world, fault) {
      await world.lab.mount(fault.node);
      const survived = (await readFile(fault.unsynced, 'utf8').catch(() => '')).startsWith('unsynced');
      world.restart(fault.node);
      return { bit: !survived, how: `what was never synced was ${survived ? 'still there' : 'gone'}` };
    },
  }),
};

export const FULL = {
  full_disk: onOne({
    summary: 'its disk has no byte left',
    shortestMs: 2_000, // until the node looks at its disk, and clients try
    async begin(world, fault) {
      const host = world.host(fault.node);
      fault.before = host.logged(DISK_FULL);
      fault.ballast = path.join(host.disk, 'ballast');
      // Twice: the file system frees some of what it had set aside only once it is nearly full.
      for (const file of [fault.ballast, `${fault.ballast}2`]) {
        const { bavail, bsize } = await statfs(host.disk);
        if (bavail > 0) await sh('fallocate', ['-l', String(bavail * bsize), file]).catch(() => fillUp(file));
      }
    },
    async heal(world, fault) {
      const host = world.host(fault.node);
      const { bavail, bsize } = await statfs(host.disk);
      const refused = host.logged(DISK_FULL) - fault.before;
      await rm(fault.ballast, { force: true });
      await rm(`${fault.ballast}2`, { force: true });
      return { bit: refused > 0, how: `the node said ${refused} times that it is full, ${bavail * bsize} bytes were free at the end` };
    },
  }),

  failing_flush: onOne({
    shortestMs: 1_000,
    summary: 'fdatasync and fsync fail: the node must end, and comes back when they work',
    async begin(world, fault) {
      const host = world.host(fault.node);
      Object.assign(fault, { before: host.counters().flushesHurt, lives: host.lives, logged: host.logged(FLUSH_FAILED) });
      world.mayEnd.add(fault.node);
      host.flush('failing');
    },
    async heal(world, fault) {
      const host = world.host(fault.node);
      const failed = host.counters().flushesHurt - fault.before;
      host.flush('good');
      // What ended is started again by the supervisor; it may still be on its way out.
      setTimeout(() => world.mayEnd.delete(fault.node), 1_500);
      return {
        bit: failed > 0,
        how: `${failed} flushes failed, the node said so ${host.logged(FLUSH_FAILED) - fault.logged} times and was started ${host.lives - fault.lives} times`,
      };
    },
  }),

  slow_flush: onOne({
    summary: 'each fdatasync takes 50 ms to 1.5 s longer',
    plan: (chance, ids) => ({ node: chance.pick(ids), ms: Math.round(chance.spread(50, 1_500)) }),
    about: ({ node, ms }) => `${node} ${ms} ms`,
    async begin(world, fault) {
      const host = world.host(fault.node);
      fault.before = host.counters().flushesHurt;
      host.flush('slow', fault.ms);
    },
    async heal(world, fault) {
      const host = world.host(fault.node);
      host.flush('good');
      const slowed = host.counters().flushesHurt - fault.before;
      return { bit: slowed > 0, how: `${slowed} flushes of ${fault.ms} ms` };
    },
  }),
};

/** The last blocks, where one extent does not fit any more. */
const fillUp = (file) => sh('dd', ['if=/dev/zero', `of=${file}`, 'bs=64k', 'status=none']).catch(() => {});

const PAGE_BYTES = 4096;

/** Flips bytes of a file here and there, where it is in use. */
async function flipBytes(file, count, chance) {
  const bytes = await readFile(file);
  const isUsed = (page) => bytes.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES).some((byte) => byte !== 0);
  const pages = Array.from({ length: Math.floor(bytes.length / PAGE_BYTES) }, (_, page) => page).filter(isUsed);
  if (pages.length === 0) return;
  const handle = await open(file, 'r+');
  for (let i = 0; i < count; ++i) {
    const at = chance.pick(pages) * PAGE_BYTES + chance.whole(0, PAGE_BYTES - 1);
    await handle.write(Buffer.from([bytes[at] ^ chance.whole(1, 255)]), 0, 1, at);
  }
  await handle.close();
}

const DAMAGED_RECORD = /damaged record/g;

export const DISK = {
  flipped_bytes: onOne({
    summary: 'bytes of its store are flipped while it is down: it heals them, or ends with the way out',
    losesDisk: true,
    stays: false,
    plan: (chance, ids) => ({ node: chance.pick(ids), count: chance.whole(1, 64), seed: chance.whole(1, 1e6) }),
    about: ({ node, count }) => `${node} ${count} bytes`,
    async begin(world, { node, count, seed }) {
      const host = world.host(node);
      await world.bereave(node);
      await host.kill();
      const dice = new Chance(seed);
      await flipBytes(path.join(host.dataFolder, 'data.mdb'), count, dice);
      for (const journal of ['journal.0', 'journal.1']) await flipBytes(path.join(host.dataFolder, journal), 2, dice);
    },
    async heal(world, { node, count }) {
      const host = world.host(node);
      const before = host.logged(DAMAGED_RECORD);
      const damaged = { saidBefore: host.logged(WAY_OUT) };
      host.damaged = damaged;
      world.restart(node);
      await sleep(2_500); // what it meets at its start, it meets by now
      const met = damaged.ended ? 'it ended with the way out' : `it has met ${host.logged(DAMAGED_RECORD) - before} damaged records`;
      return { bit: count > 0, how: `${count} bytes flipped; ${met}` };
    },
  }),

  lost_disk: onOne({
    summary: 'its disk is gone for good; it comes back with an empty one',
    losesDisk: true,
    async begin(world, { node }) {
      const host = world.host(node);
      await world.bereave(node);
      await host.kill();
      await world.lab.unmount(node);
      await world.lab.format(node);
      await world.lab.mount(node);
    },
    async heal(world, { node }) {
      const host = world.host(node);
      const isEmpty = !(await isThere(path.join(host.dataFolder, 'data.mdb')));
      world.restart(node);
      return { bit: isEmpty, how: isEmpty ? 'started on an empty disk' : 'the store was still there' };
    },
  }),
};
