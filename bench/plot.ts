import { barLines } from './bar.js';
import type { Report } from './report.js';
import { resultOf } from './report.js';

const ROW = 22;
const LABEL = 390;
const WIDTH = 900;
const MIN = 1 / 16;
const MAX = 16;

/**
 * The ratios as bars on a logarithmic scale: to the right of the middle we are ahead, to the left etcd is. Where less is
 * better (a time, memory) the ratio is turned around first.
 */
export function plot(report: Report): string {
  const [own, peer] = report.systems;
  const bars: { label: string; ahead: number; text: string }[] = [];
  if (own && peer) {
    for (const { name, figures } of report.rounds) {
      const [a, b] = [figures[own.label], figures[peer.label]];
      if (!a || !b || resultOf(a) <= 0 || resultOf(b) <= 0) continue;
      const ratio = resultOf(a) / resultOf(b);
      const less = a.amount !== undefined;
      const rated = / per s\b/.test(name) && a.latency && b.latency;
      const [ahead, text] = rated
        ? [b.latency!.p99 / a.latency!.p99, `p99 ${(a.latency!.p99 / b.latency!.p99).toFixed(2)}x`]
        : [less ? 1 / ratio : ratio, `${ratio.toFixed(2)}x`];
      bars.push({ label: rated ? `${name}: p99` : name, ahead, text });
    }
    for (const { work, ratio, bar } of barLines(report))
      if (ratio !== null && work.startsWith('CPU'))
        bars.unshift({ label: `${work} (${bar})`, ahead: 1 / ratio, text: `${ratio.toFixed(2)}x` });
  }
  const height = 60 + bars.length * ROW;
  const x = (ahead: number): number => {
    const clamped = Math.min(MAX, Math.max(MIN, ahead));
    return LABEL + ((Math.log2(clamped) - Math.log2(MIN)) / (Math.log2(MAX) - Math.log2(MIN))) * (WIDTH - LABEL - 70);
  };
  const lines: string[] = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    `<text x="${LABEL}" y="18" fill="#555">etcd ahead</text>`,
    `<text x="${WIDTH - 70}" y="18" text-anchor="end" fill="#555">${escaped(own?.label ?? '')} ahead</text>`,
  ];
  for (let tick = MIN; tick <= MAX; tick *= 2) {
    const at = x(tick).toFixed(1);
    lines.push(
      `<line x1="${at}" y1="26" x2="${at}" y2="${height - 22}" stroke="${tick === 1 ? '#333' : '#ddd'}"/>`,
      `<text x="${at}" y="${height - 8}" text-anchor="middle" fill="#555">${tick < 1 ? `1/${1 / tick}` : tick}</text>`,
    );
  }
  for (const [i, { label, ahead, text }] of bars.entries()) {
    const y = 34 + i * ROW;
    const [from, to] = [Math.min(x(1), x(ahead)), Math.max(x(1), x(ahead))];
    const right = ahead >= 1;
    lines.push(
      `<text x="${LABEL - 8}" y="${y + 11}" text-anchor="end" fill="#222">${escaped(label)}</text>`,
      `<rect x="${from.toFixed(1)}" y="${y}" width="${Math.max(1, to - from).toFixed(1)}" height="14" fill="${right ? '#2a7f62' : '#c0563d'}"/>`,
      `<text x="${(right ? to + 4 : from - 4).toFixed(1)}" y="${y + 11}" text-anchor="${right ? 'start' : 'end'}" fill="#222">${text}</text>`,
    );
  }
  return [...lines, '</svg>', ''].join('\n');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
