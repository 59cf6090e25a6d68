// How long to wait before an attempt, and how long to let one hang.

const HOP_MS = [20, 80]; // to another node, right after one died
const WAIT_MS = 250; // doubled with every round in which no node answered
const WAIT_MS_MAX = 4_000;
const HANG_MS = 700;
const HANG_MS_MAX = 6_000;
const FIRST_HANG_MS = 3_000;

/**
 * Before attempt number `failures` (0: the first one after a good connection). Every node gets one quick try; after
 * that the waits grow. By chance, so that clients of one dead node do not arrive together.
 */
export function waitMs(failures, nodes, random) {
  const rounds = Math.floor(failures / Math.max(nodes, 1));
  if (rounds === 0) return HOP_MS[0] + random() * (HOP_MS[1] - HOP_MS[0]);
  const longest = Math.min(WAIT_MS * 2 ** (rounds - 1), WAIT_MS_MAX);
  return longest * (0.5 + 0.5 * random());
}

/**
 * From opening a socket to the node's welcome. Grows too: a far or busy node may need longer. The very first node is
 * waited for longest: as a rule it has just handed out the page.
 */
export function hangMs(failures, nodes, everConnected) {
  if (!everConnected && failures === 0) return FIRST_HANG_MS;
  return Math.min(HANG_MS * 2 ** Math.floor(failures / Math.max(nodes, 1)), HANG_MS_MAX);
}
