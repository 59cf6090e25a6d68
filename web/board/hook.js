/**
 * `window.inkmesh`, for tests in browsers and for the curious. README.md describes it.
 *
 * @param {object} parts
 * @param {import('../client/inkmesh_client.js').InkmeshClient} parts.client
 * @param {import('./board.js').Board} parts.board
 * @param {import('./layers.js').Layers} parts.layers
 * @param {import('./live_lines.js').LiveLines} parts.live
 */
export function installHook({ client, board, layers, live }) {
  const { channel, subscription } = board;
  window.inkmesh = {
    client,
    board: {
      strokes: () =>
        board.drawn.map(({ origin, seq, ts, client: author, op, ink }) => ({
          channel,
          origin,
          seq,
          ts,
          client: author,
          op,
          drawable: ink !== undefined,
        })),
      picture: () => layers.hash(),
      pixels: () => layers.pixels(),
      draw: (style, points) => board.draw({ kind: 'pen', color: '#1c1e26', width: 6, ...style }, points),
      state: () => ({
        ...client.state,
        client: client.client,
        channel,
        subscription: subscription.state,
        complete: subscription.complete,
        cursor: subscription.cursor,
        strokes: board.drawn.length,
        notInDrawing: board.waiting.length,
        present: subscription.present,
        pointers: live.pointers,
        lines: live.lines.length,
        nodes: client.nodes,
        violations: board.violations,
      }),
    },
  };
}
