// A run as one picture: faults and the nodes' lives over what was delivered, acknowledged and delayed each second.
// One file, no script, opens anywhere; a pointer held over a bar tells more.
import { writeFile } from 'node:fs/promises';

const WIDTH = 1_400;
const LEFT = 130;
const RIGHT = 20;
const ROW = 20;
const CHART = 110;
const GAP = 34;

const COLORS = {
  kill: '#b3261e', pause: '#8e24aa', clock: '#00838f', rolling: '#546e7a', partition: '#e65100', one_way: '#ef6c00',
  flapping: '#f9a825', bridge: '#c0842b', isolated: '#bf360c', loss: '#827717', rate: '#9e9d24', reset: '#6d4c41',
  power_cut: '#880e4f', full_disk: '#4527a0', failing_flush: '#ad1457', slow_flush: '#7986cb', lost_disk: '#d50000',
  delay: '#fb8c00', flipped_bytes: '#6a1b9a', foreign_folder: '#78909c', twin: '#3949ab',
};
const CHARTS = [
  ['delivered', '#1565c0', 'strokes delivered a second'],
  ['acked', '#2e7d32', 'acknowledged a second (published: line)'],
  ['delayed', '#c62828', 'waiting for an ack for over 1 s'],
];

const PEACE = 'no more faults, nobody draws';
const PEACE_WIDTH = 170; // with its gap; on the left of its line where there is less

const escape = (text) => String(text).replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]);
const tidy = (number) => Math.round(number * 10) / 10;

class Picture {
  constructor(lengthMs) {
    this.lengthMs = Math.max(1_000, lengthMs);
    this.parts = [];
    this.y = 20;
  }
  x(ms) {
    return tidy(LEFT + (Math.min(ms, this.lengthMs) / this.lengthMs) * (WIDTH - LEFT - RIGHT));
  }
  label(text, y, extra = '') {
    this.parts.push(`<text x="${LEFT - 8}" y="${y}" text-anchor="end"${extra}>${escape(text)}</text>`);
  }
  bar(fromMs, toMs, y, height, color, title, caption = '') {
    const x = this.x(fromMs);
    const width = Math.max(1.5, tidy(this.x(toMs) - x));
    this.parts.push(`<g><title>${escape(title)}</title><rect x="${x}" y="${y}" width="${width}" height="${height}" fill="${color}" rx="2"/>` +
      (caption && width > caption.length * 6 ? `<text x="${x + 4}" y="${y + height - 4}" fill="#fff">${escape(caption)}</text>` : '') + '</g>');
  }
  title(text) {
    this.parts.push(`<text x="${LEFT}" y="${this.y}" class="t">${escape(text)}</text>`);
    this.y += 8;
  }

  faults(faults) {
    this.title('faults');
    const kinds = [...new Set(faults.map(({ kind }) => kind))];
    for (const kind of kinds) {
      this.label(kind, this.y + 13);
      for (const fault of faults.filter((other) => other.kind === kind)) {
        const toMs = fault.toMs ?? this.lengthMs;
        const times = `${tidy(fault.fromMs / 1000)} to ${fault.toMs === undefined ? 'the end' : `${tidy(toMs / 1000)} s`}`;
        this.bar(fault.fromMs, toMs, this.y, ROW - 4, COLORS[kind] ?? '#555',
          `${kind} ${fault.about}, ${times}${fault.how ? `: ${fault.how}` : ''}`, fault.about);
      }
      this.y += ROW;
    }
    this.y += GAP - 8;
  }

  /** Grey: no process. Light: started, not ready yet. Green: ready. */
  lives(states, nodes) {
    this.title('nodes: green is ready, light is starting, grey is gone');
    for (const node of nodes) {
      this.label(node, this.y + 13);
      const mine = states.filter((state) => state.node === node);
      mine.forEach((state, i) => {
        const toMs = mine[i + 1]?.ms ?? this.lengthMs;
        const color = { started: '#aed581', ready: '#558b2f', ended: '#bdbdbd' }[state.state];
        const ended = state.state === 'ended' ? ` with ${state.code ?? state.signal}` : '';
        this.bar(state.ms, toMs, this.y, ROW - 4, color, `${node} ${state.state}${ended} at ${tidy(state.ms / 1000)} s`);
      });
      this.y += ROW;
    }
    this.y += GAP - 8;
  }

