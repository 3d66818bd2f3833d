/** `npm run test:differential`: random histories done to Keel and to a real etcd; every answer must be the same. */
import { parseArgs } from 'node:util';
import { missing } from '../support/binaries.js';
import { runDifferential } from '../support/differential/run.js';

const USAGE = `usage: npm run test:differential -- [--ops N] [--seed S] [--path P]

  --ops N     requests to send, default 100000
  --seed S    default: from the clock
  --path P    with the seed of a failing run: that history alone

A real etcd is needed: KEEL_TEST_ETCD_BIN, or etcd on PATH.
`;
const PROGRESS_MS = 5000;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      ops: { type: 'string', default: '100000' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
      path: { type: 'string' },
    },
  });
  const [operations, seed] = [Number(values.ops), Number(values.seed)];
  if (!Number.isSafeInteger(operations) || !Number.isSafeInteger(seed) || operations <= 0) {
    process.stderr.write(USAGE);
    return 2;
  }
  const reason = missing('etcd') ?? missing('keel');
  if (reason) {
    process.stderr.write(`test:differential: ${reason}\n`);
    return 1;
  }
  const began = performance.now();
  let told = began;
  const { counts, failure } = await runDifferential({
    operations,
    seed,
    ...(values.path === undefined ? {} : { path: values.path }),
    progress: ({ operations: done }) => {
      const now = performance.now();
      if (now - told < PROGRESS_MS) return;
      told = now;
      const seconds = (now - began) / 1000;
      process.stdout.write(
        `${seconds.toFixed(0).padStart(5)} s  ${done} of ${operations}, ${Math.round(done / seconds)}/s\n`,
      );
    },
  });
  const known = [...counts.known].map(([name, times]) => `${name}: ${times}`).join(', ') || 'none';
  const seconds = (performance.now() - began) / 1000;
  process.stdout.write(
    `${counts.operations} operations (seed ${seed}), ${counts.refused} refused, ${seconds.toFixed(0)} s; known differences of 3.5: ${known}\n`,
  );
  if (failure === null) return 0;
  process.stdout.write(`\nDIFFERENCE ${failure}\n`);
  return 1;
}

process.exitCode = await main();
