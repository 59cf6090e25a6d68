import { claimName } from './identity.js';
import { InkmeshClient } from './inkmesh_client.js';

/**
 * Sends what tabs that are gone left unacknowledged, each under the name that it was published with.
 *
 * @param {object} options
 * @param {string} options.self The name of this tab's own client.
 * @param {import('./storage.js').Storage} options.storage
 * @param {object} options.connect Options for the InkmeshClients that send.
 * @param {LockManager} [options.locks] Without locks it cannot tell who is gone, and sends what others may send too:
 *     a retry is harmless.
 * @returns {Promise<number>} How many strokes were sent.
 */
export async function sendLeftovers({ self, storage, connect, locks = globalThis.navigator?.locks }) {
  let sent = 0;
  for (const client of await storage.clients()) {
    if (client === self) continue;
    const release = locks ? await claimName(locks, client) : () => {};
    if (!release) continue;
    const sender = new InkmeshClient({ ...connect, client, storage });
    try {
      await sender.ready;
      const left = sender.waiting.length;
      while (sender.state.waiting > 0) await sender.once('state');
      sent += left;
    } finally {
      sender.close();
      release();
    }
  }
  return sent;
}
