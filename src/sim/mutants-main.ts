/** `npm run sim:mutants`: for each bug that is put back, the number of seeds until it was found. */
import { MUTANT_TABLE, WITHOUT_SWITCH } from './mutants.js';
import { drawOptions } from './options.js';
import { runSeed } from './runner/seed.js';

const argv = process.argv.slice(2);
const numberOf = (flag: string, otherwise: number): number => {
  const at = argv.indexOf(flag);
  return at < 0 ? otherwise : Number(argv[at + 1]);
};
const seedsMax = numberOf('--seeds', 1000);
const msMax = numberOf('--seconds', 180) * 1000;
const first = numberOf('--from', 1);
const only = argv.includes('--only') ? argv[argv.indexOf('--only') + 1] : undefined;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

let missed = 0;
/** Seeds that fail without any mutant. */
const unsound = new Set<number>();
say('| row | mutant | seeds until found | seconds | by | reproduce |');
say('|---|---|---|---|---|---|');
for (const mutant of MUTANT_TABLE) {
  if (only !== undefined && mutant.name !== only) continue;
  const head = `| ${mutant.row} | \`${mutant.name}\` |`;
  if (mutant.waitsFor !== null) {
    say(`${head} waits for ${mutant.waitsFor} | | | |`);
    continue;
  }
  const start = Date.now();
  let seed = first;
  let rule: string | null = null;
  for (; seed < first + seedsMax && rule === null && Date.now() - start < msMax; seed++) {
    rule = runSeed({ options: drawOptions(seed, { mutants: mutant.name.split(',') }) }).failure?.rule ?? null;
    // A seed that fails by itself has found something else.
    if (rule !== null && runSeed({ options: drawOptions(seed) }).failure !== null) {
      unsound.add(seed);
      rule = null;
    }
  }
  const seconds = ((Date.now() - start) / 1000).toFixed(1);
  if (rule === null) {
    missed++;
    say(`${head} NOT FOUND in ${seed - first} | ${seconds} | | |`);
  } else {
    say(
      `${head} ${seed - first} | ${seconds} | ${rule} | \`npm run sim -- --seed ${seed - 1} --mutant ${mutant.name}\` |`,
    );
  }
}
for (const { row, what, waitsFor } of WITHOUT_SWITCH) say(`| ${row} | ${what} | waits for ${waitsFor} | | | |`);
if (unsound.size > 0) say(`not counted, as they fail without a mutant: seeds ${[...unsound].join(' ')}`);
process.exitCode = missed === 0 ? 0 : 1;
