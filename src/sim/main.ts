import { drawOptions } from './options.js';
import { run } from './run.js';

const [from = 1, count = 1, verbose = 0] = process.argv.slice(2).map(Number);
for (let seed = from; seed < from + count; seed++) {
  const options = drawOptions(seed);
  const start = process.hrtime.bigint();
  let text: string;
  try {
    const result = run({
      options,
      ...(verbose ? { note: (at: number, t: string) => console.log(`${(at / 1e6).toFixed(6)} ${t}`) } : {}),
    });
    const ms = Number(process.hrtime.bigint() - start) / 1e6;
    const v = result.violations[0];
    text = `${v === undefined ? 'ok' : `FAIL ${v.rule}: ${v.message.slice(0, verbose ? 4000 : 300)}`} ${options.profile} ${options.members}m ops ${result.acknowledged}/${result.operations} rev ${result.revisions} leaders ${result.leaderChanges} snaps ${result.snapshots} we ${result.watchEvents} ev ${result.events} virt ${result.virtualMs} real ${ms.toFixed(0)} x${(result.virtualMs / ms).toFixed(0)} faults ${[...result.faultCounts].map(([k, n]) => `${k}:${n}`).join(',')}`;
  } catch (err) {
    text = `THROW ${(err as Error).stack}`;
  }
  console.log(`seed ${seed} ${text}`);
}