  chart(seconds, name, color, title) {
    this.title(title);
    const most = Math.max(1, ...seconds.map((second) => Math.max(second[name], name === 'acked' ? second.published : 0)));
    const base = this.y + CHART;
    const height = (value) => tidy((value / most) * CHART);
    this.parts.push(`<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${base}" y2="${base}" stroke="#999"/>`);
    this.label(most, this.y + 10);
    this.label(0, base);
    const width = Math.max(1, tidy(this.x(1_000) - this.x(0) - 1));
    seconds.forEach((second, i) => {
      const tall = height(second[name]);
      this.parts.push(`<g><title>${i} s: ${second[name]}</title><rect x="${this.x(i * 1_000)}" y="${tidy(base - tall)}" width="${width}" height="${tall}" fill="${color}"/></g>`);
    });
    if (name === 'acked') {
      const points = seconds.map((second, i) => `${this.x(i * 1_000 + 500)},${tidy(base - height(second.published))}`).join(' ');
      this.parts.push(`<polyline points="${points}" fill="none" stroke="#000" stroke-width="1.2"/>`);
    }
    this.y = base + GAP;
  }

  grid(peaceMs) {
    const stepS = [1, 2, 5, 10, 20, 30, 60].find((step) => this.lengthMs / 1_000 / step <= 25) ?? 120;
    const lines = [];
    for (let s = 0; s * 1_000 <= this.lengthMs; s += stepS) {
      const x = this.x(s * 1_000);
      lines.push(`<line x1="${x}" x2="${x}" y1="10" y2="${this.y - GAP + 4}" stroke="#e3e3e3"/>`,
        `<text x="${x}" y="${this.y - GAP + 18}" text-anchor="middle">${s} s</text>`);
    }
    if (peaceMs !== undefined) {
      const x = this.x(peaceMs);
      const late = x > WIDTH - RIGHT - PEACE_WIDTH;
      lines.push(`<line x1="${x}" x2="${x}" y1="10" y2="${this.y - GAP + 4}" stroke="#000" stroke-dasharray="5 4"/>`,
        `<text x="${late ? x - 4 : x + 4}" y="16"${late ? ' text-anchor="end"' : ''}>${PEACE}</text>`);
    }
    return lines.join('\n');
  }
}

export async function writeTimeline(file, { journal, ids, seed, checker, settings, peaceMs }) {
  const picture = new Picture(journal.nowMs);
  picture.faults(journal.faults);
  picture.lives(journal.hostStates, ids);
  for (const [name, color, title] of CHARTS) picture.chart(journal.seconds, name, color, title);
  const grid = picture.grid(peaceMs);
  const broken = checker.violations;
  const head = `seed ${seed}: ${ids.length} nodes, ${settings.replicas} homes, ack ${settings.ack}; ${checker.publishes.size} strokes, ` +
    `${checker.acks} acknowledgements, ${checker.deliveries} deliveries; ` +
    (broken.length === 0 ? 'every promise held' : `${broken.length} promises broken`);
  await writeFile(file, `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>inkmesh under faults, seed ${seed}</title>
<style>body{font:14px sans-serif;margin:16px}svg text{font:11px sans-serif}svg .t{font-weight:bold}.broken{color:#b3261e}</style>
<h1 style="font-size:17px">${escape(head)}</h1>
${broken.map((text) => `<p class="broken">${escape(text)}</p>`).join('\n')}
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${picture.y}" width="${WIDTH}" height="${picture.y}">
${grid}
${picture.parts.join('\n')}
</svg></html>
`);
}
