// The command: reads what is wanted, makes the runs, and says how they went.
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { projectRoot } from '../e2e/cluster.mjs';
import { FAULTS } from './faults.mjs';
import { distribution } from './journal.mjs';
import { sweep, whyNot } from './lab.mjs';
import { forGood, schedule } from './schedule.mjs';

const HELP = `Real faults on real processes

Starts a cluster of inkmesh nodes, each in a network namespace and on a small disk of its own, lets clients draw on it,
and breaks it by a schedule that comes from a seed. Then it heals everything, waits until all have converged, and holds
the run against the promises in docs/protocol.md. Needs root; ends with 77 where namespaces are not allowed.

  scripts/faults                              one run of 60 s, seed 1, five nodes
  scripts/faults --seed 7 --seconds 30        another one
  scripts/faults --minutes 60                 run after run, each with the next seed
  scripts/faults --only kill,partition --at-once 1 --longest 3 --nodes 3 --minutes 10
                                              how fast it recovers, with nothing else going wrong
  scripts/faults --stay clock                 one fault stays for good: everyone else must make progress
  scripts/faults --stay all --seconds 15      each fault that can stay, one run after the other

  --seed N        decides the whole schedule (1)
  --seconds N     how long faults come and go in a run (60)
  --minutes N     runs with the seeds N, N+1, ... until so much time has passed
  --nodes N       2 to 9 (5)
  --replicas N    homes of a channel (3)
  --at-once N     faults at a time, 1 to 3 (3)
  --longest N     the longest fault in seconds, 1 to 30 (30)
  --only A,B      these faults only
  --stay FAULT    the second mode; all: each of them in turn
  --list          what faults there are
  --out FOLDER    where history.jsonl, verdict.json, timeline.html and the nodes' logs go (build/faults)
  --help          this

With more than one run it ends with a table: each fault, how often it was tried, how often it was seen to bite.
Ends with 0 when every promise held, 1 when one was broken, 2 when the command line is wrong,
3 when the harness itself failed, 77 where it cannot run.
`;

const SKIPPED = 77;

class UsageError extends Error {}

function whole(values, name, low, high) {
  const value = Number(values[name]);
  if (!Number.isInteger(value) || value < low || value > high) {
    throw new UsageError(`--${name} ${values[name]}: expected a whole number from ${low} to ${high}`);
  }
  return value;
}

function options() {
  const text = (value) => ({ type: 'string', ...(value === undefined ? {} : { default: value }) });
  const { values } = parseArgs({
    options: {
      seed: text('1'), seconds: text('60'), minutes: text(), nodes: text('5'), replicas: text('3'), 'at-once': text('3'), longest: text('30'),
      only: text(), stay: text(), out: text(path.join(projectRoot, 'build/faults')),
      list: { type: 'boolean' }, help: { type: 'boolean', short: 'h' },
    },
  });
  return {
    ...values,
    seed: whole(values, 'seed', 0, 2 ** 31),
    seconds: whole(values, 'seconds', 1, 300),
    minutes: values.minutes === undefined ? undefined : whole(values, 'minutes', 1, 10_000),
    nodes: whole(values, 'nodes', 2, 9),
    replicas: whole(values, 'replicas', 2, 9),
    longest: whole(values, 'longest', 1, 30),
    atOnce: whole(values, 'at-once', 1, 3),
    stay: values.stay === undefined ? undefined : staying(values.stay),
    kinds: kindsOf(values.only ? values.only.split(',') : Object.keys(FAULTS)),
  };
}

/** Those of `names` that are there. */
function kindsOf(names) {
  for (const name of names) {
    if (!FAULTS[name]) throw new UsageError(`there is no fault ${name}; scripts/faults --list names them`);
  }
  return names;
}

function staying(kind) {
  if (kind === 'all') return Object.keys(FAULTS).filter((name) => FAULTS[name].stays);
  kindsOf([kind]);
  if (!FAULTS[kind].stays) throw new UsageError(`--stay ${kind}: it cannot stay for good`);
  return [kind];
}

function say(line) {
  process.stdout.write(`${line}\n`);
}

/** How often each kind was tried, and seen to bite; added to what `kinds` has. */
function countKinds(evidence, kinds = new Map()) {
  for (const { kind, bit } of evidence) {
    const count = kinds.get(kind) ?? { times: 0, bit: 0 };
    ++count.times;
    if (bit) ++count.bit;
    kinds.set(kind, count);
  }
  return kinds;
}

function reportTotals({ runs, failed, published, acks, deliveries, violations, kinds }) {
  say('\nfault             tried   seen to bite');
  for (const [kind, { times, bit }] of [...kinds].sort()) say(`${kind.padEnd(16)} ${String(times).padStart(6)} ${String(bit).padStart(14)}`);
  say(`${runs} runs, ${runs - failed} held: ${published} strokes published, ${acks} acknowledgements, ${deliveries} deliveries, ${violations} promises broken`);
}

