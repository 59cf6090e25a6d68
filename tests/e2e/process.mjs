// Child processes of the tests: each dies with its parent, is stopped by its pid, and leaves what it printed in a file.
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import net from 'node:net';

const SIGNAL_WAIT_MS = 10_000;

/** True in a build with a sanitizer: times and memory are then not asserted as tightly. */
export const sanitized = Boolean(process.env.INKMESH_SANITIZE);
/** What a bound on time is multiplied with. */
export const patience = sanitized ? 5 : 1;

const open = new Set();
/** Notes a connection that must not outlive the tests; a failed test leaves its own behind. Gives what forgets it. */
export function whileOpen(end) {
  open.add(end);
  return () => open.delete(end);
}
export function endAllOpen() {
  for (const end of open) end();
  open.clear();
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until `probe` gives something truthy, and returns it. */
export async function until(what, probe, timeoutMs = 10_000, everyMs = 25) {
  const deadline = Date.now() + timeoutMs * patience;
  let last;
  for (;;) {
    try {
      const found = await probe();
      if (found) return found;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) {
      throw new Error(`waited ${timeoutMs * patience} ms in vain: ${what}${last ? ` (${last.message})` : ''}`);
    }
    await sleep(everyMs);
  }
}

/** `count` TCP ports of 127.0.0.1 that were free a moment ago, outside the range the kernel gives to clients. */
export async function freePorts(count) {
  const ports = new Set();
  while (ports.size < count) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    const free = await new Promise((resolve) => {
      const server = net.createServer();
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (free) ports.add(port);
  }
  return [...ports];
}

/** A process's own memory in MiB: without the pages of files (the store's map is one). */
export async function memoryMib(pid) {
  const text = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^RssAnon:\s+(\d+) kB/m.exec(text)[1]) / 1024;
}

/** Samples a process's memory until stop(), which gives the peak. */
export async function watchMemory(pid, everyMs = 50) {
  const begin = await memoryMib(pid);
  let peak = begin;
  let watching = true;
  const sampling = (async () => {
    while (watching) {
      peak = Math.max(peak, await memoryMib(pid).catch(() => 0));
      await sleep(everyMs);
    }
  })();
  return {
    async stop() {
      watching = false;
      await sampling;
      return { begin, peak, grown: peak - begin };
    },
  };
}

/** True while a process is there and no zombie. */
export async function alive(pid) {
  try {
    return !/^State:\s+[ZX]/m.test(await readFile(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

export class Child {
  /** Starts `command`; stdout and stderr go to `logFile` too. */
  constructor(command, args, { logFile, cwd, env, dieWithParent = true } = {}) {
    const [file, argv] = dieWithParent
      ? ['setpriv', ['--pdeathsig', 'KILL', '--', command, ...args]]
      : [command, args];
    this.name = `${command.split('/').pop()} ${args.join(' ')}`;
    this.process = spawn(file, argv, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    this.pid = this.process.pid;
    this.stdout = '';
    this.stderr = '';
    const log = logFile ? createWriteStream(logFile, { flags: 'a' }) : undefined;
    for (const stream of ['stdout', 'stderr']) {
      this.process[stream].on('data', (bytes) => {
        this[stream] = (this[stream] + bytes).slice(-4 << 20);
        log?.write(bytes);
      });
    }
    this.exited = new Promise((resolve, reject) => {
      this.process.once('error', reject);
      this.process.once('close', (code, signal) => {
        log?.end();
        this.exit = { code, signal };
        resolve(this.exit);
      });
    });
    this.exited.catch(() => {});
  }

  get running() {
    return this.exit === undefined;
  }

  /** Sends a signal and waits for the end; SIGKILL when it does not come. */
  async stop(signal = 'SIGTERM', waitMs = SIGNAL_WAIT_MS * patience) {
    if (!this.running) return this.exit;
    this.process.kill(signal);
    const timer = setTimeout(() => this.process.kill('SIGKILL'), waitMs);
    const exit = await this.exited;
    clearTimeout(timer);
    return exit;
  }
}

/** Runs a program to its end. */
export async function run(command, args, { timeoutMs = 30_000, ...options } = {}) {
  const child = new Child(command, args, options);
  const timer = setTimeout(() => child.process.kill('SIGKILL'), timeoutMs * patience);
  const exit = await child.exited;
  clearTimeout(timer);
  return { ...exit, stdout: child.stdout, stderr: child.stderr };
}
