// The faults. Each says what it claims (two that claim the same are never there together), begins, heals, and shows that
// it bit: a fault that nobody felt proves nothing.
import { readFile } from 'node:fs/promises';

const TWO_MINUTES_MS = 120_000;

const cutBetween = (world, fault, left, right, oneWay) => {
  const addresses = (hosts) => hosts.map((host) => host.address);
  for (const host of left) world.net.set(fault, host, { drop: addresses(right) });
  if (!oneWay) for (const host of right) world.net.set(fault, host, { drop: addresses(left) });
};
const heardNothing = async (world, fault) => {
  const packets = await world.net.dropped(fault);
  return { bit: packets > 0, how: `${packets} packets dropped` };
};
const unhooked = async (world, fault) => {
  const evidence = await heardNothing(world, fault);
  await world.net.clear(fault);
  return evidence;
};
/** A partition: `shape` gives the pairs of sides that do not hear each other. */
const partition = (summary, sides, { oneWay = false } = {}) => ({
  summary,
  claims: () => ['partition'],
  plan: (chance, ids) => ({ order: chance.shuffled(ids), size: chance.whole(1, Math.max(1, Math.floor(ids.length / 2))) }),
  hosts: ({ order, size }) => sides(order, size)[0],
  about: ({ order, size }) => sides(order, size).map((side) => side.join('+')).join(oneWay ? ' hears not ' : ' | '),
  async begin(world, fault) {
    const [left, right] = sides(fault.order, fault.size).map((side) => side.map((id) => world.host(id)));
    cutBetween(world, fault, left, right, oneWay);
    await world.net.apply();
  },
  async heal(world, fault) {
    const evidence = await unhooked(world, fault);
    world.watchConvergence(fault);
    return evidence;
  },
});

const onOne = (fields) => ({
  plan: (chance, ids) => ({ node: chance.pick(ids) }),
  hosts: ({ node }) => [node],
  about: ({ node }) => node,
  ...fields,
});

const died = (world, id) => world.bereave(id);

export const FAULTS = {
  kill: onOne({
    summary: 'SIGKILL; started again when it heals',
    claims: ({ node }) => [`host ${node}`],
    async begin(world, { node }) {
      died(world, node);
      await world.host(node).kill();
    },
    async heal(world, { node }) {
      const { exit } = world.host(node).child;
      world.restart(node);
      return { bit: exit?.signal === 'SIGKILL', how: `ended by ${exit?.signal}` };
    },
  }),

  partition: partition('two sides do not hear each other',
    (order, size) => [order.slice(0, size), order.slice(size)]),
};

export function kindsOf(names) {
  for (const name of names) {
    if (!FAULTS[name]) throw new Error(`there is no fault ${name}; there are: ${Object.keys(FAULTS).join(', ')}`);
  }
  return names;
}
