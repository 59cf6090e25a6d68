// Faults of the links: who does not hear whom, what is lost on the way, how little fits through, what is torn down.
import { sleep } from '../e2e/process.mjs';
import { onOne } from './one_host.mjs';

const RESET_EVERY_MS = [100, 900];
const FLAP_MS = [150, 1_500];

/** `left` does not hear `right`, nor `right` `left` unless it is one-way. */
function cutBetween(world, fault, left, right, oneWay = false) {
  const addresses = (ids) => ids.map((id) => world.host(id).address);
  for (const id of left) world.net.set(fault, world.host(id), { drop: addresses(right) });
  if (!oneWay) for (const id of right) world.net.set(fault, world.host(id), { drop: addresses(left) });
}

const twoSides = ({ order, size }) => [order.slice(0, size), order.slice(size)];

/** `sides` gives who is cut from whom; further nodes hear both. */
const partition = (summary, fields = {}) => ({
  summary,
  stays: true,
  plan: (chance, ids) => ({ order: chance.shuffled(ids), size: chance.whole(1, Math.max(1, Math.floor(ids.length / 2))) }),
  claims: () => ['partition'],
  hosts: (plan) => twoSides(plan)[0],
  about: (plan) => twoSides(plan).map((side) => side.join('+')).join(' | '),
  async begin(world, fault) {
    cutBetween(world, fault, ...twoSides(fault));
    await world.net.apply();
  },
  heal: (world, fault) => world.liftAndConverge(fault),
  ...fields,
});

const bridgeSides = ({ order, size }) => [order.slice(1, 1 + size), order.slice(1 + size)];

export const LINKS = {
  partition: partition('two sides do not hear each other'),

  one_way: partition('one side does not hear the other, which hears it', {
    about: (plan) => twoSides(plan).map((side) => side.join('+')).join(' deaf to '),
    async begin(world, fault) {
      cutBetween(world, fault, ...twoSides(fault), true);
      await world.net.apply();
    },
  }),

  flapping: partition('a partition that comes and goes, several times a second to once in some', {
    plan: (chance, ids) => ({
      order: chance.shuffled(ids), size: 1, beats: Array.from({ length: 400 }, () => chance.between(...FLAP_MS)),
    }),
    async begin(world, fault) {
      fault.flips = 0;
      fault.flap = (async () => {
        for (const beat of fault.beats) {
          if (fault.enough) break;
          if (fault.flips++ % 2 === 0) cutBetween(world, fault, ...twoSides(fault));
          else await world.net.lift(fault);
          await world.net.apply();
          await sleep(beat);
        }
      })();
    },
    async heal(world, fault) {
      fault.enough = true;
      await fault.flap;
      const evidence = await world.liftAndConverge(fault);
      return { ...evidence, how: `${evidence.how}, ${fault.flips} flips` };
    },
  }),

  bridge: partition('two sides do not hear each other, and one node hears both', {
    plan: (chance, ids) => ({ order: chance.shuffled(ids), size: chance.whole(1, Math.max(1, Math.floor((ids.length - 1) / 2))) }),
    hosts: (plan) => bridgeSides(plan)[0],
    about: (plan) => `${bridgeSides(plan).map((side) => side.join('+')).join(' | ')}, ${plan.order[0]} hears both`,
    async begin(world, fault) {
      cutBetween(world, fault, ...bridgeSides(fault));
      await world.net.apply();
    },
  }),

  isolated: onOne({
    summary: 'a node that nobody reaches, peers nor clients, and that goes on by itself',
    claims: ({ node }) => [`link ${node}`],
    async begin(world, fault) {
      const host = world.host(fault.node);
      cutBetween(world, fault, [fault.node], world.ids.filter((id) => id !== fault.node));
      world.net.set(fault, host, { drop: [world.lab.outside, ...world.hosts.filter((o) => o !== host).map((o) => o.address)] });
      await world.net.apply();
    },
    heal: (world, fault) => world.liftAndConverge(fault),
  }),

  loss: onOne({
    summary: 'one packet in twenty to one in three is lost, in and out, clients\' too',
    plan: (chance, ids) => ({ node: chance.pick(ids), percent: chance.whole(5, 33) }),
    claims: ({ node }) => [`loss ${node}`],
    about: ({ node, percent }) => `${node} ${percent} %`,
    async begin(world, fault) {
      world.net.set(fault, world.host(fault.node), { loss: fault.percent });
      await world.net.apply();
    },
    async heal(world, fault) {
      const packets = await world.net.dropped(fault);
      await world.net.clear(fault);
      return { bit: packets > 0, how: `${packets} packets lost` };
    },
  }),

  rate: onOne({
    summary: 'what it sends goes through a narrow pipe (tbf, 64 to 1,000 kbit/s)',
    plan: (chance, ids) => ({ node: chance.pick(ids), kbit: Math.round(chance.spread(64, 1_000)) }),
    claims: ({ node }) => [`rate ${node}`],
    about: ({ node, kbit }) => `${node} ${kbit} kbit/s`,
    async begin(world, { node, kbit }) {
      await world.lab.inside(node, 'tc', ['qdisc', 'replace', 'dev', 'eth0', 'root', 'tbf', 'rate', `${kbit}kbit`,
        'burst', '4kb', 'latency', '400ms']);
    },
    async heal(world, { node }) {
      const [tbf] = JSON.parse(await world.lab.inside(node, 'tc', ['-s', '-j', 'qdisc', 'show', 'dev', 'eth0']));
      await world.lab.inside(node, 'tc', ['qdisc', 'del', 'dev', 'eth0', 'root']);
      return { bit: tbf.overlimits > 0, how: `${tbf.overlimits} packets had to wait, ${tbf.drops} were dropped` };
    },
  }),

  delay: onOne({
    summary: 'what it sends and hears comes up to half a second late, some of it overtaken (detour.c)',
    plan: (chance, ids) => ({
      node: chance.pick(ids), delayMs: Math.round(chance.spread(5, 250)), jitterMs: Math.round(chance.spread(2, 250)),
      seed: chance.whole(1, 1e6),
    }),
    claims: ({ node }) => [`wire ${node}`],
    about: ({ node, delayMs, jitterMs }) => `${node} ${delayMs} to ${delayMs + jitterMs} ms`,
    async begin(world, fault) {
      fault.detour = await world.lab.detour(fault.node, fault);
    },
    async heal(world, fault) {
      const { carried, overtaken, lost } = await world.lab.straighten(fault.node, fault.detour);
      return { bit: carried > 0, how: `${carried} frames came late, ${overtaken} of them overtaken, ${lost} lost` };
    },
  }),

  reset: onOne({
    summary: 'all its connections are torn down, again and again (ss -K)',
    plan: (chance, ids) => ({ node: chance.pick(ids), beats: Array.from({ length: 400 }, () => chance.between(...RESET_EVERY_MS)) }),
    claims: ({ node }) => [`reset ${node}`],
    async begin(world, fault) {
      fault.torn = 0;
      fault.tearing = (async () => {
        for (const beat of fault.beats) {
          if (fault.enough) break;
          const text = await world.lab.inside(fault.node, 'ss', ['-K', '-H', '-t', '-n', 'state', 'established']);
          fault.torn += text.trim() === '' ? 0 : text.trim().split('\n').length;
          await sleep(beat);
        }
      })();
    },
    async heal(world, fault) {
      fault.enough = true;
      await fault.tearing;
      return { bit: fault.torn > 0, how: `${fault.torn} connections torn down` };
    },
  }),
};
