/**
 * The client library of inkmesh: one connection to a cluster of nodes, whichever of them is alive. Subscriptions keep
 * their cursor and get each stroke once and in order across reconnects; what is published is kept until a node says
 * that it is durable. No dependencies; for browsers and for Node (give it a WebSocket there).
 *
 *     const client = new InkmeshClient({ discover: 'http://127.0.0.1:8081' });
 *     await client.ready;
 *     const drawing = new Drawing();
 *     const subscription = client.subscribe('drawing_abc123');
 *     subscription.on('strokes', (strokes) => drawing.add(strokes));
 *     const { op, acked } = client.publish('drawing_abc123', { any: 'JSON' });
 *     await acked;
 */
export { Drawing, compareStrokes } from './drawing.js';
export { InkmeshError } from './errors.js';
export { claimIdentity, randomClient } from './identity.js';
export { InkmeshClient } from './inkmesh_client.js';
export { sendLeftovers } from './leftovers.js';
export { IndexedDbStorage, MemoryStorage } from './storage.js';
