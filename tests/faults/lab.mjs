// The network and the disks of a run: a namespace for each host on one bridge, and a small ext4 of its own for each.
// Whoever runs the harness stands on the bridge too, as the clients do.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child, until } from '../e2e/process.mjs';

const PREFIX = 'inkf';
const DISK_MIB = 384;

/** Runs a program to its end; gives what it printed, or fails with what it complained of. */
export function sh(command, args, { input, timeoutMs = 30_000 } = {}) {
  return new Promise((resolve, reject) => {
    const child = execFile(command, args, { timeout: timeoutMs }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${command} ${args.join(' ')}: ${stderr.trim() || error.message}`));
      else resolve(stdout);
    });
    if (input === undefined) return;
    child.stdin.on('error', () => {}); // it ended early: its status says why
    child.stdin.end(input);
  });
}

const attempt = (...args) => sh(...args).catch(() => undefined);

/** Why this machine cannot hold a lab, or undefined where it can. */
export async function whyNot() {
  if (process.platform !== 'linux') return 'network namespaces are Linux\'s';
  if (process.getuid() !== 0) return 'it must run as root: it makes network namespaces and mounts';
  for (const [tool, debian] of [['ip', 'iproute2'], ['ss', 'iproute2'], ['tc', 'iproute2'], ['nft', 'nftables'],
    ['nsenter', 'util-linux'], ['mkfs.ext4', 'e2fsprogs'], ['losetup', 'mount'], ['python3', 'python3'], ['cc', 'gcc']]) {
    if (!(process.env.PATH ?? '').split(':').some((folder) => existsSync(path.join(folder, tool)))) {
      return `${tool} is missing (Debian: ${debian})`;
    }
  }
  const name = `${PREFIX}${process.pid}-try`;
  try {
    await sh('ip', ['netns', 'add', name]);
    await sh('nsenter', [`--net=/run/netns/${name}`, 'nft', 'add', 'table', 'inet', 'inkmesh_try']);
    await sh('ip', ['link', 'add', `${PREFIX}${process.pid}t`, 'type', 'bridge']);
  } catch (error) {
    return `network namespaces are not allowed here (${error.message})`;
  } finally {
    await attempt('ip', ['link', 'del', `${PREFIX}${process.pid}t`]);
    await attempt('ip', ['netns', 'del', name]);
  }
  return whyNoDisk();
}

async function whyNoDisk() {
  if (!existsSync('/dev/loop-control')) return 'there are no loop devices (/dev/loop-control)';
  const folder = await mkdtemp(path.join(tmpdir(), `${PREFIX}-${process.pid}-try`));
  const [image, disk] = [path.join(folder, 'image'), path.join(folder, 'disk')];
  try {
    await mkdir(disk);
    await sh('truncate', ['-s', '8M', image]);
    await sh('mkfs.ext4', ['-q', '-F', image]);
    await sh('mount', ['-o', 'loop', image, disk]);
    await sh('umount', [disk]);
    return undefined;
  } catch (error) {
    return `disks in files cannot be mounted here (${error.message})`;
  } finally {
    await attempt('umount', ['-l', disk]);
    await rm(folder, { recursive: true, force: true });
  }
}

/** Removes what runs left behind that were killed before they could: their names hold the id of a process that is gone. */
export async function sweep() {
  const gone = (name) => {
    const pid = new RegExp(`^${PREFIX}-?(\\d+)`).exec(name)?.[1];
    return pid !== undefined && !existsSync(`/proc/${pid}`);
  };
  for (const name of await readdir('/run/netns').catch(() => [])) if (gone(name)) await attempt('ip', ['netns', 'del', name]);
  for (const { ifname } of JSON.parse((await attempt('ip', ['-j', 'link', 'show'])) || '[]')) {
    if (ifname && gone(ifname)) await attempt('ip', ['link', 'del', ifname]);
  }
  for (const name of await readdir(tmpdir())) {
    if (!gone(name)) continue;
    const folder = path.join(tmpdir(), name);
    for (const inner of await readdir(folder)) await attempt('umount', ['-l', path.join(folder, inner)]);
    await rm(folder, { recursive: true, force: true });
  }
}

export class Lab {
  static async create(ids) {
    const lab = new Lab();
    lab.tag = `${PREFIX}${process.pid}`;
    lab.folder = await mkdtemp(path.join(tmpdir(), `${PREFIX}-${process.pid}-`));
    lab.bridge = `${lab.tag}b`;
    lab.subnet = `10.${200 + (process.pid % 50)}.${Math.floor(process.pid / 50) % 250}`;
    lab.outside = `${lab.subnet}.254`;
    lab.places = new Map(); // id -> {netns, address, disk, image}
    try {
      await sh('ip', ['link', 'add', lab.bridge, 'type', 'bridge']);
      await sh('ip', ['addr', 'add', `${lab.outside}/24`, 'dev', lab.bridge]);
      await sh('ip', ['link', 'set', lab.bridge, 'up']);
      for (const [i, id] of ids.entries()) await lab.place(id, i);
    } catch (error) {
      await lab.remove();
      throw error;
    }
    return lab;
  }

  async place(id, i) {
    const netns = `${this.tag}-${id}`;
    const outer = `${this.tag}v${i}`;
    const place = {
      netns, outer, side: [`${this.tag}d${i}`, `${this.tag}e${i}`], address: `${this.subnet}.${i + 1}`,
      disk: path.join(this.folder, id), image: path.join(this.folder, `${id}.img`),
    };
    this.places.set(id, place);
    await sh('ip', ['netns', 'add', netns]);
    await sh('ip', ['link', 'add', outer, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', netns]);
    await sh('ip', ['link', 'set', outer, 'master', this.bridge, 'up']);
    await sh('ip', ['-n', netns, 'addr', 'add', `${place.address}/24`, 'dev', 'eth0']);
    await sh('ip', ['-n', netns, 'link', 'set', 'eth0', 'up']);
    await sh('ip', ['-n', netns, 'link', 'set', 'lo', 'up']);
    await mkdir(place.disk);
    await this.format(id);
    await this.mount(id);
  }

  /** Runs a program in a host's network. */
  inside(id, command, args, options) {
    return sh('nsenter', [`--net=/run/netns/${this.places.get(id).netns}`, '--', command, ...args], options);
  }

  // ---- disks ------------------------------------------------------------------------------------------------------

  /** A new, empty disk. */
  async format(id) {
    const { image } = this.places.get(id);
    await rm(image, { force: true });
    await sh('truncate', ['-s', `${DISK_MIB}M`, image]);
    await sh('mkfs.ext4', ['-q', '-F', '-m', '0', '-E', 'lazy_itable_init=1,lazy_journal_init=1', image]);
  }
  async mount(id) {
    const { image, disk } = this.places.get(id);
    await sh('mount', ['-o', 'loop', image, disk]);
  }
  async unmount(id) {
    await sh('umount', [this.places.get(id).disk]);
  }

  // ---- the network ------------------------------------------------------------------------------------------------

  /**
   * What a host's kernel does with packets: `drop` from these addresses, `loss` percent of the rest, in and out.
   * Replaced as one transaction.
   */
  async filter(id, { drop = [], loss = 0 }) {
    const lossy = loss > 0 ? [`numgen random mod 100 < ${loss} counter drop`] : [];
    const chain = (hook, rules) => [`chain ${hook} {`, `type filter hook ${hook} priority 0;`, ...rules, '}'];
    await this.inside(id, 'nft', ['-f', '-'], {
      input: ['table inet faults', 'delete table inet faults', 'table inet faults {',
        ...chain('input', [...(drop.length > 0 ? [`ip saddr { ${drop.join(', ')} } counter drop`] : []), ...lossy]),
        ...chain('output', lossy), '}', ''].join('\n'),
    });
  }

  /** Leads a host's link through detour.c: every frame comes late, each by its own time. */
  async detour(id, { delayMs, jitterMs, seed }) {
    this.detourProgram ??= (async () => {
      const program = path.join(this.folder, 'detour');
      await sh('cc', ['-O2', '-Wall', '-Wextra', '-Werror', '-o', program, fileURLToPath(new URL('detour.c', import.meta.url))]);
      return program;
    })();
    const program = await this.detourProgram;
    const { outer, side: [near, far] } = this.places.get(id);
    await sh('ip', ['link', 'add', near, 'type', 'veth', 'peer', 'name', far]);
    await sh('ip', ['link', 'set', far, 'master', this.bridge, 'up']);
    // Nobody here may answer for the machines behind them.
    for (const link of [near, outer]) await sh('ip', ['link', 'set', link, 'arp', 'off', 'up']);
    await sh('ip', ['link', 'set', outer, 'nomaster']);
    const child = new Child(program, [outer, near, delayMs, jitterMs, seed].map(String));
    await until('the detour is open', () => child.stdout.startsWith('ready'));
    return child;
  }
  /** The direct way again. Gives what the detour carried. */
  async straighten(id, child) {
    const { outer, side: [near] } = this.places.get(id);
    await child.stop();
    await sh('ip', ['link', 'del', near]);
    await sh('ip', ['link', 'set', outer, 'arp', 'on', 'master', this.bridge]);
    return JSON.parse(child.stdout.split('\n')[1]);
  }

  /** How many packets a host's filter has dropped since it was last replaced. */
  async dropped(id) {
    const text = await this.inside(id, 'nft', ['list', 'table', 'inet', 'faults']).catch(() => '');
    return [...text.matchAll(/counter packets (\d+)/g)].reduce((sum, [, packets]) => sum + Number(packets), 0);
  }

  // ---- the end ----------------------------------------------------------------------------------------------------

  async displace(id) {
    const place = this.places.get(id);
    this.places.delete(id);
    // A namespace may live on for a while after its name is gone; its link must not.
    for (const link of [place.outer, place.side[0]]) await attempt('ip', ['link', 'del', link]);
    if ((await attempt('umount', [place.disk])) === undefined) await attempt('umount', ['-l', place.disk]);
    await attempt('ip', ['netns', 'del', place.netns]);
    await rm(place.disk, { recursive: true, force: true });
    await rm(place.image, { force: true });
  }

  async remove() {
    for (const id of [...this.places.keys()]) await this.displace(id);
    await attempt('ip', ['link', 'del', this.bridge]);
    await rm(this.folder, { recursive: true, force: true });
  }
}
