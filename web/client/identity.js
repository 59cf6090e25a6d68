import { MemoryStorage } from './storage.js';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const SESSION_KEY = 'inkmesh.client';
const CLAIM_TRIES = 4;
const CLAIM_MS = 60;

/** @returns {string} A client's name that nobody else has: 100 random bits. */
export function randomClient() {
  const bytes = new Uint8Array(20);
  // Node 18 has no global crypto. A name has to be rare, not secret.
  if (globalThis.crypto) globalThis.crypto.getRandomValues(bytes);
  else bytes.forEach((_, i) => (bytes[i] = Math.random() * 256));
  return Array.from(bytes, (byte) => ALPHABET[byte & 31]).join('');
}

const lockName = (client) => `inkmesh.client.${client}`;

/**
 * Takes a client's name for as long as the page lives, if no other page holds it.
 *
 * @param {LockManager} locks
 * @param {string} client
 * @returns {Promise<(() => void) | undefined>} Lets it go again; undefined: another page holds it.
 */
export function claimName(locks, client) {
  return new Promise((resolve, reject) => {
    locks
      .request(lockName(client), { ifAvailable: true }, (lock) => {
        if (!lock) return resolve(undefined);
        return new Promise((release) => resolve(release));
      })
      .catch(reject);
  });
}

/**
 * The name of this tab's op counter. A reload keeps it, a second tab never shares it: a browser that duplicates a tab
 * copies its sessionStorage, but not its lock. Where there are no locks (a page that is not a secure context) every
 * load gets a new name.
 *
 * @param {object} [browser]
 * @param {import('./storage.js').Storage} [browser.storage] One that keeps nothing needs no lasting name.
 * @param {LockManager} [browser.locks]
 * @param {globalThis.Storage} [browser.sessionStorage]
 * @param {(ms: number) => Promise<void>} [browser.sleep]
 * @returns {Promise<string>}
 */
export async function claimIdentity({
  storage,
  locks = globalThis.navigator?.locks,
  sessionStorage = sessionStorageOrNone(),
  sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
} = {}) {
  if (!locks || !sessionStorage || storage instanceof MemoryStorage) return randomClient();
  const before = sessionStorage.getItem(SESSION_KEY);
  // After a reload the page before may hold its lock for a moment longer.
  for (let i = 0; before && i < CLAIM_TRIES; ++i) {
    if (i > 0) await sleep(CLAIM_MS);
    if (await claimName(locks, before)) return before;
  }
  const client = randomClient();
  await claimName(locks, client);
  sessionStorage.setItem(SESSION_KEY, client);
  return client;
}

function sessionStorageOrNone() {
  try {
    return globalThis.sessionStorage;
  } catch {
    return undefined; // blocked by the browser's settings
  }
}
