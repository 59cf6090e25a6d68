const NAME_MAX = 119; // "drawing_" and the name are a channel: at most 128 bytes
const DEFAULT = 'demo';

/**
 * What the page's address asks for: `?board=abc123` the board, `?stay=1` this address alone (a balancer's).
 *
 * @param {string} search
 * @returns {{board: string, channel: string, stay: boolean}}
 */
export function readAddress(search) {
  const asked = new URLSearchParams(search);
  const board =
    (asked.get('board') ?? '')
      .trim()
      .replace(/[^A-Za-z0-9_.:-]+/g, '-')
      .slice(0, NAME_MAX) || DEFAULT;
  return { board, channel: `drawing_${board}`, stay: ['1', 'true', ''].includes(asked.get('stay') ?? 'no') };
}

/** The address of a board, with whatever else the page's address says. */
export function addressOf(href, board) {
  const url = new URL(href);
  url.searchParams.set('board', board);
  url.hash = '';
  return url.href;
}
