// The faults. Each says what it claims (two that claim the same are never there together), begins, heals, and shows that
// it bit: a fault that nobody felt proves nothing.
import { DISK, FULL, POWER } from './disk_faults.mjs';
import { IDENTITY } from './identity_faults.mjs';
import { LINKS } from './link_faults.mjs';
import { PROCESSES } from './process_faults.mjs';

/**
 * summary: a line for --list. plan(chance, ids): what its dice decide. claims(plan), hosts(plan), about(plan).
 * begin(world, fault), heal(world, fault): gives {bit, how}. losesDisk: what an acknowledgement stood on is gone.
 * stays: it can stay for good, on one node (the second mode). shortestMs: shorter than that it cannot bite.
 */
export const FAULTS = { ...PROCESSES, ...LINKS, ...POWER, ...FULL, ...DISK, ...IDENTITY };