function report(verdict, folder) {
  say(`  ${verdict.published} strokes published, ${verdict.acks} acknowledgements, ${verdict.deliveries} deliveries, ` +
    `${verdict.complete_answers} answers that called themselves complete; converged ${(verdict.converged_ms / 1000).toFixed(1)} s after the last fault`);
  const kinds = countKinds(verdict.evidence);
  say(`  faults: ${[...kinds].map(([kind, { times, bit }]) => `${kind} ${bit}/${times}`).join(', ')} (seen to bite/tried)`);
  for (const text of verdict.violations) say(`  BROKEN  ${text}`);
  say(`  ${verdict.passed ? 'every promise held' : `${verdict.violations.length} promises broken`}: ${folder}/timeline.html`);
}

const MEASURES = {
  death_to_ack: 'a node\'s death until a client that was on it has an ack elsewhere',
  death_to_retries_acked: 'the same, until what was under way then is acknowledged',
  restart_to_ready: 'a restarted node until it is ready',
  restart_to_level: 'a restarted node until it holds all that others held',
  twin_to_named: 'a second process under one id: a peer names it',
  gap_with_a_fault_that_stays: 'the longest wait of one who stays away from a lasting fault',
  healed_to_converged: 'a healed partition until everyone has seen everything',
};

function reportSamples(all) {
  say('\n                                                                         n     p50     p99     max  ms');
  for (const [measure, title] of Object.entries(MEASURES)) {
    const samples = all.get(measure) ?? [];
    if (samples.length === 0) continue;
    const { n, p50, p99, max } = distribution(samples);
    say(`${title.padEnd(68)} ${[n, p50, p99, max].map((value) => String(value).padStart(7)).join(' ')}`);
  }
}

async function main() {
  const wanted = options();
  if (wanted.help) {
    process.stdout.write(HELP);
    return 0;
  }
  if (wanted.list) {
    for (const [kind, { summary }] of Object.entries(FAULTS)) say(`${kind.padEnd(14)} ${summary}`);
    return 0;
  }
  const obstacle = await whyNot();
  if (obstacle) {
    process.stderr.write(`scripts/faults: cannot run here: ${obstacle}\n`);
    return SKIPPED;
  }
  // What needs npm packages comes late: --help and --list do without.
  const [{ Run }, { StayingRun }] = await Promise.all([import('./run.mjs'), import('./stay.mjs')]);
  await sweep();
  const untilMs = Date.now() + (wanted.minutes ?? 0) * 60_000;
  const samples = new Map();
  const totals = { runs: 0, failed: 0, published: 0, acks: 0, deliveries: 0, violations: 0, kinds: new Map() };
  let current;
  let interrupted = false;
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.on(signal, () => {
      interrupted = true;
      say(`\n${signal}: clearing up`);
      leave(130);
    });
  }
  const leave = (code) => {
    const done = () => process.exit(code);
    (current ? current.clear() : Promise.resolve()).then(done, done);
  };
  process.on('uncaughtException', (error) => {
    process.stderr.write(`scripts/faults: ${error.stack}\n`);
    leave(3);
  });
  for (let n = 0; ; ++n) {
    const seed = wanted.seed + n;
    const stays = wanted.stay?.[n % wanted.stay.length];
    const ids = Array.from({ length: wanted.nodes }, (_, i) => `ws${i + 1}`);
    const lengthMs = wanted.seconds * 1000;
    const settings = { replicas: wanted.replicas, ack: 2 };
    const faults = stays ? [forGood({ seed, ids, kind: stays })] : schedule({
      seed, ids, kinds: wanted.kinds, lengthMs, atOnce: wanted.atOnce, diskLosses: settings.ack - 1,
      longestMs: wanted.longest * 1000,
    });
    const folder = path.join(wanted.out, stays ? `stay-${stays}-${seed}` : `seed-${seed}`);
    await rm(folder, { recursive: true, force: true });
    say(`seed ${seed}: ${ids.length} nodes, ${stays ? `${stays} for good` : `${faults.length} faults`}, ${wanted.seconds} s`);
    current = new (stays ? StayingRun : Run)({ seed, nodes: wanted.nodes, faults, settings, folder, lengthMs, say });
    let verdict;
    try {
      verdict = await current.go();
    } catch (error) {
      if (interrupted) return new Promise(() => {});
      throw error;
    }
    if (interrupted) return new Promise(() => {});
    report(verdict, folder);
    ++totals.runs;
    if (!verdict.passed) ++totals.failed;
    for (const count of ['published', 'acks', 'deliveries']) totals[count] += verdict[count];
    totals.violations += verdict.violations.length;
    countKinds(verdict.evidence, totals.kinds);
    for (const [measure, values] of Object.entries(verdict.samples)) {
      samples.set(measure, [...(samples.get(measure) ?? []), ...values]);
    }
    if (Date.now() >= untilMs && n + 1 >= (wanted.stay?.length ?? 1)) break;
  }
  if (totals.runs > 1) reportTotals(totals);
  reportSamples(samples);
  return totals.failed === 0 ? 0 : 1;
}

try {
  process.exit(await main());
} catch (error) {
  const isUsage = error instanceof UsageError || error.code?.startsWith?.('ERR_PARSE_ARGS');
  process.stderr.write(`scripts/faults: ${isUsage ? `${error.message}\nscripts/faults --help says more.` : error.stack}\n`);
  process.exit(isUsage ? 2 : 3);
}
