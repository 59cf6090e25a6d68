/** What a node refused, or what the library refuses before it asks one. `code` is one of the protocol's. */
export class InkmeshError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   */
  constructor(code, message) {
    super(`${code}: ${message}`);
    this.name = 'InkmeshError';
    this.code = code;
  }
}

const PASSING = new Set(['rate_limited', 'unavailable', 'storage_full']);

/** True for an error that goes away by itself: the same request is sent again later. */
export function isPassing(code) {
  return PASSING.has(code);
}
