// When which fault comes and goes: all of it from the seed, before anything starts.
import { Chance } from './random.mjs';
import { FAULTS } from './faults.mjs';

const SHORTEST_MS = 300;
const LONGEST_MS = 30_000;
const LONGEST_OF_SHORT_MS = 6_000;
const PAUSE_MS = [300, 2_000]; // between two faults of one lane
const ALONE_PAUSE_MS = [2_500, 5_000]; // where one comes at a time: what it leaves behind is to be over before the next

/** Whether two faults would be in each other's way: `host *` is every host. */
export function clash(left, right) {
  const takes = (a, b) => a === b || (a === 'host *' && b.startsWith('host '));
  return left.some((a) => right.some((b) => takes(a, b) || takes(b, a)));
}

/**
 * Up to `atOnce` faults at a time from `kinds` over `ids`, begun and healed within `lengthMs`. Every kind comes before one
 * comes twice. Never more than `diskLosses` disks are lost: what the promises allow is ack - 1.
 */
export function schedule({ seed, ids, kinds, lengthMs, atOnce = 3, diskLosses = 1, longestMs = LONGEST_MS }) {
  const chance = new Chance(seed);
  const pauseMs = atOnce === 1 ? ALONE_PAUSE_MS : PAUSE_MS;
  const longest = Math.min(longestMs, Math.max(LONGEST_OF_SHORT_MS, lengthMs * 0.35));
  const faults = [];
  let bag = [];
  let lost = 0;
  const collides = (claims, fromMs, toMs) => faults.some((other) => other.atMs < toMs + SHORTEST_MS &&
    fromMs < other.atMs + other.forMs + SHORTEST_MS && clash(claims, other.claims));
  const lanes = Array.from({ length: atOnce }, (_, lane) => ({ lane, atMs: 500 + lane * chance.between(...pauseMs) }));
  for (;;) {
    lanes.sort((a, b) => a.atMs - b.atMs);
    const lane = lanes[0];
    if (lane.atMs + SHORTEST_MS > lengthMs) break;
    if (bag.length === 0) bag = chance.shuffled(kinds);
    const kind = bag.shift();
    const plan = FAULTS[kind].plan(chance, ids);
    const shortest = Math.min(FAULTS[kind].shortestMs ?? SHORTEST_MS, longest);
    const forMs = Math.round(Math.min(chance.spread(shortest, longest), lengthMs - lane.atMs));
    const claims = FAULTS[kind].claims(plan);
    const atMs = Math.round(lane.atMs);
    const isTooMuch = FAULTS[kind].losesDisk && lost >= diskLosses;
    if (isTooMuch || collides(claims, atMs, atMs + forMs)) {
      if (!isTooMuch) bag.push(kind);
      lane.atMs += chance.between(...pauseMs);
      continue;
    }
    if (FAULTS[kind].losesDisk) ++lost;
    faults.push({ id: faults.length + 1, kind, atMs, forMs, claims, ...plan });
    lane.atMs += forMs + chance.between(...pauseMs);
  }
  return faults.sort((a, b) => a.atMs - b.atMs);
}

/** One fault that comes and never goes. */
export function forGood({ seed, ids, kind }) {
  const plan = FAULTS[kind].plan(new Chance(seed), ids);
  if ('size' in plan) plan.size = 1;
  return { id: 1, kind, atMs: 1_000, forMs: Infinity, claims: FAULTS[kind].claims(plan), ...plan };
}
