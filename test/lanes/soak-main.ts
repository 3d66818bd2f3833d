/** `npm run soak`: three members under a moderate mixed load for a while; what may not grow is watched. */
import { parseArgs } from 'node:util';
import { missing } from '../support/binaries.js';
import type { SoakReport } from '../support/soak/soak.js';
import { runSoak } from '../support/soak/soak.js';

const USAGE = `usage: npm run soak -- [--minutes N] [--interval SECONDS] [--rate OPS] [--dir FOLDER]

  --minutes N         default 10
  --interval SECONDS  between two samples, default 10, at most a sixth of the whole
  --rate OPS          operations a second, about, default 300
  --dir FOLDER        where the cluster's folder goes, default the system's for temporary files
`;

async function main(): Promise<number> {
  let minutes: number;
  let intervalS: number;
  let rate: number;
  let dir: string | undefined;
  try {
    const { values } = parseArgs({
      options: {
        minutes: { type: 'string', default: '10' },
        interval: { type: 'string', default: '10' },
        rate: { type: 'string', default: '300' },
        dir: { type: 'string' },
      },
    });
    minutes = positive('minutes', values.minutes);
    intervalS = positive('interval', values.interval);
    rate = positive('rate', values.rate);
    dir = values.dir;
  } catch (err) {
    process.stderr.write(`soak: ${(err as Error).message}\n${USAGE}`);
    return 2;
  }
  const reason = missing('keel');
  if (reason) {
    process.stderr.write(`soak: ${reason}\n`);
    return 1;
  }
  const report = await runSoak({
    durationMs: minutes * 60_000,
    intervalMs: Math.min(intervalS * 1000, (minutes * 60_000) / 6),
    rate,
    ...(dir === undefined ? {} : { baseDir: dir }),
    progress: (line) => process.stdout.write(`${line}\n`),
  });
  process.stdout.write(`${ending(report)}\n`);
  return report.problems.length === 0 ? 0 : 1;
}

function ending({ operations, seconds, growth, problems, kept }: SoakReport): string {
  const grown = growth.map(
    ({ member, memory, heap }) => `${member} ${memory.mib.toFixed(1)} MiB (live heap ${heap.mib.toFixed(1)} MiB)`,
  );
  return [
    `${operations} operations in ${seconds.toFixed(0)} s; memory grew after the first quarter: ${grown.join(', ')}`,
    ...problems.map((problem) => `PROBLEM ${problem}`),
    ...(kept === null ? [] : [`data and logs: ${kept}`]),
    problems.length === 0 ? 'nothing grew that may not' : `${problems.length} problems`,
  ].join('\n');
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`--${name} ${text}`);
  return value;
}

process.exitCode = await main();
