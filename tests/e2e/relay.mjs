// A TCP relay between two processes that can be cut, stalled and reset: the network between nodes, in the test's hands.
import net from 'node:net';

export class Relay {
  static listen(port, targetPort) {
    const relay = new Relay();
    relay.pairs = new Set();
    relay.state = 'open';
    relay.targetPort = targetPort;
    relay.server = net.createServer({ noDelay: true }, (near) => relay.accept(near));
    return new Promise((resolve, reject) => {
      relay.server.once('error', reject);
      relay.server.listen(port, '127.0.0.1', () => resolve(relay));
    });
  }

  accept(near) {
    if (this.state === 'cut') {
      near.resetAndDestroy();
      return;
    }
    const far = net.connect({ port: this.targetPort, host: '127.0.0.1', noDelay: true });
    const pair = { near, far };
    this.pairs.add(pair);
    const end = () => {
      this.pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const [from, to] of [[near, far], [far, near]]) {
      from.on('error', end);
      from.on('close', end);
      from.on('data', (bytes) => {
        if (!to.write(bytes)) from.pause();
      });
      to.on('drain', () => {
        if (this.state !== 'stalled') from.resume();
      });
    }
    if (this.state === 'stalled') this.hold(pair);
  }

  hold({ near, far }) {
    near.pause();
    far.pause();
  }

  /** It leads elsewhere from now on, as an address does that moves to another machine. */
  lead(targetPort) {
    this.targetPort = targetPort;
    this.reset();
  }

  /** Every connection is reset, new ones too. */
  cut() {
    this.state = 'cut';
    this.reset();
  }
  /** Nothing passes any more, and nobody is told: packets that vanish. */
  stall() {
    this.state = 'stalled';
    for (const pair of this.pairs) this.hold(pair);
  }
  heal() {
    this.state = 'open';
    for (const { near, far } of this.pairs) {
      near.resume();
      far.resume();
    }
  }
  /** Every connection is reset once; what was on its way is lost. */
  reset() {
    for (const { near, far } of this.pairs) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
  }
  async close() {
    this.cut();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
